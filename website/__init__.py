"""The documentation's site, made of `docs/` and of the code itself: `python -m website`."""

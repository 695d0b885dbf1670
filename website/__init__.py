"""Builds the documentation site from `docs/` and from the code: `python -m website`."""

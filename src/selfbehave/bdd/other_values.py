"""Replacement values of the same kind as a value in a scenario."""

from __future__ import annotations

import re

__all__ = ["changed", "has_opposite", "other_numbers"]

_DIGITS = re.compile(r"[0-9]+")
_NUMBER = re.compile(r"(?P<whole>[0-9]+)(?P<fraction>[.][0-9]+)?")
_PARTED = ".,:/-"  # separators between the numbers of a date, a time or an amount
_OPPOSITES = dict(
    pair
    for one, other in (("true", "false"), ("yes", "no"), ("on", "off"), ("up", "down"))
    for pair in ((one, other), (other, one))
)


def has_opposite(text: str) -> bool:
    """Whether a text is one of two words that exclude each other, such as "yes" and "no"."""
    return text.lower() in _OPPOSITES


def changed(text: str) -> str:
    """The value with the smallest change: its opposite, its last number ± 1, or one more letter."""
    if (opposite := _OPPOSITES.get(text.lower())) is not None:
        return opposite.title() if text.istitle() else opposite
    return _last_by_one(text) if _DIGITS.search(text) else f"{text}x"


def other_numbers(text: str) -> list[str]:
    """Further values for a text with a number, because the smallest change may have no effect.

    For a single number: ten times as much, and the change by one in the other direction. For a
    date, a time or a version: its first number changed by one.
    """
    if number := _NUMBER.fullmatch(text):
        whole, fraction = int(number["whole"]), number["fraction"] or ""
        others = [f"{whole * 10 or 10}{fraction}"]
        if whole:
            others.append(f"{whole - 1 if not fraction else whole + 1}{fraction}")
        return others
    first = _DIGITS.search(text)
    if first is None:
        return []
    return [text[: first.start()] + str(int(first[0]) + 1) + text[first.end() :]]


def _last_by_one(text: str) -> str:
    """The text with its last number changed by one; dates, times and amounts stay valid."""
    last = list(_DIGITS.finditer(text))
    if not last:
        return f"{text}x"
    run = last[-1]
    is_part = run.start() > 0 and text[run.start() - 1] in _PARTED and len(last) > 1
    value = int(run[0])
    # Down rather than up inside a date or a time: after 31 and 59 there is no next value.
    new = value - 1 if is_part and value > 1 else value + 1
    width = len(run[0]) if is_part or run[0].startswith("0") else 0
    return f"{text[: run.start()]}{new:0{width}d}{text[run.end() :]}"

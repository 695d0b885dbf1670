"""Text of models, servers and files, made safe to print."""

from __future__ import annotations

import re

__all__ = ["REPLACEMENT", "printable"]

REPLACEMENT = "\ufffd"

# Control characters but for tab and line feed; marks that turn the direction of writing (Unicode
# Standard Annex 9), which can make a line read otherwise than it is; and halves of surrogate
# pairs, which no output can encode.
_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """A text with everything replaced that a terminal would obey rather than show."""
    return _OBEYED.sub(REPLACEMENT, text.replace("\r\n", "\n"))

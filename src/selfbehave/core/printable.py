"""Text of models, servers and files, made safe to print."""

from __future__ import annotations

import re

__all__ = ["REPLACEMENT", "printable"]

REPLACEMENT = "\ufffd"

# Control characters except tab and line feed; marks that change the writing direction (Unicode
# Standard Annex 9), which can disguise the content of a line; and halves of surrogate pairs,
# which no output can encode.
_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Replace the characters that a terminal would interpret instead of showing."""
    return _OBEYED.sub(REPLACEMENT, text.replace("\r\n", "\n"))

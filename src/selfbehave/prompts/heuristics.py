"""Self-Instruct's rules for dropping instructions (Wang et al., arXiv 2212.10560, section 2.2)."""

from __future__ import annotations

import string

__all__ = ["length_fault", "start_fault"]


def length_fault(text: str, fewest_words: int, most_words: int) -> str | None:
    """The reason to drop a text because of its number of words, or None."""
    words = len(text.split())
    if words < fewest_words:
        return "too_short"
    return "too_long" if words > most_words else None


def start_fault(text: str) -> str | None:
    """The reason to drop a text because of its first character, or None."""
    if text[:1] in string.punctuation:
        return "starts_with_punctuation"
    return None if text[0].isascii() else "starts_with_non_ascii"

"""By which form Self-Instruct drops instructions (Wang et al., arXiv 2212.10560, section 2.2)."""

from __future__ import annotations

import string

__all__ = ["length_fault", "start_fault"]


def length_fault(text: str, fewest_words: int, most_words: int) -> str | None:
    """Why a text is dropped for its length in words, if it is."""
    words = len(text.split())
    if words < fewest_words:
        return "too_short"
    return "too_long" if words > most_words else None


def start_fault(text: str) -> str | None:
    """Why a text is dropped for its first character, if it is."""
    if text[:1] in string.punctuation:
        return "starts_with_punctuation"
    return None if text[0].isascii() else "starts_with_non_ascii"

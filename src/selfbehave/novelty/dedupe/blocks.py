"""Texts as blocks of numbers, the form in which they are compared and passed between processes.

A text's *elements* are its tokens made distinct: each occurrence of a token is an element of its
own, identified by the token and its earlier occurrences in the text. So the number of elements
that two texts share is the size of the intersection of their multisets of tokens. Elements are
numbered by the number of texts that have them, the rarest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..rule import tokenize

__all__ = ["ElementOrder", "TextBlock", "TokenizedBlock", "Vocabulary", "arrange", "element_counts"]

BITMAP_BITS = 256
LAST_CHARACTER = 0x10FFFF
_LOW = (1 << 32) - 1


@dataclass(frozen=True)
class TokenizedBlock:
    """Consecutive texts as numbered tokens.

    Attributes:
        first: the number of the block's first text among all texts.
        starts: where each text's tokens begin, and where the last one's end; shape (texts + 1,).
        numbers: the tokens of all texts in order; equal tokens have equal numbers.
    """

    first: int
    starts: NDArray[np.int64]
    numbers: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True)
class TextBlock(TokenizedBlock):
    """Consecutive texts, ready to be compared.

    Attributes:
        elements: each text's elements, the rarest first; `starts` holds for them too.
        bitmaps: each text's elements hashed onto bits, shape (texts, 4).
    """

    elements: NDArray[np.int32]
    bitmaps: NDArray[np.uint64]

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each text."""
        return np.diff(self.starts)

    @cached_property
    def characters(self) -> str | list[int]:
        """`numbers` as characters, which rapidfuzz compares fastest; a list if they do not fit."""
        if self.numbers.max(initial=0) > LAST_CHARACTER:
            return list(map(int, self.numbers))
        return self.numbers.astype("<i4").tobytes().decode("utf-32-le", "surrogatepass")


class Vocabulary:
    """Numbers for tokens, in order of first occurrence."""

    def __init__(self) -> None:
        self._number_of: dict[str, int] = {}

    def tokenize(self, first: int, texts: Sequence[str]) -> TokenizedBlock:
        """Make a block of texts; `first` is the number of its first text among all texts."""
        number_of = self._number_of
        numbers: list[int] = []
        starts = [0]
        for text in texts:
            numbers += [number_of.setdefault(token, len(number_of)) for token in tokenize(text)]
            starts.append(len(numbers))
        return TokenizedBlock(first, np.array(starts, np.int64), np.array(numbers, np.int32))


@dataclass(frozen=True)
class ElementOrder:
    """All elements, ordered by the number of texts that have them.

    Attributes:
        keys: each element's token and number of earlier occurrences as one number, ascending.
        ranks: each element's place in the order, 0 for the rarest.
    """

    keys: NDArray[np.int64]
    ranks: NDArray[np.int32]

    @classmethod
    def of(cls, counts: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> ElementOrder:
        """Make the order from the `element_counts` of all blocks."""
        each = [(np.empty(0, np.int64), np.empty(0, np.int64)), *counts]
        keys, where = np.unique(np.concatenate([keys for keys, _ in each]), return_inverse=True)
        totals = np.bincount(where, np.concatenate([some for _, some in each]), len(keys))
        ranks = np.empty(len(keys), np.int32)
        ranks[np.argsort(totals, kind="stable")] = np.arange(len(keys), dtype=np.int32)
        return cls(keys, ranks)


def element_counts(block: TokenizedBlock) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The keys of a block's elements, ascending, and the number of its texts that have each."""
    keys, counts = np.unique(_element_keys(block), return_counts=True)
    return keys, counts.astype(np.int64)


def arrange(block: TokenizedBlock, order: ElementOrder) -> TextBlock:
    """Make a block ready to be compared with others arranged by the same order."""
    ranks = order.ranks[np.searchsorted(order.keys, _element_keys(block))]
    # Text and element as one number: sorting pairs takes ten times as long.
    both = np.sort((_texts(block) << 32) | ranks.astype(np.int64))
    elements = (both & _LOW).astype(np.int32)
    is_set = np.zeros((len(block), BITMAP_BITS), bool)
    # Remainders, counted from the most common element: each common element gets a bit to itself.
    is_set[_texts(block), (len(order.keys) - 1 - elements) % BITMAP_BITS] = True
    bitmaps = np.packbits(is_set, axis=1).view(np.uint64)
    return TextBlock(block.first, block.starts, block.numbers, elements, bitmaps)


def _texts(block: TokenizedBlock) -> NDArray[np.int64]:
    """The index of each token's text."""
    return np.repeat(np.arange(len(block), dtype=np.int64), np.diff(block.starts))


def _element_keys(block: TokenizedBlock) -> NDArray[np.int64]:
    """Each element's key, text by text: its token, then its number of earlier occurrences."""
    both = np.sort((_texts(block) << 32) | block.numbers.astype(np.int64))
    places = np.arange(len(both), dtype=np.int64)
    is_first = np.append(True, both[1:] != both[:-1])[: len(both)]
    occurrences = places - np.maximum.accumulate(np.where(is_first, places, 0))
    return ((both & _LOW) << 32) | occurrences

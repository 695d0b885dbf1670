"""Find the texts of a pool that may share enough tokens with a candidate, by fast upper bounds.

The filters never miss a text that shares enough tokens; they may let others through.

A common subsequence is no longer than the multiset of tokens that the two texts share. Hashed
bitmaps bound the size of that multiset: a bit set in one text's bitmap only means that this text
has a token without a counterpart in the other. The bitmap filter follows Sandes, Teodoro and Melo,
"Bitmap Filter: Speeding up Exact Set Similarity Joins with Bitwise Operations" (arXiv 1711.07295).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["OverlapIndex", "sharing_enough"]

BLOCK = 8_192  # texts: their narrow bitmaps and the work arrays fit a second-level cache
NARROW_WORDS = 4
NARROW_BITS = 255  # not 256, so that a count of bits fits a byte
WIDE_BITS = 512
LONG = 256  # tokens; the wide bitmap of a longer text is too full to filter by
ROUNDING = 1e-9  # a bound this close to the share passes: the exact rule decides on ties


class OverlapIndex:
    """An index of texts as multisets of tokens that finds those a candidate may be similar to.

    A text is given by its *elements*: distinct whole numbers from 0. Each occurrence of a token is
    an element of its own, numbered by the token and its earlier occurrences in the text. So the
    number of elements that two texts share is the size of the intersection of their multisets.

    Three filters run one after another, each on the texts that the previous one admits: length
    and a bitmap of 255 bits; a bitmap of 512 bits; the exact overlap, for long texts only.

    Args:
        share: a text is admitted if it may share `share * (m + n)` or more elements with the
            candidate, where m and n are their numbers of elements.
    """

    def __init__(self, share: float) -> None:
        self._share = share - ROUNDING
        self._count = 0
        self._blocks = [_Block()]
        self._wide = np.empty((BLOCK, WIDE_BITS // 64), np.uint64)
        self._wide_slack = np.empty(BLOCK, np.int32)
        self._length = np.empty(BLOCK, np.int32)
        self._long: dict[int, NDArray[np.intp]] = {}
        self._elements = 0  # the greatest of a long text, plus one

    def add(self, elements: Sequence[int]) -> None:
        """Add a text; its index is the number of texts added before."""
        if self._count == len(self._length):
            self._wide = _doubled(self._wide)
            self._wide_slack = _doubled(self._wide_slack)
            self._length = _doubled(self._length)
        array = np.array(elements, np.intp)
        narrow, narrow_slack = _bitmap(array, NARROW_BITS)
        wide, wide_slack = _bitmap(array, WIDE_BITS)
        if self._blocks[-1].is_full:
            self._blocks[-1].sort()
            self._blocks.append(_Block())
        least = int(self._share * len(array)) - narrow_slack
        self._blocks[-1].append(self._count, len(array), narrow, least)
        self._wide[self._count] = wide
        self._wide_slack[self._count] = wide_slack
        self._length[self._count] = len(array)
        if len(array) > LONG:
            self._long[self._count] = array
            self._elements = max(self._elements, int(array.max()) + 1)
        self._count += 1

    def admitted(self, elements: Sequence[int]) -> NDArray[np.intp]:
        """The indices, ascending, of all texts that are similar enough, and of a few others."""
        array = np.array(elements, np.intp)
        narrow, _ = _bitmap(array, NARROW_BITS)
        shortest = len(array) * self._share / (1 - self._share)
        longest = len(array) * (1 - self._share) / self._share
        least = min(255, int(self._share * len(array)))
        # Scanning a small pool takes less time than loading numba.
        find = _fastest_sharing_enough() if len(self._blocks) > 1 else sharing_enough
        indices = np.concatenate(
            [
                block.admitted(narrow, least, math.floor(shortest), math.ceil(longest), find)
                for block in self._blocks
            ]
        )
        if not len(indices):
            return indices
        indices = np.sort(self._confirmed_by_wide(indices, array))
        return indices if longest <= LONG else self._confirmed_by_count(indices, array)

    def _confirmed_by_wide(
        self, indices: NDArray[np.intp], array: NDArray[np.intp]
    ) -> NDArray[np.intp]:
        wide, slack = _bitmap(array, WIDE_BITS)
        shared = np.bitwise_count(self._wide.take(indices, axis=0) & wide)
        # Three times as fast as summing each row.
        bound: NDArray[np.int32] = np.einsum("ij->i", shared, dtype=np.int32)
        bound += np.minimum(self._wide_slack[indices], slack)
        lengths = self._length[indices]
        bound = np.minimum(bound, np.minimum(lengths, len(array)))
        return indices[bound >= self._share * (lengths + len(array))]

    def _confirmed_by_count(
        self, indices: NDArray[np.intp], array: NDArray[np.intp]
    ) -> NDArray[np.intp]:
        is_there = np.zeros(max(self._elements, int(array.max()) + 1), bool)
        is_there[array] = True
        return np.array(
            [
                index
                for index in indices.tolist()
                if (other := self._long.get(index)) is None
                or np.count_nonzero(is_there[other]) >= self._share * (len(other) + len(array))
            ],
            np.intp,
        )


class _Block:
    """The narrow bitmaps of up to `BLOCK` texts, sorted by length once it is full."""

    def __init__(self) -> None:
        self._size = 0
        self._narrow = np.empty((NARROW_WORDS, BLOCK), np.uint64)
        self._least = np.empty(BLOCK, np.uint8)
        self._length = np.empty(BLOCK, np.int32)
        self._index = np.empty(BLOCK, np.intp)
        self._is_sorted = False

    @property
    def is_full(self) -> bool:
        return self._size == BLOCK

    def append(self, index: int, length: int, narrow: NDArray[np.uint64], least: int) -> None:
        """Add a text; `least` is what it adds to the number of bits that must be shared."""
        self._narrow[:, self._size] = narrow
        self._least[self._size] = min(255, max(0, least))
        self._length[self._size] = length
        self._index[self._size] = index
        self._size += 1

    def sort(self) -> None:
        order = np.argsort(self._length, kind="stable")
        self._narrow = self._narrow.take(
            order, axis=1
        )  # rows stay contiguous, unlike by [:, order]
        self._least, self._length = self._least[order], self._length[order]
        self._index = self._index[order]
        self._is_sorted = True

    def admitted(
        self,
        narrow: NDArray[np.uint64],
        least: int,
        shortest: int,
        longest: int,
        find: _SharingEnough,
    ) -> NDArray[np.intp]:
        """The indices of the texts that share enough bits with a candidate's bitmap."""
        low, high = 0, self._size
        if self._is_sorted:
            low = bisect_left(self._length, shortest)
            high = bisect_right(self._length, longest)
        return self._index.take(find(self._narrow, narrow, least, self._least, low, high))


def sharing_enough(
    bitmaps: NDArray[np.uint64],
    bitmap: NDArray[np.uint64],
    least: int,
    parts: NDArray[np.uint8],
    low: int,
    high: int,
) -> NDArray[np.intp]:
    """Whether each bitmap shares at least `least` bits, plus its entry of `parts`, with `bitmap`.

    Args:
        bitmaps: one a column, shape (4, n), n at most `BLOCK`.
        bitmap: shape (4,).
        parts: shape (n,).
        low: the first column to check.
        high: the column to stop before.
    """
    count = high - low
    both = np.bitwise_and(bitmaps[:, low:high], bitmap[:, None], out=_words[:, :count])
    shared = np.add.reduce(np.bitwise_count(both, out=_counts[:, :count]), axis=0, dtype=np.uint8)
    # All in bytes: several times as fast as in wider numbers. Negative values become 0, which
    # admits more texts where a part is 0.
    np.maximum(shared, np.uint8(least), out=shared)
    np.subtract(shared, np.uint8(least), out=shared)
    return np.flatnonzero(shared >= parts[low:high]) + low


@cache
def _fastest_sharing_enough() -> _SharingEnough:
    try:
        from .overlap_compiled import sharing_enough as compiled
    except ImportError:
        return sharing_enough
    return compiled  # type: ignore[no-any-return]


_SharingEnough = Callable[
    [NDArray[np.uint64], NDArray[np.uint64], int, NDArray[np.uint8], int, int], NDArray[np.intp]
]

# Work arrays shared by all blocks: allocating them each time costs more than counting the bits.
_words = np.empty((NARROW_WORDS, BLOCK), np.uint64)
_counts = np.empty((NARROW_WORDS, BLOCK), np.uint8)


def _bitmap(elements: NDArray[np.intp], bits: int) -> tuple[NDArray[np.uint64], int]:
    """Elements hashed onto bits, and how many of them hit a bit that was already set."""
    # Remainders rather than a hash: the lowest numbers belong to the most common elements, and so
    # each of these gets a bit to itself.
    is_set = np.zeros(-(-bits // 64) * 64, bool)
    is_set[elements % bits] = True
    return np.packbits(is_set).view(np.uint64), len(elements) - int(np.count_nonzero(is_set))


def _doubled(array: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([array, np.empty_like(array)])

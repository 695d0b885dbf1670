"""Which texts of a shard share enough tokens with candidates: an index of rare tokens, never wrong.

Let two texts of m and n elements share `need` or more, each in one order for all, the rarest first.
Then the first element that both have is among the first m - need + 1 of the one and the first
n - need + 1 of the other: from a later one on, too few are left. So it is enough to look a text's
first elements up in lists of which texts begin with them. As lists of rare elements are short,
most texts are never looked at. This is the prefix filter with the positional filter of Bayardo, Ma
and Srikant, "Scaling Up All Pairs Similarity Search" (WWW 2007) and of Xiao et al., "Efficient
Similarity Joins for Near Duplicate Detection" (WWW 2008), for a share of m + n.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .blocks import Block

__all__ = ["PrefixIndex", "sharing_enough"]

ROUNDING = 1e-9  # a share this close still counts: ties are for the exact rule
LARGE = 8_192  # texts
ENTRIES_AT_ONCE = 1 << 20  # bounds the room that numpy works in, to about 100 MB

_Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


class PrefixIndex:
    """Some texts of a block, asked for those that candidates may be similar to.

    Args:
        block: where the texts are.
        indexed: which of its texts; shape (texts,).
        share: a text is found if it has `share * (m + n)` or more elements in common with a
            candidate, m and n being the numbers of elements of both; 0 < share < 0.5.
    """

    def __init__(self, block: Block, indexed: NDArray[np.bool_], share: float) -> None:
        self.block = block
        self.share = share - ROUNDING
        lengths = block.lengths
        # Texts go by their place in the order of length, so that lists are in that order too.
        texts = np.flatnonzero(indexed & (lengths > 0))
        self.texts = texts[np.argsort(lengths[texts], kind="stable")]
        self.lengths = lengths[self.texts]
        prefixes = prefix_lengths(self.lengths, self.share)
        place = np.repeat(np.arange(len(self.texts)), prefixes)
        position = _counting_up(prefixes)
        element = block.elements[np.repeat(block.starts[self.texts], prefixes) + position]
        # Element and place as one number: distinct, so that the quickest way of sorting will do.
        keys = (element.astype(np.int64) << 32) | place
        order = np.argsort(keys)
        self.keys = keys[order]
        self.places = place[order].astype(np.int32)
        # Beside each entry, so that most are passed over without a look anywhere else.
        self.entry_lengths = self.lengths[self.places].astype(np.int32)
        self.rooms = self.entry_lengths - position[order].astype(np.int32)
        self.bitmaps = block.bitmaps[self.texts]
        self.list_starts = np.append(0, np.cumsum(np.bincount(element)))
        most = int(self.lengths[-1]) if len(self.lengths) else 0
        self.first_of_length = np.searchsorted(self.lengths, np.arange(most + 2))

    def pairs(
        self,
        candidates: Block,
        rows: NDArray[np.intp],
        before: NDArray[np.intp],
        standing: NDArray[np.bool_],
    ) -> _Pairs:
        """Pairs of a candidate and a text that share enough elements, and few others.

        Args:
            candidates: where the candidates are.
            rows: which texts of `candidates`.
            before: of the indexed block, only texts with a lower number than this are found, one
                bound for each row.
            standing: which texts of the indexed block are found at all; shape (texts,).

        Returns:
            For each pair, the text in `candidates` and the text in the indexed block, as numbers
            within their blocks; the first ascending, each pair once.
        """
        longest = int(candidates.lengths[rows].max(initial=0))
        longest += int(self.lengths[-1]) if len(self.lengths) else 0
        need = np.maximum(1, np.ceil(self.share * np.arange(longest + 1))).astype(np.int64)
        # A small index is searched sooner than numba is loaded.
        find = _fastest_sharing_enough() if len(self.texts) >= LARGE else sharing_enough
        return find(self, candidates, rows, before, standing, need)


def prefix_lengths(lengths: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """How many of the first elements of texts must be looked at, for partners of any length."""
    shortest = np.maximum(1, np.floor(lengths * (share / (1 - share))))
    need: NDArray[np.float64] = np.maximum(1, np.ceil(share * (lengths + shortest)))
    return lengths + 1 - need.astype(np.int64)


def sharing_enough(
    index: PrefixIndex,
    candidates: Block,
    rows: NDArray[np.intp],
    before: NDArray[np.intp],
    standing: NDArray[np.bool_],
    need: NDArray[np.int64],
) -> _Pairs:
    """What `PrefixIndex.pairs` tells, by numpy alone.

    Args:
        need: elements that two texts must share, by the sum of their lengths.
    """
    lengths = candidates.lengths[rows]
    prefixes = prefix_lengths(lengths, index.share)
    probe_row = np.repeat(np.arange(len(rows)), prefixes)
    position = _counting_up(prefixes)
    length = lengths[probe_row]
    element = candidates.elements[candidates.starts[rows][probe_row] + position].astype(np.int64)
    shortest = (length * (index.share / (1 - index.share))).astype(np.int64)
    longest = ((length - position) / index.share).astype(np.int64) - length + 1
    last = len(index.first_of_length) - 1
    low = index.first_of_length[np.minimum(shortest, last)]
    high = index.first_of_length[np.clip(longest + 1, 0, last)]
    begin = np.searchsorted(index.keys, (element << 32) | low)
    sizes = np.maximum(0, np.searchsorted(index.keys, (element << 32) | high) - begin)
    shared_bits = np.bitwise_count(candidates.bitmaps[rows]).sum(axis=1, dtype=np.int64)
    slack = lengths - shared_bits
    found: list[_Pairs] = []
    for part in _parts(sizes):
        entry = np.repeat(begin[part], sizes[part]) + _counting_up(sizes[part])
        row = np.repeat(probe_row[part], sizes[part])
        at = np.repeat(position[part], sizes[part])
        needed = need[lengths[row] + index.entry_lengths[entry]]
        has_room = np.minimum(lengths[row] - at, index.rooms[entry]) >= needed
        row, place, needed = row[has_room], index.places[entry[has_room]], needed[has_room]
        both_set = candidates.bitmaps[rows[row]] & index.bitmaps[place]
        bound = np.bitwise_count(both_set).sum(axis=1, dtype=np.int64) + slack[row]
        row, text = row[bound >= needed], index.texts[place[bound >= needed]]
        is_asked_for = standing[text] & (text < before[row])
        found.append((row[is_asked_for], text[is_asked_for]))
    both = np.unique(
        (np.concatenate([row for row, _ in found]) << 32)
        | np.concatenate([text for _, text in found])
    )
    return rows[both >> 32], both & ((1 << 32) - 1)


def _counting_up(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, … for each size, one after another."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)


def _parts(sizes: NDArray[np.int64]) -> Iterator[slice]:
    """Slices of about `ENTRIES_AT_ONCE` in sum; at least one."""
    ends = np.cumsum(sizes)
    begin = 0
    while True:
        reached = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, reached + ENTRIES_AT_ONCE, "right")))
        yield slice(begin, end)
        if end >= len(sizes):
            return
        begin = end


@cache
def _fastest_sharing_enough() -> Callable[..., _Pairs]:
    try:
        from .prefix_index_compiled import sharing_enough as compiled
    except ImportError:
        return sharing_enough
    return compiled

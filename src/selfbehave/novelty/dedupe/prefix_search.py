"""Search a prefix index for the texts that share enough tokens with candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .prefix_index import PrefixIndex, Search, counting_up, prefix_lengths

__all__ = ["sharing_enough", "similar_pairs"]

LARGE = 8_192  # texts
ENTRIES_AT_ONCE = 1 << 20  # bounds the memory of numpy's work arrays to about 100 MB

Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


def similar_pairs(index: PrefixIndex, search: Search) -> Pairs:
    """Pairs of a candidate and a text that share enough elements, and a few other pairs.

    Returns:
        For each pair, the candidate's index in `search.candidates` and the text's index in the
        indexed block. Candidates are ascending, and each pair occurs once.
    """
    longest = int(search.candidates.lengths[search.rows].max(initial=0))
    longest += int(index.lengths[-1]) if len(index.lengths) else 0
    need = np.maximum(1, np.ceil(index.share * np.arange(longest + 1))).astype(np.int64)
    # Searching a small index takes less time than loading numba.
    find = _fastest_sharing_enough() if len(index.texts) >= LARGE else sharing_enough
    return find(index, search, need)


def sharing_enough(index: PrefixIndex, search: Search, need: NDArray[np.int64]) -> Pairs:
    """The result of `similar_pairs`, computed with numpy alone.

    Args:
        need: the number of elements that two texts must share, indexed by the sum of their lengths.
    """
    candidates, rows = search.candidates, search.rows
    lengths = candidates.lengths[rows]
    prefixes = prefix_lengths(lengths, index.share)
    probe_row = np.repeat(np.arange(len(rows)), prefixes)
    position = counting_up(prefixes)
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
    found: list[Pairs] = []
    for part in _parts(sizes):
        entry = np.repeat(begin[part], sizes[part]) + counting_up(sizes[part])
        row = np.repeat(probe_row[part], sizes[part])
        at = np.repeat(position[part], sizes[part])
        needed = need[lengths[row] + index.entry_lengths[entry]]
        has_room = np.minimum(lengths[row] - at, index.rooms[entry]) >= needed
        row, place, needed = row[has_room], index.places[entry[has_room]], needed[has_room]
        both_set = candidates.bitmaps[rows[row]] & index.bitmaps[place]
        bound = np.bitwise_count(both_set).sum(axis=1, dtype=np.int64) + slack[row]
        row, text = row[bound >= needed], index.texts[place[bound >= needed]]
        is_asked_for = search.standing[text] & (text < search.before[row])
        found.append((row[is_asked_for], text[is_asked_for]))
    both = np.unique(
        (np.concatenate([row for row, _ in found]) << 32)
        | np.concatenate([text for _, text in found])
    )
    return rows[both >> 32], both & ((1 << 32) - 1)


def _parts(sizes: NDArray[np.int64]) -> Iterator[slice]:
    """Slices whose sizes sum to about `ENTRIES_AT_ONCE`; at least one slice."""
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
def _fastest_sharing_enough() -> Callable[[PrefixIndex, Search, NDArray[np.int64]], Pairs]:
    try:
        from .prefix_search_compiled import sharing_enough as compiled
    except ImportError:
        return sharing_enough
    return compiled

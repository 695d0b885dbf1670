"""The loop of `prefix_search`, compiled by numba: the extra `fast`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..overlap_compiled import bit_count
from .prefix_index import PrefixIndex, Search, prefix_lengths

__all__ = ["sharing_enough"]


def sharing_enough(
    index: PrefixIndex, search: Search, need: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The pairs of `prefix_search.sharing_enough`, without those that share too few elements."""
    candidates, rows = search.candidates, search.rows
    found_rows, found_texts = _join(
        (index.share, need, prefix_lengths(candidates.lengths[rows], index.share)),
        (rows, candidates.starts, candidates.elements, candidates.bitmaps, search.before),
        (index.list_starts, index.places, index.entry_lengths, index.rooms),
        (index.first_of_length, index.bitmaps, index.texts, search.standing),
        (index.block.starts, index.block.elements),
    )
    order = np.lexsort((found_texts, found_rows))
    return rows[found_rows[order]], found_texts[order]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _join(rule: Any, candidates: Any, lists: Any, places_of: Any, shard: Any) -> Any:
    share, need, prefixes = rule
    rows, starts, elements, bitmaps, before = candidates
    list_starts, places, lengths, rooms = lists
    first_of_length, their_bitmaps, texts, standing = places_of
    their_starts, their_elements = shard
    last_of_lists = len(list_starts) - 2
    last_of_lengths = len(first_of_length) - 1
    met = np.full(len(texts), -1, np.int32)  # the last row whose search reached each text
    found_rows, found_texts = np.empty(1024, np.int64), np.empty(1024, np.int64)
    count = 0
    for row in range(len(rows)):
        start, end = starts[rows[row]], starts[rows[row] + 1]
        length = end - start
        first, second, third, fourth = bitmaps[rows[row]]
        slack = length - np.int64(
            bit_count(first) + bit_count(second) + bit_count(third) + bit_count(fourth)
        )
        shortest = min(last_of_lengths, int(length * (share / (1 - share))))
        low = first_of_length[shortest]
        for position in range(prefixes[row]):
            element = elements[start + position]
            if element > last_of_lists:
                continue
            longest = int((length - position) / share) - length + 2
            high = first_of_length[max(0, min(last_of_lengths, longest))]
            list_start, list_end = list_starts[element], list_starts[element + 1]
            begin = list_start + np.searchsorted(places[list_start:list_end], low)
            for entry in range(begin, list_end):
                place = places[entry]
                if place >= high:
                    break
                needed = need[length + lengths[entry]]
                if min(length - position, rooms[entry]) < needed or met[place] == row:
                    continue
                # The first element that matches is the first shared one: all shared elements are
                # at or after it.
                met[place] = row
                theirs = their_bitmaps[place]
                shared = np.int64(
                    bit_count(first & theirs[0])
                    + bit_count(second & theirs[1])
                    + bit_count(third & theirs[2])
                    + bit_count(fourth & theirs[3])
                )
                if shared + slack < needed:
                    continue
                text = texts[place]
                their_end = their_starts[text + 1]
                if (
                    standing[text]
                    and text < before[row]
                    and _share(
                        elements[start + position : end],
                        their_elements[their_end - rooms[entry] : their_end],
                        needed,
                    )
                ):
                    if count == len(found_rows):
                        found_rows = np.append(found_rows, np.empty(count, np.int64))
                        found_texts = np.append(found_texts, np.empty(count, np.int64))
                    found_rows[count], found_texts[count] = row, text
                    count += 1
    return found_rows[:count], found_texts[:count]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _share(ours: NDArray[np.int32], theirs: NDArray[np.int32], needed: int) -> bool:
    """Whether two ascending lists have at least `needed` numbers in common."""
    at, their_at = 0, 0
    while needed > 0:
        if min(len(ours) - at, len(theirs) - their_at) < needed:
            return False
        if ours[at] == theirs[their_at]:
            needed -= 1
            at += 1
            their_at += 1
        elif ours[at] < theirs[their_at]:
            at += 1
        else:
            their_at += 1
    return True

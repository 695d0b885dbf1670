"""An index of the rare tokens of texts, for finding those that share enough tokens with others.

Let two texts of m and n elements share `need` or more, each in one order for all, the rarest first.
Then the first element that both have is among the first m - need + 1 of the one and the first
n - need + 1 of the other: from a later one on, too few are left. So it is enough to look a text's
first elements up in lists of which texts begin with them. As lists of rare elements are short,
most texts are never looked at. This is the prefix filter with the positional filter of Bayardo, Ma
and Srikant, "Scaling Up All Pairs Similarity Search" (WWW 2007) and of Xiao et al., "Efficient
Similarity Joins for Near Duplicate Detection" (WWW 2008), for a share of m + n.

`prefix_search` looks texts up in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .blocks import Block

__all__ = ["PrefixIndex", "Search", "counting_up", "prefix_lengths"]

ROUNDING = 1e-9  # a share this close still counts: ties are for the exact rule


@dataclass(frozen=True)
class Search:
    """What is looked up in an index.

    Attributes:
        candidates: where the candidates are.
        rows: which texts of `candidates`.
        before: of the indexed block, only texts with a lower number than this are found, one bound
            for each row.
        standing: which texts of the indexed block are found at all; shape (texts,).
    """

    candidates: Block
    rows: NDArray[np.intp]
    before: NDArray[np.intp]
    standing: NDArray[np.bool_]


class PrefixIndex:
    """Some texts of a block, looked up by those that candidates may be similar to.

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
        position = counting_up(prefixes)
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


def prefix_lengths(lengths: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """How many of the first elements of texts must be looked at, for partners of any length."""
    shortest = np.maximum(1, np.floor(lengths * (share / (1 - share))))
    need: NDArray[np.float64] = np.maximum(1, np.ceil(share * (lengths + shortest)))
    return lengths + 1 - need.astype(np.int64)


def counting_up(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, … for each size, one after another."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)

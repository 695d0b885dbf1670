"""An index of the rare tokens of texts, to find texts that share enough tokens with a candidate.

Sort the elements of all texts in the same order, the rarest first. If two texts of m and n elements
share `need` or more elements, the first shared one is among the first m - need + 1 elements of one
text and the first n - need + 1 of the other: after these, too few elements are left. So it is
enough to look up a text's first elements in lists of the texts that begin with them. The lists of
rare elements are short, so most texts are never compared. This is the prefix filter of Bayardo, Ma
and Srikant, "Scaling Up All Pairs Similarity Search" (WWW 2007), with the positional filter of
Xiao et al., "Efficient Similarity Joins for Near Duplicate Detection" (WWW 2008), applied to a
share of m + n.

`prefix_search` searches the index.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .blocks import TextBlock

__all__ = ["PrefixIndex", "Search", "counting_up", "prefix_lengths"]

ROUNDING = 1e-9  # a share this close passes: the exact rule decides on ties


@dataclass(frozen=True)
class Search:
    """A search in an index.

    Attributes:
        candidates: the block that contains the candidates.
        rows: the indices of the candidates in that block.
        before: for each row, an upper bound: only texts of the indexed block with a lower index
            are found.
        standing: which texts of the indexed block may be found; shape (texts,).
    """

    candidates: TextBlock
    rows: NDArray[np.intp]
    before: NDArray[np.intp]
    standing: NDArray[np.bool_]


class PrefixIndex:
    """An index of some texts of a block.

    Args:
        block: the block that contains the texts.
        indexed: which of its texts to index; shape (texts,).
        share: a text is found if it shares `share * (m + n)` or more elements with a candidate,
            where m and n are their numbers of elements; 0 < share < 0.5.
    """

    def __init__(self, block: TextBlock, indexed: NDArray[np.bool_], share: float) -> None:
        self.block = block
        self.share = share - ROUNDING
        lengths = block.lengths
        # Texts are numbered in the order of length, so that each list is in that order too.
        texts = np.flatnonzero(indexed & (lengths > 0))
        self.texts = texts[np.argsort(lengths[texts], kind="stable")]
        self.lengths = lengths[self.texts]
        prefixes = prefix_lengths(self.lengths, self.share)
        place = np.repeat(np.arange(len(self.texts)), prefixes)
        position = counting_up(prefixes)
        element = block.elements[np.repeat(block.starts[self.texts], prefixes) + position]
        # Element and place as one number: numbers are distinct, so the sort need not be stable.
        keys = (element.astype(np.int64) << 32) | place
        order = np.argsort(keys)
        self.keys = keys[order]
        self.places = place[order].astype(np.int32)
        # Stored with each entry, so that most entries are skipped without other memory accesses.
        self.entry_lengths = self.lengths[self.places].astype(np.int32)
        self.rooms = self.entry_lengths - position[order].astype(np.int32)
        self.bitmaps = block.bitmaps[self.texts]
        self.list_starts = np.append(0, np.cumsum(np.bincount(element)))
        most = int(self.lengths[-1]) if len(self.lengths) else 0
        self.first_of_length = np.searchsorted(self.lengths, np.arange(most + 2))


def prefix_lengths(lengths: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """How many of each text's first elements must be looked up, for partners of any length."""
    shortest = np.maximum(1, np.floor(lengths * (share / (1 - share))))
    need: NDArray[np.float64] = np.maximum(1, np.ceil(share * (lengths + shortest)))
    return lengths + 1 - need.astype(np.int64)


def counting_up(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers 0, 1, …, size - 1 for each size, concatenated."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)

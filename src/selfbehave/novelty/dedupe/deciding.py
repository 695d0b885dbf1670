"""The novelty rule over blocks of texts: compare blocks with earlier ones, and decide in order.

A text is kept if its ROUGE-L F1 to every text kept before it is at most a threshold. The decisions
and the nearest texts do not depend on how texts are split into blocks: they equal those of one
`novelty.Pool` to which the texts are submitted one by one with `Pool.admit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from ..rule import f1_of
from .blocks import TextBlock
from .prefix_index import PrefixIndex, Search
from .prefix_search import similar_pairs

__all__ = ["NONE", "Nearest", "decide", "nearest", "nearest_of"]

NONE = -1
SLICE = 512  # texts decided in one step: bounds the number of pairs held in memory


@dataclass(frozen=True)
class Nearest:
    """For each text of a block, the most similar kept text with a score above the threshold.

    Attributes:
        texts: the number of that text among all texts, the lowest of equal scores; `NONE` if no
            text is too similar.
        scores: the ROUGE-L F1 of the two texts; 0 for `NONE`.
    """

    texts: NDArray[np.int64]
    scores: NDArray[np.float64]

    @classmethod
    def none(cls, count: int) -> Nearest:
        """Nothing found yet for `count` texts."""
        return cls(np.full(count, NONE, np.int64), np.zeros(count))

    @property
    def is_novel(self) -> NDArray[np.bool_]:
        """Which texts have no text that is too similar."""
        return np.equal(self.texts, NONE)


def nearest(
    candidates: TextBlock, shard: TextBlock, kept: NDArray[np.bool_], threshold: float
) -> Nearest:
    """Find, for each candidate, the nearest kept text of an earlier block.

    Args:
        kept: which texts of the shard were kept; shape (texts,).
        threshold: of ROUGE-L F1, above 0 and below 1.
    """
    index = PrefixIndex(shard, kept, threshold / 2)
    found = Nearest.none(len(candidates))
    for rows in _slices(len(candidates)):
        before = np.full(len(rows), len(shard))
        pairs = _too_similar(index, candidates, rows, before, kept, threshold)
        for row, text, score in zip(*pairs, strict=True):
            if score > found.scores[row]:
                found.texts[row], found.scores[row] = shard.first + text, score
    return found


def nearest_of(shards: Sequence[Nearest]) -> Nearest:
    """Merge the results of several shards, given in any order."""
    texts, scores = shards[0].texts, shards[0].scores
    for other in shards[1:]:
        is_nearer = (other.scores > scores) | ((other.scores == scores) & (other.texts < texts))
        texts = np.where(is_nearer, other.texts, texts)
        scores = np.where(is_nearer, other.scores, scores)
    return Nearest(texts, scores)


def decide(block: TextBlock, found: Nearest, threshold: float) -> Nearest:
    """Decide on the texts of a block in their order.

    Args:
        found: for each text, the nearest text kept in all earlier blocks.
        threshold: of ROUGE-L F1, above 0 and below 1.

    Returns:
        For each text, the nearest text kept before it. Novel texts are kept.
    """
    texts, scores = found.texts.copy(), found.scores.copy()
    kept = found.is_novel
    index = PrefixIndex(block, kept, threshold / 2)
    for rows in _slices(len(block)):
        pairs = _too_similar(index, block, rows, rows, kept, threshold)
        # Pairs come in the order of candidates, so `kept[other]` is final when it is read here.
        for row, other, score in zip(*pairs, strict=True):
            if kept[other] and score > scores[row]:
                texts[row], scores[row] = block.first + other, score
                kept[row] = False
    return Nearest(texts, scores)


def _too_similar(
    index: PrefixIndex,
    candidates: TextBlock,
    rows: NDArray[np.intp],
    before: NDArray[np.intp],
    standing: NDArray[np.bool_],
    threshold: float,
) -> tuple[list[int], list[int], list[float]]:
    """Pairs above the threshold in the order of candidates: candidate, other text, F1."""
    found, others = similar_pairs(index, Search(candidates, rows, before, standing))
    common = process.cpdist(
        _characters(candidates, found),
        _characters(index.block, others),
        scorer=LCSseq.similarity,
        dtype=np.uint32,
    )
    lengths, other_lengths = candidates.lengths[found], index.block.lengths[others]
    scores = f1_of(common, other_lengths.astype(np.float64), lengths.astype(np.float64))
    above = scores > threshold
    return found[above].tolist(), others[above].tolist(), scores[above].tolist()


def _characters(block: TextBlock, texts: NDArray[np.intp]) -> list[str | list[int]]:
    ends = zip(block.starts[texts].tolist(), block.starts[texts + 1].tolist(), strict=True)
    return [block.characters[start:end] for start, end in ends]


def _slices(count: int) -> list[NDArray[np.intp]]:
    return [np.arange(start, min(count, start + SLICE)) for start in range(0, count, SLICE)]

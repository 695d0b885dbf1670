"""The novelty rule over blocks of texts: what each is too similar to, shard by shard and in order.

A text is kept if its ROUGE-L F1 to every text kept before it is at most a threshold. Whatever the
blocks, decisions and the nearest texts told are those of one `novelty.Pool` that is asked for each
text in order, and given each that is novel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from ..rule import f1_of
from .blocks import Block
from .prefix_index import PrefixIndex, Search
from .prefix_search import similar_pairs

__all__ = ["NONE", "Nearest", "decide", "nearest", "nearest_of"]

NONE = -1
SLICE = 512  # texts decided at once: bounds the pairs among them


@dataclass(frozen=True)
class Nearest:
    """For each text of a block, the most similar of some kept texts that is too similar to it.

    Attributes:
        texts: its number among all texts, the first of equals; `NONE` if none is too similar.
        scores: their ROUGE-L F1; 0 where there is none.
    """

    texts: NDArray[np.int64]
    scores: NDArray[np.float64]

    @classmethod
    def none(cls, count: int) -> Nearest:
        """None yet, of so many texts."""
        return cls(np.full(count, NONE, np.int64), np.zeros(count))

    @property
    def is_novel(self) -> NDArray[np.bool_]:
        """Which texts are too similar to none."""
        return np.equal(self.texts, NONE)


def nearest(candidates: Block, shard: Block, kept: NDArray[np.bool_], threshold: float) -> Nearest:
    """What candidates are too similar to among the kept texts of an earlier block.

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
    """The nearest of what was found in several shards, which may come in any order."""
    texts, scores = shards[0].texts, shards[0].scores
    for other in shards[1:]:
        is_nearer = (other.scores > scores) | ((other.scores == scores) & (other.texts < texts))
        texts = np.where(is_nearer, other.texts, texts)
        scores = np.where(is_nearer, other.scores, scores)
    return Nearest(texts, scores)


def decide(block: Block, found: Nearest, threshold: float) -> Nearest:
    """Decide on the texts of a block in their order.

    Args:
        found: what they are too similar to among all texts kept in earlier blocks.
        threshold: of ROUGE-L F1, above 0 and below 1.

    Returns:
        What they are too similar to among all texts kept before them; what is novel is kept.
    """
    texts, scores = found.texts.copy(), found.scores.copy()
    kept = found.is_novel
    index = PrefixIndex(block, kept, threshold / 2)
    for rows in _slices(len(block)):
        pairs = _too_similar(index, block, rows, rows, kept, threshold)
        # By candidate, each after those before it: a text's fate is known when it is met as other.
        for row, other, score in zip(*pairs, strict=True):
            if kept[other] and score > scores[row]:
                texts[row], scores[row] = block.first + other, score
                kept[row] = False
    return Nearest(texts, scores)


def _too_similar(
    index: PrefixIndex,
    candidates: Block,
    rows: NDArray[np.intp],
    before: NDArray[np.intp],
    standing: NDArray[np.bool_],
    threshold: float,
) -> tuple[list[int], list[int], list[float]]:
    """Pairs above the threshold, candidate by candidate: both texts within their blocks, F1."""
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


def _characters(block: Block, texts: NDArray[np.intp]) -> list[str | list[int]]:
    ends = zip(block.starts[texts].tolist(), block.starts[texts + 1].tolist(), strict=True)
    return [block.characters[start:end] for start, end in ends]


def _slices(count: int) -> list[NDArray[np.intp]]:
    return [np.arange(start, min(count, start + SLICE)) for start in range(0, count, SLICE)]

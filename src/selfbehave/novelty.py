"""The novelty rule: a candidate is novel when its ROUGE-L F1 to every text of the pool is at most
a threshold (Wang et al., arXiv 2212.10560, section 2.2, which takes 0.7).

ROUGE-L is that of Lin (2004) as the `rouge_score` package computes it with `use_stemmer=False`:
lower-cased runs of ASCII letters and digits, F1 over the longest common subsequence.
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

__all__ = ["THRESHOLD", "Novelty", "Pool", "rouge_l", "tokenize"]

THRESHOLD = 0.7
MOST_SIMILAR = 10

_NOT_A_TOKEN = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Novelty:
    """How one candidate compares with the whole pool.

    Attributes:
        highest: the highest ROUGE-L F1 to any text of the pool (0 for an empty pool).
        most_similar: the ten most similar texts and their F1, highest first; ties in pool order.
        average: the mean F1 to the pool.
    """

    highest: float
    most_similar: dict[str, float]
    average: float

    @property
    def is_novel(self) -> bool:
        return self.highest <= THRESHOLD


class Pool:
    """The texts that candidates are compared with: seed tasks and accepted instructions."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts: list[str] = []
        self._encoded: list[str] = []
        self._code_of: dict[str, str] = {}
        for text in texts:
            self.add(text)

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: str) -> None:
        self._texts.append(text)
        self._encoded.append(self._encode(text))

    def compare(self, candidate: str) -> Novelty:
        """Compare a candidate with every text of the pool."""
        encoded = self._encode(candidate)
        scores = [_f1(encoded, other) for other in self._encoded]
        if not scores:
            return Novelty(0.0, {}, 0.0)
        top = heapq.nsmallest(
            MOST_SIMILAR, range(len(scores)), key=lambda index: (-scores[index], index)
        )
        return Novelty(
            highest=scores[top[0]],
            most_similar={self._texts[index]: scores[index] for index in top},
            average=math.fsum(scores) / len(scores),
        )

    def _encode(self, text: str) -> str:
        # One character a distinct token: the subsequence code is several times faster on
        # strings than on lists. Unicode has room for 1,114,112 distinct tokens.
        code_of = self._code_of
        return "".join(code_of.setdefault(token, chr(len(code_of))) for token in tokenize(text))


def tokenize(text: str) -> list[str]:
    """Split a text into the tokens that ROUGE counts."""
    return _NOT_A_TOKEN.sub(" ", text.lower()).split()


def rouge_l(target: str, prediction: str) -> float:
    """ROUGE-L F1 of two texts, equal to the last bit to `rouge_score`'s without stemming."""
    pool = Pool([target])
    return pool.compare(prediction).highest


def _f1(first: str, second: str) -> float:
    if not first or not second:
        return 0.0
    common = LCSseq.similarity(first, second)
    precision = common / len(first)
    recall = common / len(second)
    if precision + recall > 0:
        return 2 * precision * recall / (precision + recall)
    return 0.0

"""The novelty rule: a candidate is novel when its ROUGE-L F1 to every text of the pool is at most
a threshold (Wang et al., arXiv 2212.10560, section 2.2, which uses 0.7).

ROUGE-L (Lin 2004) is computed as the `rouge_score` package does with `use_stemmer=False`: F1 over
the longest common subsequence of lower-cased runs of ASCII letters and digits. Scores equal those
of `rouge_score` to the last bit, and so do decisions.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from .overlap import OverlapIndex

__all__ = [
    "MAX_COMPARED_CHARACTERS",
    "THRESHOLD",
    "Neighbour",
    "Novelty",
    "Pool",
    "f1_of",
    "rouge_l",
    "tokenize",
]

THRESHOLD = 0.7
MOST_SIMILAR = 10
MAX_COMPARED_CHARACTERS = 50_000  # of each text, where the data may come from anyone

_PAIRS_AT_ONCE = 1 << 22  # 16 MB of lengths
_PAIRS_FOR_THREADS = 1 << 16  # fewer pairs take less time than starting threads
_LAST_CHARACTER = 0x10FFFF
_TOKEN_BYTES = (string.ascii_lowercase + string.digits).encode("ascii")
_TO_SPACES = bytes(byte if byte in _TOKEN_BYTES else ord(" ") for byte in range(256))


@dataclass(frozen=True)
class Neighbour:
    """A text of the pool that a candidate is too similar to.

    Attributes:
        text: the text.
        score: its ROUGE-L F1 to the candidate, above the threshold.
    """

    text: str
    score: float


@dataclass(frozen=True)
class Novelty:
    """How one candidate compares with the whole pool.

    Attributes:
        highest: the highest ROUGE-L F1 to any text of the pool (0 for an empty pool).
        most_similar: the ten most similar texts and their F1, highest first; ties in pool order.
        average: the mean F1 to the pool, summed as `numpy.mean` does.
    """

    highest: float
    most_similar: dict[str, float]
    average: float


class Pool:
    """The texts that candidates are compared with: seed tasks and accepted instructions.

    `admit` and `nearest_too_similar` only decide, so they compare a candidate with the few texts
    that share enough tokens. `compare` and `comparisons` compare with all texts, for the scores in
    the output files; they take tens of times as long.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts: list[str] = []
        self._encoded: list[_Encoded] = []
        self._lengths = np.empty(1024, np.float64)
        self._number_of: dict[bytes | tuple[int, int], int] = {}
        # F1 = 2 L / (m + n): at the threshold, L is THRESHOLD / 2 of the tokens of both texts.
        self._index = OverlapIndex(THRESHOLD / 2)
        for text in texts:
            self.add(text)

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: str) -> None:
        """Add a text, novel or not."""
        numbers = self._numbers(text)
        self._add(text, numbers, self._elements(numbers))

    def admit(self, candidate: str, kin: Collection[str] = ()) -> Neighbour | None:
        """Add a candidate if it is novel; else return the text it is too similar to.

        Args:
            kin: texts of the pool that it may be like, if its tokens are not the same.
        """
        numbers = self._numbers(candidate)
        elements = self._elements(numbers)
        nearest = self._nearest_too_similar(numbers, elements, kin)
        if nearest is None:
            self._add(candidate, numbers, elements)
        return nearest

    def _add(self, text: str, numbers: list[int], elements: list[int]) -> None:
        if len(self) == len(self._lengths):
            self._lengths = np.concatenate([self._lengths, np.empty(len(self))])
        self._lengths[len(self)] = len(numbers)
        self._texts.append(text)
        self._encoded.append(_encode(numbers))
        self._index.add(elements)

    def nearest_too_similar(self, candidate: str, kin: Collection[str] = ()) -> Neighbour | None:
        """The most similar text with a score above the threshold; None for a novel candidate.

        Of several texts with the same score, the first one in the pool.

        Args:
            kin: texts of the pool that it may be like, if its tokens are not the same.
        """
        numbers = self._numbers(candidate)
        return self._nearest_too_similar(numbers, self._elements(numbers), kin)

    def _nearest_too_similar(
        self, numbers: list[int], elements: list[int], kin: Collection[str] = ()
    ) -> Neighbour | None:
        if not numbers:
            return None
        admitted = self._index.admitted(elements)
        if not len(admitted):
            return None
        others = [self._encoded[at] for at in admitted]
        (common,) = _longest_common([_encode(numbers)], others)
        scores = f1_of(common, self._lengths[admitted], len(numbers))
        if kin:
            is_kin = np.array([self._texts[at] in kin for at in admitted])
            scores[is_kin & (scores < 1)] = 0
        best = int(scores.argmax())
        if scores[best] <= THRESHOLD:
            return None
        return Neighbour(self._texts[admitted[best]], float(scores[best]))

    def compare(self, candidate: str) -> Novelty:
        """Compare a candidate with every text of the pool."""
        numbers = self._numbers(candidate)
        (common,) = _longest_common([_encode(numbers)], self._encoded)
        return self._novelty(common, len(numbers))

    def comparisons(self, first: int) -> Iterator[Novelty]:
        """Compare each text of the pool, from index `first`, with those added before it.

        Compares many texts at a time, on all cores: several times as fast as calls of `compare`.
        """
        while first < len(self):
            last = min(len(self), first + max(1, _PAIRS_AT_ONCE // len(self)))
            block = self._encoded[first:last]
            for at, common in enumerate(_longest_common(block, self._encoded[:last]), start=first):
                yield self._novelty(common[:at], int(self._lengths[at]))
            first = last

    def _novelty(self, common: NDArray[np.uint32], length: int) -> Novelty:
        """The novelty of a text with `length` tokens.

        Args:
            common: the length of its longest common subsequence with each text of the pool.
        """
        if not len(common):
            return Novelty(0.0, {}, 0.0)
        scores = f1_of(common, self._lengths[: len(common)], length)
        top = _highest(scores, MOST_SIMILAR)
        return Novelty(
            highest=float(scores[top[0]]),
            most_similar={self._texts[index]: float(scores[index]) for index in top},
            average=float(scores.mean()),
        )

    def _numbers(self, text: str) -> list[int]:
        """A text's tokens as numbers; equal tokens get equal numbers."""
        number_of = self._number_of
        return [number_of.setdefault(token, len(number_of)) for token in _tokens(text)]

    def _elements(self, numbers: Sequence[int]) -> list[int]:
        """A text's elements: its tokens, each repeated one made distinct (see `OverlapIndex`)."""
        elements = list(dict.fromkeys(numbers))
        if len(elements) < len(numbers):
            seen = dict.fromkeys(elements, 0)
            for number in numbers:
                seen[number] += 1
            number_of = self._number_of
            elements += [
                number_of.setdefault((number, occurrence), len(number_of))
                for number, occurrences in seen.items()
                for occurrence in range(1, occurrences)
            ]
        return elements


def tokenize(text: str) -> list[str]:
    """Split a text into ROUGE tokens."""
    return [token.decode("ascii") for token in _tokens(text)]


def rouge_l(target: str, prediction: str) -> float:
    """ROUGE-L F1 of two texts, equal to the last bit to that of `rouge_score` without stemming."""
    return Pool([target]).compare(prediction).highest


def f1_of(
    common: NDArray[np.uint32], lengths: NDArray[np.float64], others: NDArray[np.float64] | int
) -> NDArray[np.float64]:
    """F1 of pairs of texts, in the order of operations of `rouge_score`.

    Args:
        common: the length of each pair's longest common subsequence.
        lengths: the number of tokens of one text of each pair.
        others: the number of tokens of the other text; one number if it is the same for all pairs.
    """
    scores = np.zeros(len(common))
    some = common > 0
    precision = common[some] / lengths[some]
    recall = common[some] / np.broadcast_to(others, len(common))[some]
    scores[some] = 2 * precision * recall / (precision + recall)
    return scores


_Encoded = str | list[int]


def _tokens(text: str) -> list[bytes]:
    # On bytes: four times as fast as a regular expression on text.
    return text.lower().encode("ascii", "replace").translate(_TO_SPACES).split()


def _encode(numbers: Sequence[int]) -> _Encoded:
    # One character for each distinct token: rapidfuzz compares strings several times as fast as
    # lists. It compares a list with a string correctly too, for numbers beyond the last character.
    if max(numbers, default=0) <= _LAST_CHARACTER:
        return "".join(map(chr, numbers))
    return list(numbers)


def _longest_common(some: Sequence[_Encoded], others: Sequence[_Encoded]) -> NDArray[np.uint32]:
    """Lengths of the longest common subsequences, shape (some, others)."""
    workers = 1 if len(some) * len(others) < _PAIRS_FOR_THREADS else -1
    return process.cdist(some, others, scorer=LCSseq.similarity, dtype=np.uint32, workers=workers)


def _highest(scores: NDArray[np.float64], count: int) -> list[int]:
    """Indices of the highest scores, highest first, ties by index."""
    if len(scores) > count:
        least = np.partition(scores, -count)[-count]
        indices = np.flatnonzero(scores >= least)
    else:
        indices = np.arange(len(scores))
    order = np.argsort(-scores[indices], kind="stable")[:count]
    return [int(index) for index in indices[order]]

"""Likeness in meaning: the cosine of two texts' vectors, the means of their words' vectors.

ROUGE-L finds the same words in the same order. Words of like meaning have like vectors, so the
cosine also finds the same subject in other words. The search compares with every text of the pool;
no index leaves one out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.word_vectors import Vectors, of_length_1, word_vectors

__all__ = ["LIKE", "MeaningPool", "NearestMeaning"]

LIKE = 0.7
"""Above this cosine two scenarios are told as alike: no two unrelated ones of ours reach it."""

_DECIMALS = 4  # of a cosine: the last bits depend on the machine and on what is computed together
_PAIRS_AT_ONCE = 1 << 22  # 16 MB of cosines


@dataclass(frozen=True)
class NearestMeaning:
    """The text of a pool that is nearest to another in meaning; of several, the first one.

    Attributes:
        cosine: from -1 to 1, to four decimals.
    """

    text: str
    cosine: float


class MeaningPool:
    """Texts with their vectors, in the order in which they were added.

    Args:
        vectors_of: the vectors of texts, one row each; they need not be of length 1.
    """

    def __init__(
        self,
        texts: Sequence[str] = (),
        vectors_of: Callable[[Sequence[str]], Vectors] = word_vectors,
    ) -> None:
        self._vectors_of = vectors_of
        self._texts = list(texts)
        self._vectors = of_length_1(vectors_of(self._texts))

    def __len__(self) -> int:
        return len(self._texts)

    def nearest_above(
        self, limit: float, candidate: str, kin: Collection[str] = ()
    ) -> NearestMeaning | None:
        """The nearest text if its cosine is above a limit; else None.

        Args:
            kin: texts of the pool that the candidate may be like.
        """
        vector = of_length_1(self._vectors_of([candidate]))[0]
        cosines = (self._vectors[: len(self)] @ vector).round(_DECIMALS)
        if kin:
            cosines[[text in kin for text in self._texts]] = -1
        if not len(cosines) or cosines.max() <= limit:
            return None
        return self._nearest(cosines)

    def add(self, text: str) -> None:
        """Add a text, alike or not."""
        vector = of_length_1(self._vectors_of([text]))
        if len(self) == len(self._vectors):
            grown = np.empty((2 * len(self) + 1, vector.shape[1]), np.float32)
            grown[: len(self)] = self._vectors
            self._vectors = grown
        self._vectors[len(self)] = vector[0]
        self._texts.append(text)

    def each_nearest(self, first: int) -> Iterator[NearestMeaning | None]:
        """For each text from index `first`, the nearest one before it; None if none is before it.

        Compares many texts at a time: several times as fast as one after the other.
        """
        while first < len(self):
            last = min(len(self), first + max(1, _PAIRS_AT_ONCE // len(self)))
            block = (self._vectors[first:last] @ self._vectors[:last].T).round(_DECIMALS)
            for at, cosines in enumerate(block, start=first):
                yield self._nearest(cosines[:at]) if at else None
            first = last

    def _nearest(self, cosines: Vectors) -> NearestMeaning:
        best = int(cosines.argmax())
        return NearestMeaning(self._texts[best], round(float(cosines[best]), _DECIMALS))

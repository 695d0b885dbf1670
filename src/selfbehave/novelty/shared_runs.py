"""Long runs of words that a text shares with one of many others.

Published decontamination calls a text contaminated if it shares a run of 13 words with test data
(Brown et al., "Language Models are Few-Shot Learners", arXiv 2005.14165, appendix C). Words are the
tokens of the novelty rule: lower-cased runs of ASCII letters and digits.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .rule import tokenize

__all__ = ["RUN_WORDS", "SharedRuns"]

RUN_WORDS = 13

_Numbers = NDArray[np.uint64]
_FACTOR = 0x9E3779B97F4A7C15  # odd, so that a product modulo 2**64 loses nothing


class SharedRuns:
    """The runs of words in some texts.

    Args:
        texts: the texts that others are compared with.
        words: the length of a run.
    """

    def __init__(self, texts: Iterable[str], words: int = RUN_WORDS) -> None:
        self._words = words
        self._number_of: dict[str, int] = {}
        self._factors = np.array(
            [pow(_FACTOR, power, 2**64) for power in range(1, words + 1)], np.uint64
        )
        runs: list[_Numbers] = []
        owners: list[NDArray[np.int64]] = []
        for place, text in enumerate(texts):
            number_of = self._number_of
            numbers = [number_of.setdefault(token, len(number_of) + 1) for token in tokenize(text)]
            some = self._runs(numbers)
            runs.append(some)
            owners.append(np.full(len(some), place, np.int64))
        every = np.concatenate([np.empty((0, words), np.uint64), *runs])
        hashes = every @ self._factors
        # Stable: of equal runs, the one of the first text comes first.
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._sorted = hashes[order], every[order]
        self._owners = np.concatenate([np.empty(0, np.int64), *owners])[order]

    def text_with_run_of(self, text: str) -> int | None:
        """The place of a text that has one of this text's runs; None if there is none.

        Of several, the first text with the earliest run.
        """
        # No text has a word of number 0.
        found = self._runs([self._number_of.get(token, 0) for token in tokenize(text)])
        hashes = found @ self._factors
        first = np.searchsorted(self._hashes, hashes, side="left")
        last = np.searchsorted(self._hashes, hashes, side="right")
        for at in np.flatnonzero(first < last):
            # Different runs may have the same hash.
            is_same = (self._sorted[first[at] : last[at]] == found[at]).all(axis=1)
            if is_same.any():
                return int(self._owners[first[at] + int(is_same.argmax())])
        return None

    def _runs(self, numbers: list[int]) -> _Numbers:
        """The runs of a text, shape (runs, words)."""
        if len(numbers) < self._words:
            return np.empty((0, self._words), np.uint64)
        return np.lib.stride_tricks.sliding_window_view(np.array(numbers, np.uint64), self._words)

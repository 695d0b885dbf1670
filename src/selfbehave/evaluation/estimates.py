"""rung@k of a benchmark, with intervals.

The estimator is that of pass@k by Chen et al. (arXiv 2107.03374, section 2.1): of n answers to a
scenario, c are good; the chance that at least one of k answers drawn without replacement is good is
1 - C(n - c, k) / C(n, k). It is unbiased, unlike 1 - (1 - c/n)**k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..stats.estimates import CONFIDENCE, Estimate

__all__ = ["at_k", "mean_at_k"]

_RESAMPLES = 10_000
_DRAWN_AT_ONCE = 1_000_000  # scenarios; 8 MB


def at_k(n: int, good: int, k: int) -> float:
    """The chance that at least one of k of a scenario's n answers is good.

    Raises:
        ValueError: k is below 1 or above n, or `good` is not from 0 to n.
    """
    if not 1 <= k <= n:
        raise ValueError(f"k must be from 1 to the number of answers, {n}, not {k}")
    if not 0 <= good <= n:
        raise ValueError(f"there cannot be {good} good answers of {n}")
    return 1.0 - math.comb(n - good, k) / math.comb(n, k)


def mean_at_k(answers: Sequence[tuple[int, int]], k: int, seed: int = 42) -> Estimate:
    """The mean of `at_k` over scenarios, with a percentile bootstrap interval.

    Whole scenarios are resampled, because the answers to one scenario are alike. A single scenario
    says nothing of others, so its mean has no interval.

    Args:
        answers: of each scenario, how many answers it has and how many of them are good.
        seed: of the resampling.

    Raises:
        ValueError: there are no scenarios, or `at_k` refuses one.
    """
    if not answers:
        raise ValueError("no scenarios")
    scores = np.array([at_k(n, good, k) for n, good in answers])
    if len(scores) == 1:
        return Estimate(float(scores[0]))
    chance = np.random.default_rng(seed)
    at_once = max(1, _DRAWN_AT_ONCE // len(scores))
    means = np.concatenate(
        [
            scores[chance.integers(len(scores), size=(count, len(scores)))].mean(axis=1)
            for count in _parts(_RESAMPLES, at_once)
        ]
    )
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Estimate(float(scores.mean()), float(low), float(high))


def _parts(whole: int, most: int) -> list[int]:
    """A number as a sum of parts that are no larger than `most`."""
    return [min(most, whole - begun) for begun in range(0, whole, most)]

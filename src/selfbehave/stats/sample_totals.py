"""The total of many items, estimated from the first few, with its interval.

Each item has an effect (how much of the goal it reached) and a size (what it took). The total is
what the items so far took, and for the rest of the goal the ratio of sizes to effects (Cochran,
Sampling Techniques, 1977, chapter 6). The interval is Student's, for the sum of all stages with
Welch's degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .estimates import CONFIDENCE, Estimate, undefined

__all__ = ["SampleTotal", "sample_total", "student_quantile", "sum_of"]

_STEPS = 200  # of Simpson's rule; the result is exact to six digits


@dataclass(frozen=True)
class SampleTotal:
    """An estimated total.

    Attributes:
        value: the estimate.
        variance: of its error; None if there are too few items to tell.
        freedom: degrees of freedom of the variance.
    """

    value: float
    variance: float | None
    freedom: int


def sample_total(sizes: Sequence[float], effects: Sequence[float], goal: float) -> SampleTotal:
    """Estimate the total size of as many items as it takes to reach a goal.

    Args:
        sizes, effects: of the items so far, in the same order; the effects sum to more than 0.
        goal: the sum of effects to reach.
    """
    count, reached, taken = len(sizes), sum(effects), sum(sizes)
    rest = max(0.0, goal - reached)
    ratio = taken / reached
    value = taken + rest * ratio
    if rest == 0:
        return SampleTotal(value, 0.0, max(1, count - 1))
    if count < 2:
        return SampleTotal(value, None, 0)
    errors = [size - ratio * effect for size, effect in zip(sizes, effects, strict=True)]
    spread = sum(error**2 for error in errors) / (count - 1)
    mean_effect = reached / count
    # Of the ratio, and of the items to come themselves.
    of_ratio = rest**2 * spread / count / mean_effect**2
    of_items = rest / mean_effect * spread
    return SampleTotal(value, of_ratio + of_items, count - 1)


def sum_of(totals: Sequence[SampleTotal]) -> Estimate:
    """The sum of independent totals with its 95% interval; it cannot be below zero."""
    if not totals:
        return undefined("nothing was asked")
    value = sum(one.value for one in totals)
    variances = [one.variance for one in totals if one.variance is not None]
    if len(variances) < len(totals):
        return Estimate(value, remark="no interval from a single item")
    variance = sum(variances)
    if variance == 0:
        return Estimate(value, value, value)
    parts = ((one.variance or 0.0) ** 2 / one.freedom for one in totals)
    freedom = variance**2 / sum(parts)
    half = student_quantile((1 + CONFIDENCE) / 2, freedom) * math.sqrt(variance)
    return Estimate(value, max(0.0, value - half), value + half)


def student_quantile(probability: float, freedom: float) -> float:
    """A quantile of Student's t distribution, for a probability above one half.

    Args:
        freedom: degrees of freedom, at least 1.
    """
    low, high = 0.0, 1.0
    while _student_share(high, freedom) < probability:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if _student_share(middle, freedom) < probability else (low, middle)
        )
    return high


def _student_share(t: float, freedom: float) -> float:
    """The probability of a value below t, by Simpson's rule over the angle of t."""
    # With t = sqrt(freedom) * tan(angle) the density is a power of the cosine.
    top = math.atan(t / math.sqrt(freedom))
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2))
    constant /= math.sqrt(math.pi)
    width = top / _STEPS
    heights = [math.pow(math.cos(step * width), freedom - 1) for step in range(_STEPS + 1)]
    area = heights[0] + heights[-1] + 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2])
    return 0.5 + constant * area * width / 3

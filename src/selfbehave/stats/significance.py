"""Compare two proportions by Fisher's exact test, and correct multiple tests by Holm's method."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from scipy.stats import fisher_exact
from scipy.stats.contingency import odds_ratio
from statsmodels.stats.multitest import multipletests

from .estimates import CONFIDENCE, Estimate

__all__ = ["fisher", "holm"]


def fisher(yes: tuple[int, int], answered: tuple[int, int]) -> tuple[Estimate, float]:
    """Fisher's exact test of two proportions.

    Args:
        yes: the number of yes answers in each sample. Their total must not be zero or all answers.
        answered: the number of answers in each sample, at least one.

    Returns:
        The odds ratio of the first to the second sample, which may be infinite; the two-sided p.
        The ratio is the conditional maximum likelihood estimate with its exact conditional interval
        (Fisher 1935; as R's `fisher.test`).
    """
    table = [[count, total - count] for count, total in zip(yes, answered, strict=True)]
    ratio = odds_ratio(table, kind="conditional")
    interval = ratio.confidence_interval(CONFIDENCE)
    value = float(ratio.statistic)
    remark = "infinite: one dataset never says otherwise" if value == inf else ""
    estimate = Estimate(value, float(interval.low), float(interval.high), remark)
    return estimate, float(fisher_exact(table).pvalue)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for multiple tests by Holm (1979); a None (no test) stays None."""
    tested = [p for p in p_values if p is not None]
    corrected = iter(multipletests(tested, method="holm")[1] if tested else ())
    return [None if p is None else float(next(corrected)) for p in p_values]

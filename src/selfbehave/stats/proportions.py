"""Proportions, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from statsmodels.stats.proportion import proportion_confint

from .estimates import CONFIDENCE, Estimate, undefined

__all__ = ["Share", "proportion"]


@dataclass(frozen=True)
class Share:
    """The share of rows that have a property, with Wilson's 95% interval."""

    name: str
    count: int
    of: int

    @property
    def estimate(self) -> Estimate:
        return proportion(self.count, self.of)


def proportion(count: int, total: int) -> Estimate:
    """Return a proportion with its interval by the score method of Wilson (1927)."""
    if total == 0:
        return undefined("nothing answered")
    low, high = proportion_confint(count, total, alpha=1 - CONFIDENCE, method="wilson")
    return Estimate(count / total, float(low), float(high))

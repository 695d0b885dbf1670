"""An estimated figure with its 95% interval, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONFIDENCE", "Estimate", "Z", "undefined"]

CONFIDENCE = 0.95
Z = 1.96  # the normal quantile of 95%, rounded as the published figures have it


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95% interval.

    Attributes:
        value: None where the figure is undefined; `remark` then says why.
        low, high: the interval's ends, None where it has none.
        remark: what a reader should know of the figure.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    remark: str = ""


def undefined(reason: str) -> Estimate:
    """A figure that has no value, and why."""
    return Estimate(None, remark=reason)

"""An estimate with its 95% interval, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONFIDENCE", "Estimate", "Z", "undefined"]

CONFIDENCE = 0.95
Z = 1.96  # the normal quantile for 95%, rounded as in the published figures


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95% interval.

    Attributes:
        value: the estimate; None if it is undefined, with the reason in `remark`.
        low, high: the bounds of the interval; None if there is no interval.
        remark: a note on the figure for readers.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    remark: str = ""


def undefined(reason: str) -> Estimate:
    """Return an estimate without a value, and the reason."""
    return Estimate(None, remark=reason)

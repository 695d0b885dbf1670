"""Format numbers: figures, intervals, p-values, times and costs."""

from __future__ import annotations

from math import inf

from .estimates import Estimate

__all__ = [
    "UNKNOWN",
    "cost_text",
    "count_text",
    "duration_text",
    "interval_text",
    "number_text",
    "p_text",
    "rate_text",
]

UNKNOWN = "–"


def number_text(value: float | None, digits: int = 2) -> str:
    """Format a figure; empty for None."""
    if value is None:
        return ""
    if abs(value) == inf:
        return "∞"
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text.replace("-", "−")


def interval_text(estimate: Estimate, digits: int = 2) -> str:
    """Format an interval, such as "[0.34,0.59]"; empty if there is none."""
    if estimate.low is None:
        return ""
    return f"[{number_text(estimate.low, digits)},{number_text(estimate.high, digits)}]"


def p_text(p: float | None) -> str:
    """Format a p-value: three decimals, or three digits if it is small; a dash for None."""
    if p is None:
        return UNKNOWN
    return f"{p:.3f}" if p >= 0.001 else f"{p:.2e}".replace("e-0", "e-").replace("-", "−")


def duration_text(seconds: float) -> str:
    """Format a time: 0.42 s, 12 s, 3 min 20 s, 2 h 05 min."""
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 0.01 or not seconds else "under 0.01 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def cost_text(cost: float | None) -> str:
    """Format a cost to the cent, or with two digits if it is smaller; a dash for None."""
    if cost is None:
        return UNKNOWN
    return f"{cost:,.2f}" if cost >= 0.1 or not cost else f"{cost:.2g}"


def rate_text(rate: float | None) -> str:
    """Format a rate: a whole number from 10 up, else two digits; a dash for None."""
    return UNKNOWN if rate is None else f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def count_text(count: int) -> str:
    """Format a count with three digits and a letter: 987, 329k, 1.23M."""
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return (
                f"{count / size:.3g}{letter}"
                if count < 999.5 * size
                else f"{count // size}{letter}"
            )
    return str(count)

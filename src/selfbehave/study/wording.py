"""How figures, raters and criteria are put in words, in tables, figures and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from ..stats.estimates import Estimate
from .analysis import Analysis
from .ratings import CONSENSUS

__all__ = [
    "interval_text",
    "letters",
    "number_text",
    "p_text",
    "pair_title",
    "title_of",
    "whose",
]


def title_of(measure: str) -> str:
    """A criterion as readers know it: "Essential", "High-quality"."""
    return measure.replace("_", "-").capitalize()


def pair_title(raters: tuple[str, ...]) -> str:
    """Two raters, the consensus last, as a title names them."""
    if CONSENSUS in raters:
        return f"Rater {raters[0]} and the consensus"
    return f"Raters {raters[0]} and {raters[1]}"


def whose(analysis: Analysis) -> str:
    """The rater by whom datasets are compared, as a sentence names them."""
    return "the consensus" if analysis.reference == CONSENSUS else f"rater {analysis.reference}"


def letters(holds: Sequence[str]) -> str:
    """A region of the four criteria in letters: "ESCI", "EC", "none"."""
    return "".join(name[0].upper() for name in holds) or "none"


def number_text(value: float | None, digits: int = 2) -> str:
    """A figure as it is printed; nothing for None."""
    if value is None:
        return ""
    if abs(value) == inf:
        return "∞"
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text.replace("-", "−")


def interval_text(estimate: Estimate, digits: int = 2) -> str:
    """An interval as it is printed, "[0.34,0.59]"; nothing where there is none."""
    if estimate.low is None:
        return ""
    return f"[{number_text(estimate.low, digits)},{number_text(estimate.high, digits)}]"


def p_text(p: float | None) -> str:
    """A p-value: three decimals, or three digits of a small one; a dash for None."""
    if p is None:
        return "–"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.2e}".replace("e-0", "e-").replace("-", "−")

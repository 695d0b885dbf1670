"""How raters and criteria are named, in tables, figures and on the page."""

from __future__ import annotations

from collections.abc import Sequence

from .analysis import Analysis
from .ratings import CONSENSUS

__all__ = ["letters", "pair_title", "title_of", "whose"]


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

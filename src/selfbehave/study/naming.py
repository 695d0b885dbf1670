"""Names of raters and criteria for tables, figures and the page."""

from __future__ import annotations

from collections.abc import Sequence

from .analysis import Analysis
from .ratings import CONSENSUS

__all__ = ["letters", "pair_title", "title_of", "whose"]


def title_of(measure: str) -> str:
    """A criterion's display name: "Essential", "High-quality"."""
    return measure.replace("_", "-").capitalize()


def pair_title(raters: tuple[str, ...]) -> str:
    """The names of two raters for a title, with the consensus last."""
    if CONSENSUS in raters:
        return f"Rater {raters[0]} and the consensus"
    return f"Raters {raters[0]} and {raters[1]}"


def whose(analysis: Analysis) -> str:
    """The name, for use in a sentence, of the rater whose verdicts compare datasets."""
    return "the consensus" if analysis.reference == CONSENSUS else f"rater {analysis.reference}"


def letters(holds: Sequence[str]) -> str:
    """The letters for a region of the four criteria: "ESCI", "EC", "none"."""
    return "".join(name[0].upper() for name in holds) or "none"

"""Ratings: one rater's verdicts on one scenario, by the four criteria."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.four_criteria import CRITERIA, HIGH_QUALITY, all_hold

__all__ = ["AUTOMATIC", "CONSENSUS", "CRITERIA", "HIGH_QUALITY", "Rating"]

CONSENSUS = "consensus"
AUTOMATIC = (
    "auto",
    "auto-run",
    "llm",
)  # raters that are not people; they do not count towards a consensus


@dataclass(frozen=True)
class Rating:
    """One rater's verdicts on one scenario; an unanswered criterion is None.

    Attributes:
        dataset: name of the dataset the scenario was drawn from.
        scenario_id: identifies the scenario within its dataset.
        rater: the rater's name; `CONSENSUS` for the settled verdict.
    """

    dataset: str
    scenario_id: str
    rater: str
    essential: bool | None = None
    singular: bool | None = None
    complete: bool | None = None
    integrous: bool | None = None
    ill_formed: bool = False
    note: str = ""

    @property
    def high_quality(self) -> bool | None:
        """Whether all four criteria hold; None while one is unanswered and none fails."""
        return all_hold(getattr(self, name) for name in CRITERIA)

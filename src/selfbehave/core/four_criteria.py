"""The four criteria for judging a scenario."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["CRITERIA", "HIGH_QUALITY", "all_hold"]

CRITERIA = ("essential", "singular", "complete", "integrous")
"""The names of the criteria for judging a scenario, in order."""

HIGH_QUALITY = "high_quality"  # the measure that says whether all four hold


def all_hold(verdicts: Iterable[bool | None]) -> bool | None:
    """Whether all criteria hold; None while one is unanswered and none fails."""
    known = set(verdicts)
    if False in known:
        return False
    return None if None in known else True

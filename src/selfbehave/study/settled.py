"""A study's settled verdicts, by rated row."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.four_criteria import CRITERIA
from ..runs.finished import CriteriaVerdicts, row_id
from .items import StudyItem
from .ratings import CONSENSUS, Rating

__all__ = ["settled_verdicts"]

_RATER = "rater"


def settled_verdicts(
    items: Sequence[StudyItem], ratings: Sequence[Rating], people: Sequence[str]
) -> dict[str, CriteriaVerdicts]:
    """The settled verdicts of a study, by the id of the rated row.

    The consensus counts; without one, so does the rating of a study's only rater. A rating with no
    answered criterion is ignored. Rater names are left out, because a release is public.

    Args:
        people: the names of the human raters.
    """
    by = {CONSENSUS: CONSENSUS}
    if len(people) == 1:
        by[people[0]] = _RATER
    id_of = {
        (item.dataset, item.scenario_id): row_id(item.instruction, item.input, item.output)
        for item in items
    }
    found: dict[str, CriteriaVerdicts] = {}
    for rating in ratings:
        answers = {name: getattr(rating, name) for name in CRITERIA}
        if rating.rater not in by or all(answer is None for answer in answers.values()):
            continue
        id = id_of[rating.dataset, rating.scenario_id]
        if by[rating.rater] == CONSENSUS or id not in found:
            found[id] = CriteriaVerdicts(by[rating.rater], **answers)
    return found

"""What a study settled on: the verdicts that count, by the rows that were rated."""

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
    """The settled verdicts of a study, by the id of the row that was rated.

    The consensus counts; in a study of one rater, theirs does. A rating with no criterion answered
    is none. Raters stay unnamed: a release is public.

    Args:
        people: the names of the raters that are people.
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

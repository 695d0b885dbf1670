"""Verdicts by the four criteria on each row: a study's where there is one, the rules' elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..bdd.criteria import judge_row
from ..study.items import StudyItem
from ..study.ratings import CONSENSUS, CRITERIA, Rating
from .finished_runs import ReleaseRow, Verdicts, row_id

__all__ = ["AUTOMATIC", "rated", "with_verdicts"]

AUTOMATIC = "auto"
RATER = "rater"


def rated(
    items: Sequence[StudyItem], ratings: Sequence[Rating], people: Sequence[str]
) -> dict[str, Verdicts]:
    """The settled verdicts of a study, by the id of the row that was rated.

    The consensus counts; in a study of one rater, theirs does. A rating with no criterion answered
    is none. Raters stay unnamed: a release is public.

    Args:
        people: the names of the raters that are people.
    """
    by = {CONSENSUS: CONSENSUS}
    if len(people) == 1:
        by[people[0]] = RATER
    id_of = {
        (item.dataset, item.scenario_id): row_id(item.instruction, item.input, item.output)
        for item in items
    }
    found: dict[str, Verdicts] = {}
    for rating in ratings:
        answers = {name: getattr(rating, name) for name in CRITERIA}
        if rating.rater not in by or all(answer is None for answer in answers.values()):
            continue
        id = id_of[rating.dataset, rating.scenario_id]
        if by[rating.rater] == CONSENSUS or id not in found:
            found[id] = Verdicts(by[rating.rater], **answers)
    return found


def with_verdicts(rows: Sequence[ReleaseRow], of_study: Mapping[str, Verdicts]) -> list[ReleaseRow]:
    """The rows with a study's verdicts, or else, where they have a scenario, with the rules'."""
    return [
        replace(row, verdicts=of_study[row.id])
        if row.id in of_study
        else replace(row, verdicts=_by_rules(row))
        if row.scenario is not None
        else row
        for row in rows
    ]


def _by_rules(row: ReleaseRow) -> Verdicts:
    judgement = judge_row(row.instruction, row.input, row.output)
    return Verdicts(AUTOMATIC, **{name: getattr(judgement, name).holds for name in CRITERIA})

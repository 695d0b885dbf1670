"""Verdicts by the four criteria on each row: from a study if it rated the row, else from rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..bdd.criteria import judge_row
from ..core.four_criteria import CRITERIA
from ..runs.finished import CriteriaVerdicts, FinishedRow

__all__ = ["AUTOMATIC", "with_verdicts"]

AUTOMATIC = "auto"


def with_verdicts(
    rows: Sequence[FinishedRow], of_study: Mapping[str, CriteriaVerdicts]
) -> list[FinishedRow]:
    """The rows with a study's verdicts; other rows with a scenario get those of the rules."""
    return [
        replace(row, verdicts=of_study[row.id])
        if row.id in of_study
        else replace(row, verdicts=_by_rules(row))
        if row.scenario is not None
        else row
        for row in rows
    ]


def _by_rules(row: FinishedRow) -> CriteriaVerdicts:
    judgement = judge_row(row.instruction, row.input, row.output, idle_steps=row.idle_steps)
    return CriteriaVerdicts(
        AUTOMATIC, **{name: getattr(judgement, name).holds for name in CRITERIA}
    )

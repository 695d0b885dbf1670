"""The results of an evaluation as tables, for the terminal and the page."""

from __future__ import annotations

from collections import Counter

from ..bdd.faults import FaultCode
from ..bdd.faults import label as fault_label
from ..core.rungs import RUNGS
from ..figures.vega import label
from ..stats.number_text import UNKNOWN, interval_text, number_text
from ..stats.tables import Table
from .results import Evaluation
from .scores import DIFFICULTY, GENERAL, Answered, EngineScores, Score

__all__ = ["axis_tables", "difficulty_table", "fault_table", "rung_tables", "scenario_table"]

_MOST_FAULTS = 15
_LONGEST = 60  # characters of a name from a file


def rung_tables(evaluation: Evaluation) -> list[Table]:
    """A table for each k: what share of the scenarios reached each rung, engine by engine."""
    return [_rung_table(evaluation, k) for k in evaluation.ks]


def difficulty_table(evaluation: Evaluation) -> Table | None:
    """The highest measure by difficulty; None if the benchmark does not tell difficulties."""
    return _group_table(evaluation, DIFFICULTY)


def axis_tables(evaluation: Evaluation) -> list[Table]:
    """A table for each axis that forms groups."""
    axes = [axis for axis in evaluation.groups() if axis != DIFFICULTY]
    found = [_group_table(evaluation, axis) for axis in axes]
    return [table for table in found if table is not None]


def fault_table(evaluation: Evaluation) -> Table | None:
    """How many answers have each fault, the most common first; None if none has any."""
    counts = [
        Counter(code for answer in engine.answers for code in dict.fromkeys(answer.faults))
        for engine in evaluation.engines
    ]
    common = sum(counts, Counter[str]()).most_common(_MOST_FAULTS)
    if not common:
        return None
    return Table(
        section="faults",
        title="Faults of the answers",
        headings=("fault", *_names(evaluation)),
        rows=tuple(
            (fault_label(FaultCode(code)), *(str(of_engine[code]) for of_engine in counts))
            for code, _ in common
        ),
        caption="Answers that have it. Some faults keep an answer from the next rung, others are "
        "only told.",
    )


def scenario_table(evaluation: Evaluation) -> Table:
    """Every scenario with the best answer of each engine."""
    best = [_best(engine) for engine in evaluation.engines]
    return Table(
        section="scenarios",
        title="The best answer to each scenario",
        headings=("scenario", "name", "difficulty", *_names(evaluation)),
        rows=tuple(
            (
                label(one.task.id, _LONGEST),
                label(one.task.name, _LONGEST),
                label(one.difficulty, _LONGEST) or UNKNOWN,
                *(_words(of_engine[one.task.id]) for of_engine in best),
            )
            for one in evaluation.problems
        ),
        words=(0, 1, 2, *range(3, 3 + len(best))),
    )


def _rung_table(evaluation: Evaluation, k: int) -> Table:
    of = f"{len(evaluation.problems)} scenarios"
    caption = ""
    if evaluation.with_checks:
        caption = "general: causal, and green with hidden checks, which have other values."
        if evaluation.with_checks < len(evaluation.problems):
            caption += f" {evaluation.with_checks} scenarios have any."
    return Table(
        section="rungs",
        title=f"rung@{k} of {of}, answered {_times(evaluation.attempts)}",
        headings=("reached", *_names(evaluation)),
        rows=tuple(
            (measure, *(_cell(engine.score(measure, k)) for engine in evaluation.engines))
            for measure in evaluation.measures
        ),
        caption=caption,
    )


def _group_table(evaluation: Evaluation, axis: str) -> Table | None:
    groups = evaluation.groups().get(axis)
    if not groups:
        return None
    measure, k = evaluation.headline
    name = label(axis.replace("_", " "), _LONGEST)
    return Table(
        section="groups",
        title=f"{measure}@{k} by {name}",
        headings=(name, "scenarios", *_names(evaluation)),
        rows=tuple(
            (
                label(value, _LONGEST),
                str(count),
                *(_cell(engine.score(measure, k, axis, value)) for engine in evaluation.engines),
            )
            for value, count in groups.items()
        ),
    )


def _cell(score: Score | None) -> str:
    if score is None:
        return UNKNOWN
    return f"{number_text(score.estimate.value)} {interval_text(score.estimate)}".strip()


def _names(evaluation: Evaluation) -> tuple[str, ...]:
    return tuple(label(engine.name, _LONGEST) for engine in evaluation.engines)


def _best(engine: EngineScores) -> dict[str, Answered]:
    best: dict[str, Answered] = {}
    for answer in engine.answers:
        known = best.setdefault(answer.problem, answer)
        if _rank(answer) > _rank(known):
            best[answer.problem] = answer
    return best


def _rank(answer: Answered) -> tuple[bool, int]:
    return answer.is_general is True, RUNGS.index(answer.rung) if answer.rung in RUNGS else -1


def _words(answer: Answered) -> str:
    return f"{answer.rung}, {GENERAL}" if answer.is_general else answer.rung


def _times(attempts: int) -> str:
    return "once each" if attempts == 1 else f"{attempts} times each"

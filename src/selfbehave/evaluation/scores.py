"""What answers to a benchmark reached, as estimates: by rung, by difficulty and by axis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..bdd.ladder import Rung
from ..core.rungs import RUNGS
from ..stats.estimates import Estimate
from .benchmark import Problem
from .estimates import mean_at_k

__all__ = ["DIFFICULTY", "GENERAL", "Answered", "EngineScores", "Score", "scored"]

GENERAL = "general"
DIFFICULTY = "difficulty"


@dataclass(frozen=True)
class Answered:
    """An answer to a scenario of a benchmark, and what is proven about it.

    Attributes:
        problem: the scenario's id.
        attempt: its number among the answers to the scenario, from 0.
        rung: the rung that it reached.
        faults: the codes of its faults.
        is_general: whether it is causal and passes with all hidden checks; None if there are none.
        text: the whole answer.
        metadata: engine, key of the request, finish reason, tokens.
        canary: the benchmark's mark of evaluation data.
    """

    problem: str
    attempt: int
    rung: str
    faults: tuple[str, ...]
    is_general: bool | None
    text: str
    metadata: Mapping[str, Any]
    canary: str

    def to_dict(self) -> dict[str, Any]:
        """The record as a JSON object, with the scenario's id as `id`."""
        return {
            "id": self.problem,
            "attempt": self.attempt,
            "rung": self.rung,
            "faults": list(self.faults),
            "is_general": self.is_general,
            "answer": self.text,
            "metadata": dict(self.metadata),
            "canary": self.canary,
        }

    def reached(self, measure: str) -> bool:
        """Whether it reached a rung, or is general."""
        if measure == GENERAL:
            return self.is_general is True
        return Rung.named(self.rung) >= Rung.named(measure)


@dataclass(frozen=True)
class Score:
    """The chance that at least one of k answers reaches a measure, over a group of scenarios.

    Attributes:
        measure: a rung, or `general`.
        axis: what the group has in common: difficulty or an axis; "" for all scenarios.
        value: of the axis.
        scenarios: the number of scenarios in the group; for `general`, of those with checks.
        estimate: with its interval by bootstrap over these scenarios.
    """

    measure: str
    k: int
    axis: str
    value: str
    scenarios: int
    estimate: Estimate


@dataclass(frozen=True)
class EngineScores:
    """An engine's answers to a benchmark and their scores.

    Attributes:
        name: what it is called side by side with others.
        model: the model's identity.
        api: endpoint kind.
        answers: in the order of the scenarios.
    """

    name: str
    model: str
    api: str
    answers: tuple[Answered, ...]
    scores: tuple[Score, ...]

    def score(self, measure: str, k: int, axis: str = "", value: str = "") -> Score | None:
        """One of the scores; None for `general` where no scenario has checks."""
        wanted = (measure, k, axis, value)
        return next(
            (one for one in self.scores if (one.measure, one.k, one.axis, one.value) == wanted),
            None,
        )


def scored(
    problems: Sequence[Problem], answers: Sequence[Answered], ks: Sequence[int]
) -> tuple[Score, ...]:
    """The scores of answers over all scenarios and over each group of them.

    Args:
        answers: equally many to each problem.
        ks: the numbers of answers of which one must be good.
    """
    by_problem: dict[str, list[Answered]] = {one.task.id: [] for one in problems}
    for answer in answers:
        by_problem[answer.problem].append(answer)
    return tuple(
        score
        for axis, value, group in _groups(problems)
        for measure in (*RUNGS, GENERAL)
        for score in _scores_of_group(axis, value, group, by_problem, measure, ks)
    )


def _scores_of_group(
    axis: str,
    value: str,
    group: Sequence[Problem],
    by_problem: Mapping[str, Sequence[Answered]],
    measure: str,
    ks: Sequence[int],
) -> Iterator[Score]:
    told = [one for one in group if measure != GENERAL or one.checks]
    if not told:
        return
    counts = [
        (len(answers), sum(answer.reached(measure) for answer in answers))
        for answers in (by_problem[one.task.id] for one in told)
    ]
    for k in ks:
        yield Score(measure, k, axis, value, len(told), mean_at_k(counts, k))


def _groups(problems: Sequence[Problem]) -> Iterator[tuple[str, str, Sequence[Problem]]]:
    """All problems, and those that share a value of an axis.

    An axis of which no two problems share a value is left out: it forms no groups.
    """
    yield "", "", problems
    axes = (name for one in problems for name in one.axes)
    for name in dict.fromkeys([DIFFICULTY, *axes]):
        values = [_value(one, name) for one in problems]
        counts = Counter(filter(None, values))
        if name != DIFFICULTY and max(counts.values(), default=0) < 2:
            continue
        for value in counts:  # in the order of the benchmark
            group = [one for one, its in zip(problems, values, strict=True) if its == value]
            yield name, value, group


def _value(problem: Problem, axis: str) -> str:
    return problem.difficulty if axis == DIFFICULTY else problem.axes.get(axis, "")

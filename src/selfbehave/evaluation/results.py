"""The results of an evaluation, as a record and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ..core.rungs import RUNGS
from .benchmark import Benchmark, Problem
from .overlap import Overlap
from .scores import GENERAL, EngineScores, Score

__all__ = ["Evaluation"]

_FORMAT = 1  # raised only if older readers would misread the object


@dataclass(frozen=True)
class Evaluation:
    """Engines side by side on a benchmark.

    Attributes:
        problems: the scenarios that they answered.
        attempts: answers to each scenario.
        ks: the numbers of answers of which one must be good.
        overlap: what the training data holds of these scenarios; None without training data.
    """

    benchmark: Benchmark
    problems: tuple[Problem, ...]
    attempts: int
    ks: tuple[int, ...]
    overlap: Overlap | None
    engines: tuple[EngineScores, ...]

    @property
    def with_checks(self) -> int:
        """The number of scenarios with hidden checks."""
        return sum(bool(one.checks) for one in self.problems)

    @property
    def measures(self) -> tuple[str, ...]:
        """The rungs, lowest first, and `general` if a scenario has hidden checks."""
        return (*RUNGS, GENERAL) if self.with_checks else RUNGS

    @property
    def headline(self) -> tuple[str, int]:
        """The measure and the k that tell an engine in one figure: the hardest of both."""
        return self.measures[-1], self.ks[0]

    def groups(self) -> dict[str, dict[str, int]]:
        """The number of scenarios of each value of each axis that forms groups."""
        groups: dict[str, dict[str, int]] = {}
        for score in self.engines[0].scores:
            if score.axis and score.measure != GENERAL:
                groups.setdefault(score.axis, {})[score.value] = score.scenarios
        return groups

    def to_dict(self) -> dict[str, Any]:
        """The results as a JSON object; its fields are an interface (docs/how-to/evaluate.md)."""
        return {
            "format": _FORMAT,
            "benchmark": {
                "path": self.benchmark.path,
                "sha256": self.benchmark.sha256,
                "scenarios": len(self.problems),
                "with_checks": self.with_checks,
                "repeats": self.benchmark.repeats,
            },
            "attempts": self.attempts,
            "k": list(self.ks),
            "training": None if self.overlap is None else asdict(self.overlap),
            "engines": [_engine(one) for one in self.engines],
        }


def _engine(one: EngineScores) -> dict[str, Any]:
    whole = [score for score in one.scores if not score.axis]
    by: dict[str, dict[str, Any]] = {}
    for axis, value in dict.fromkeys((s.axis, s.value) for s in one.scores if s.axis):
        group = [score for score in one.scores if (score.axis, score.value) == (axis, value)]
        by.setdefault(axis, {})[value] = _scores(group)
    return {
        "name": one.name,
        "model": one.model,
        "api": one.api,
        "answers": len(one.answers),
        "completion_tokens": sum(
            int(answer.metadata["completion_tokens"]) for answer in one.answers
        ),
        "scores": _scores(whole),
        "by": by,
    }


def _scores(scores: Iterable[Score]) -> dict[str, dict[str, Any]]:
    """Scores by measure and k, each with its interval."""
    found: dict[str, dict[str, Any]] = {}
    for score in scores:
        found.setdefault(score.measure, {})[str(score.k)] = {
            "value": score.estimate.value,
            "low": score.estimate.low,
            "high": score.estimate.high,
            "scenarios": score.scenarios,
        }
    return found

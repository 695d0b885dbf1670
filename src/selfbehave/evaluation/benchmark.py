"""A benchmark file: seed tasks with hidden checks, and the packaged one.

Each line is a seed task with four more fields: `difficulty`, `axes`, `checks` and `canary`. Any
file of seed tasks or of prompts in this shape can be read; without checks, answers to it are never
counted as general.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..bdd.fences import PYTHON, first_block
from ..core.errors import SelfBehaveError
from ..core.fields import object_field, text_field
from ..core.jsonl import each_row, read_records
from ..core.records import SeedTask
from ..novelty.rule import THRESHOLD, Pool
from ..prompts.bdd import has_scenario, scenario_of

__all__ = [
    "PACKAGED_BENCHMARK",
    "Benchmark",
    "Problem",
    "load_benchmark",
    "overlapping",
    "texts_of",
]

PACKAGED_BENCHMARK = "packaged"


@dataclass(frozen=True)
class Problem:
    """A scenario of a benchmark.

    Attributes:
        task: the seed task; its instances are reference solutions and are never shown to a model.
        difficulty: easy, middle or hard; "" if the file does not say.
        axes: what the scenario is about, by axis: domain, sector, rule and gherkin.
        checks: hidden checks, each the whole scenario with other values and their right outcomes.
        canary: a text that marks the line as evaluation data, for filters of training data.
    """

    task: SeedTask
    difficulty: str = ""
    axes: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    canary: str = ""

    @property
    def scenario(self) -> str:
        """The scenario that a model is asked about."""
        return scenario_of(self.task.instruction)

    @property
    def reference(self) -> str:
        """The code of the reference solution.

        Raises:
            ValueError: the first instance has no Python block.
        """
        block = first_block(self.task.instances[0].output, PYTHON)
        if block is None:
            raise ValueError("no ```python block in the output")
        return block.body

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Problem:
        """The problem in a JSON object.

        Raises:
            ValueError: a field is missing or of another type, or the task has no scenario.
        """
        task = SeedTask.from_dict(row)
        if not has_scenario(task.instruction):
            raise ValueError("no closed ```gherkin block in the instruction")
        axes = object_field(row, "axes")
        checks = row.get("checks") or []
        if not isinstance(checks, list) or not all(isinstance(one, str) for one in checks):
            raise ValueError("field 'checks' must be a list of scenarios")
        if not all(isinstance(value, str) for value in axes.values()):
            raise ValueError("field 'axes' must map names to texts")
        extra = {name: text_field(row, name) for name in ("difficulty", "canary") if row.get(name)}
        return cls(task, axes=dict(axes), checks=tuple(checks), **extra)

    def to_dict(self) -> dict[str, Any]:
        """The problem as a JSON object."""
        return self.task.to_dict() | {
            "difficulty": self.difficulty,
            "axes": dict(self.axes),
            "checks": list(self.checks),
            "canary": self.canary,
        }


@dataclass(frozen=True)
class Benchmark:
    """A benchmark, its source, and the SHA-256 of its file."""

    path: str
    sha256: str
    problems: tuple[Problem, ...]


def load_benchmark(name: str = PACKAGED_BENCHMARK) -> Benchmark:
    """Load the packaged benchmark by its name, or a file.

    Raises:
        SelfBehaveError: there is no such file, it is empty, a line is broken, or an id repeats.
    """
    file = Path(name)
    if name == PACKAGED_BENCHMARK:
        file = Path(str(files("selfbehave.evaluation") / "packaged" / "benchmark.jsonl"))
    problems = read_records(file, Problem.from_dict)
    seen: set[str] = set()
    for problem in problems:
        if problem.task.id in seen:
            raise SelfBehaveError(
                f"the id '{problem.task.id}' appears twice",
                where=file,
                mend="give each scenario its own id",
            )
        seen.add(problem.task.id)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Benchmark(name, digest, tuple(problems))


def texts_of(file: Path) -> list[str]:
    """The scenarios in a file of training data, which has an `instruction` or a `prompt` a line.

    A text without a scenario counts as it is.

    Raises:
        SelfBehaveError: the file cannot be read, or a line has neither field.
    """
    texts = []
    for number, row in each_row(file):
        text = row.get("instruction", row.get("prompt"))
        if not isinstance(text, str):
            raise SelfBehaveError(
                "a line without the text 'instruction' or 'prompt'",
                where=f"{file}:{number}",
                mend="give files of seed tasks, of a run's finetuning_data or of a release",
            )
        texts.append(scenario_of(text) if has_scenario(text) else text)
    return texts


def overlapping(
    problems: Sequence[Problem], texts: Iterable[str], threshold: float = THRESHOLD
) -> list[Problem]:
    """The problems whose scenario is too similar to one of some texts, by the novelty rule.

    Args:
        threshold: the highest ROUGE-L F1 that does not count as an overlap.
    """
    pool = Pool(texts)
    return [one for one in problems if pool.compare(one.scenario).highest > threshold]

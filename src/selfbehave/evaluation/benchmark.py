"""A benchmark file: seed tasks with hidden checks, and the packaged one.

Each line is a seed task with four more fields: `difficulty`, `axes`, `checks` and `canary`. Rows of
a run or a release are read too. Without checks, no answer to a scenario counts as general.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..bdd.faults import sentence
from ..bdd.fences import PYTHON, first_block
from ..bdd.scenario import ScenarioError, parse_scenario
from ..bdd.titles import scenario_title
from ..core.data_files import each_data_record
from ..core.errors import SelfBehaveError
from ..core.fields import object_field, text_field
from ..core.packaged_benchmark import PACKAGED_BENCHMARK, benchmark_path
from ..core.records import Instance, SeedTask
from ..prompts.bdd import has_scenario, instruction_for, scenario_of
from ..seeds.dataset_rows import answer_in, asked_in

__all__ = ["Benchmark", "Problem", "load_benchmark"]

# The columns of a release that say what a row's scenario was steered by.
_AXES_OF_RELEASE = ("system_group", "rule_kind", "outcome_kind", "gherkin_feature")


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
        """The problem in a JSON object: a seed task, or a row of a run or a release.

        Raises:
            ValueError: a field is missing or of another type, or a scenario is missing or broken.
        """
        task = SeedTask.from_dict(row) if "instances" in row else _task_of_row(row)
        if not has_scenario(task.instruction):
            raise ValueError("no closed ```gherkin block in the instruction")
        axes = object_field(row, "axes")
        if not all(isinstance(value, str) for value in axes.values()):
            raise ValueError("field 'axes' must map names to texts")
        if not axes:
            axes = {name: row[name] for name in _AXES_OF_RELEASE if isinstance(row.get(name), str)}
        checks = row.get("checks") or []
        if not isinstance(checks, list) or not all(isinstance(one, str) for one in checks):
            raise ValueError("field 'checks' must be a list of scenarios")
        _refuse_broken("the scenario", scenario_of(task.instruction))
        for number, check in enumerate(checks, start=1):
            _refuse_broken(f"check {number}", check)
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
    """A benchmark, its source, and the SHA-256 of its file.

    Attributes:
        repeats: rows left out because an earlier one has the same scenario.
    """

    path: str
    sha256: str
    problems: tuple[Problem, ...]
    repeats: int = 0


def load_benchmark(name: str = PACKAGED_BENCHMARK) -> Benchmark:
    """Load the packaged benchmark by its name, or a file in JSON Lines or Parquet.

    Raises:
        SelfBehaveError: there is no such file, it is empty, a row is broken, or an id repeats.
    """
    file = benchmark_path(name)
    first: dict[str, Problem] = {}
    ids: set[str] = set()
    for row, problem in enumerate(each_data_record(file, Problem.from_dict), start=1):
        named = problem if problem.task.id else _with_id(problem, f"row_{row}")
        if named.task.id in ids:
            raise SelfBehaveError(
                f"the id '{named.task.id}' appears twice",
                where=file,
                mend="give each scenario its own id",
            )
        ids.add(named.task.id)
        first.setdefault(problem.scenario, named)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Benchmark(name, digest, tuple(first.values()), len(ids) - len(first))


def _task_of_row(row: Mapping[str, Any]) -> SeedTask:
    """A row of a run or a release as a seed task; its id is "" if the row has none.

    Raises:
        ValueError: a field is missing or of another type, or there is no scenario.
    """
    scenario = scenario_of(asked_in(row))
    return SeedTask(
        id=text_field(row, "id") if row.get("id") else "",
        name=scenario_title(scenario),
        instruction=instruction_for(scenario),
        instances=(Instance("", answer_in(row)),),
        is_classification=False,
    )


def _refuse_broken(what: str, scenario: str) -> None:
    try:
        parse_scenario(scenario)
    except ScenarioError as error:
        raise ValueError(f"{what} does not parse: {sentence(error.fault)}") from error


def _with_id(problem: Problem, id: str) -> Problem:
    return replace(problem, task=replace(problem.task, id=id))

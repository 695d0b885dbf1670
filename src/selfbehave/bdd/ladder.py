"""The BDD ladder: how far a pair of a scenario and its step functions is proven to work.

The rungs here are those that can be climbed without running the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from .fences import GHERKIN, PYTHON, first_block
from .scenario import ScenarioError, parse_scenario
from .steps import bind, read_step_functions

__all__ = ["Ladder", "Rung", "climb", "climb_row"]


class Rung(IntEnum):
    """A rung of the ladder; each needs the one below."""

    NONE = -1
    TEXT = 0
    PARSED = 1
    BOUND = 2

    @classmethod
    def named(cls, name: str) -> Rung:
        return cls[name.upper()]

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Ladder:
    """The highest rung a pair reached, and what kept it from the next.

    Attributes:
        rung: the highest rung reached.
        scenario_parses: whether the scenario is valid Gherkin with a step.
        python_compiles: whether the step functions are valid Python.
        faults: one line each; empty at the top.
    """

    rung: Rung
    scenario_parses: bool
    python_compiles: bool
    faults: tuple[str, ...]


def climb(scenario_text: str, code: str) -> Ladder:
    """Climb as far as a pair goes without running its code."""
    faults: list[str] = []
    scenario = step_functions = None
    try:
        scenario = parse_scenario(scenario_text)
    except ScenarioError as error:
        faults.append(f"scenario: {error}")
    try:
        step_functions = read_step_functions(code)
    except SyntaxError as error:
        place = f"line {error.lineno}: " if error.lineno else ""
        faults.append(f"python: {place}{error.msg}")
    if scenario is None or step_functions is None:
        return Ladder(Rung.TEXT, scenario is not None, step_functions is not None, tuple(faults))
    binding = bind(scenario, step_functions)
    rung = Rung.BOUND if binding.is_bound else Rung.PARSED
    return Ladder(rung, True, True, binding.faults)


def climb_row(instruction: str, input: str, output: str) -> Ladder:
    """Climb with a row of a dataset: the scenario in its task, the step functions in its output."""
    scenario = first_block(f"{instruction}\n\n{input}", GHERKIN)
    code = first_block(output, PYTHON)
    faults = [
        f"{name}: {fault}"
        for name, block in (("scenario", scenario), ("python", code))
        for fault in (["not found"] if block is None else [] if block.is_closed else ["cut off"])
    ]
    if scenario is None or code is None or faults:
        return Ladder(Rung.NONE, False, False, tuple(faults))
    return climb(scenario.body, code.body)

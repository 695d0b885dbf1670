"""The BDD ladder: how far a pair of a scenario and its step functions is proven to work.

Up to `bound` without running the code; above, by running it in the sandbox.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from . import sandbox
from .fences import GHERKIN, PYTHON, first_block
from .mutants import mutants
from .scenario import ScenarioError, parse_scenario
from .steps import bind, read_step_functions

__all__ = [
    "Climbing",
    "Ladder",
    "Rung",
    "climb",
    "climb_each",
    "climb_pairs",
    "climb_row",
    "climb_rows",
    "reachable",
]


class Rung(IntEnum):
    """A rung of the ladder; each needs the one below."""

    NONE = -1
    TEXT = 0
    PARSED = 1
    BOUND = 2
    PASSING = 3
    DISCRIMINATING = 4

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
        faults: one line each; empty at the top of what was climbed.
        change: the change of an expected value that turned the scenario red, if one was found.
    """

    rung: Rung
    scenario_parses: bool
    python_compiles: bool
    faults: tuple[str, ...]
    change: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"rung": str(self.rung), "faults": list(self.faults), "change": self.change}


# Climbs with rows of (instruction, input, output) up to a rung, in order: `climb_rows`, or another
# way to the same ladders.
Climbing = Callable[[Iterable[tuple[str, str, str]], Rung], Iterable[Ladder]]


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
    (ladder,) = climb_rows([(instruction, input, output)], Rung.BOUND)
    return ladder


def reachable(wanted: Rung) -> tuple[Rung, str | None]:
    """The rung as far as this machine can climb, and what it lacks for the one wanted."""
    lack = sandbox.missing() if wanted > Rung.BOUND else None
    return (Rung.BOUND, lack) if lack else (wanted, None)


def climb_rows(
    rows: Iterable[tuple[str, str, str]], top: Rung, workers: int | None = None
) -> list[Ladder]:
    """Climb with rows of (instruction, input, output) as far as `top`, in order.

    Raises:
        SelfBehaveError: `top` is above `bound` and there is no sandbox here.
    """
    return list(climb_each(rows, top, workers))


def climb_each(
    rows: Iterable[tuple[str, str, str]], top: Rung, workers: int | None = None
) -> Iterator[Ladder]:
    """`climb_rows`, each row's ladder as soon as those before it are known."""
    found = [_pair_of(*row) for row in rows]
    pairs = [one for one in found if not isinstance(one, Ladder)]
    climbed = _climbing_pairs(pairs, top, workers, None)
    for one in found:
        yield one if isinstance(one, Ladder) else next(climbed)


def _pair_of(instruction: str, input: str, output: str) -> tuple[str, str] | Ladder:
    """The scenario and the step functions of a row, or the verdict on one that lacks either."""
    scenario = first_block(f"{instruction}\n\n{input}", GHERKIN)
    code = first_block(output, PYTHON)
    faults = [
        f"{name}: {fault}"
        for name, block in (("scenario", scenario), ("python", code))
        for fault in (["not found"] if block is None else [] if block.is_closed else ["cut off"])
    ]
    if scenario is None or code is None or faults:
        return Ladder(Rung.NONE, False, False, tuple(faults))
    return scenario.body, code.body


def climb_pairs(
    pairs: Iterable[tuple[str, str]],
    top: Rung = Rung.DISCRIMINATING,
    workers: int | None = None,
    limits: sandbox.Limits | None = None,
) -> list[Ladder]:
    """Climb with many pairs of a scenario and its step functions, as far as `top`, in order.

    Args:
        workers: pairs in the sandbox at a time, by default one for each core.
        limits: of each run.

    Raises:
        SelfBehaveError: `top` is above `bound` and there is no sandbox here.
    """
    return list(_climbing_pairs(list(pairs), top, workers, limits))


def _climbing_pairs(
    pairs: Sequence[tuple[str, str]],
    top: Rung,
    workers: int | None,
    limits: sandbox.Limits | None,
) -> Iterator[Ladder]:
    if top <= Rung.BOUND:
        yield from (climb(*pair) for pair in pairs)
        return
    sandbox.require()

    def climb_all_the_way(pair: tuple[str, str]) -> Ladder:
        ladder = climb(*pair)
        return ladder if ladder.rung < Rung.BOUND else _climb_in_sandbox(*pair, top, limits)

    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        yield from pool.map(climb_all_the_way, pairs)


def _climb_in_sandbox(
    scenario_text: str, code: str, top: Rung, limits: sandbox.Limits | None
) -> Ladder:
    """Climb on with a pair that is bound, stopping at the first change that turns it red."""
    outcome = sandbox.run_pair(parse_scenario(scenario_text).feature_text, code, limits)
    if not outcome.passed:
        detail = f": {outcome.detail}" if outcome.detail else ""
        return Ladder(Rung.BOUND, True, True, (f"run: {outcome.reason}{detail}",))
    passing = Ladder(Rung.PASSING, True, True, ())
    if top < Rung.DISCRIMINATING:
        return passing
    tried = 0
    for mutant in mutants(scenario_text):
        # A step that is no longer bound is red for another reason than its expected value.
        if climb(mutant.text, code).rung < Rung.BOUND:
            continue
        tried += 1
        if sandbox.run_pair(mutant.text, code, limits).reason == "failed":
            return replace(passing, rung=Rung.DISCRIMINATING, change=mutant.description)
    fault = f"none of {tried} changed values turns it red" if tried else "no expected value in it"
    return replace(passing, faults=(f"mutants: {fault}",))

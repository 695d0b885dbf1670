"""The BDD ladder: how far a pair of a scenario and its step functions is proven to work.

The rungs up to `bound` do not run the code; the rungs above run it in the sandbox.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from . import sandbox
from .bound_pair import BoundPair
from .causality import find_causes, find_idle_steps
from .faults import Detail, Fault, FaultCode, blocks, sentence
from .fences import GHERKIN, PYTHON, first_block
from .hard_coded_outcomes import hard_coded_outcomes
from .idle_actions import idle_actions
from .ignored_values import ignored_values
from .mutants import mutants
from .portability import portability_fault
from .scenario import ScenarioError, parse_scenario
from .steps import Binding, StepFunction, StepFunctions, bind, read_step_functions

__all__ = [
    "RULES_VERSION",
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


# Part of the key of stored verdicts. Raise it with every change after which a pair may get another
# verdict.
RULES_VERSION = 5


class Rung(IntEnum):
    """A rung of the ladder; each needs the one below."""

    NONE = -1
    TEXT = 0
    PARSED = 1
    BOUND = 2
    PASSING = 3
    DISCRIMINATING = 4
    CAUSAL = 5

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
        scenario_parses: whether behave reads the scenario, and it has a step.
        python_compiles: whether the step functions are valid Python.
        faults: the faults that keep it from the next rung, and others that are only reported.
        change: the change of an expected value that turned the scenario red, if one was found.
        input_change: the change of an input that turned a Then red, if one was found.
    """

    rung: Rung
    scenario_parses: bool
    python_compiles: bool
    faults: tuple[Fault, ...]
    change: str | None = None
    input_change: str | None = None

    @property
    def blocking(self) -> tuple[Fault, ...]:
        """The faults that keep it from the next rung."""
        return tuple(fault for fault in self.faults if blocks(fault.code))

    @property
    def idle_steps(self) -> tuple[str, ...]:
        """The texts of the Given steps found to change nothing: the pair stays green without."""
        return tuple(one.detail.text for one in self.faults if one.code == FaultCode.IDLE_STEP)

    def to_dict(self) -> dict[str, Any]:
        """The fields of a line of `ladder.jsonl`, with the sentence and the code of each fault."""
        return {
            "rung": str(self.rung),
            "faults": [sentence(fault) for fault in self.faults],
            "fault_codes": [str(fault.code) for fault in self.faults],
            "change": self.change,
            "input_change": self.input_change,
            "idle_steps": list(self.idle_steps),
        }


# A function that climbs with rows of (instruction, input, output) up to a rung, in order:
# `climb_rows`, or another one with the same results.
Climbing = Callable[[Iterable[tuple[str, str, str]], Rung], Iterable[Ladder]]


def climb(scenario_text: str, code: str) -> Ladder:
    """Climb with a pair as far as possible without running its code."""
    faults: list[Fault] = []
    scenario = step_functions = None
    try:
        scenario = parse_scenario(scenario_text)
    except ScenarioError as error:
        faults.append(error.fault)
    else:
        portability = portability_fault(scenario)
        faults += [portability] if portability else []
    try:
        step_functions = read_step_functions(code)
    except SyntaxError as error:
        detail = Detail(words=error.msg)
        faults.append(Fault(FaultCode.PYTHON_SYNTAX, error.lineno or None, detail))
    if scenario is None or step_functions is None:
        return Ladder(Rung.TEXT, scenario is not None, step_functions is not None, tuple(faults))
    binding = bind(scenario, step_functions)
    rung = Rung.BOUND if binding.is_bound else Rung.PARSED
    faults += [*binding.faults, *_hollow_functions(binding, step_functions)]
    return Ladder(rung, True, True, tuple(faults))


def _hollow_functions(binding: Binding, step_functions: StepFunctions) -> tuple[Fault, ...]:
    """The faults of functions that only appear to do or check something."""
    kinds_of: dict[int, set[str | None]] = {}
    function_at: dict[int, StepFunction] = {}
    for step, function in binding.bound:
        if function is not None:
            kinds_of.setdefault(function.line, set()).add(step.kind)
            function_at[function.line] = function
    outcomes = {line for line, kinds in kinds_of.items() if kinds == {"then"}}
    actions = {line for line, kinds in kinds_of.items() if "when" in kinds}
    faults = []
    for found in hard_coded_outcomes(step_functions.module, outcomes):
        detail = Detail(words=found.comparison, functions=(function_at[found.line].facts,))
        faults.append(Fault(FaultCode.HARD_CODED_OUTCOME, detail=detail))
    for line in idle_actions(step_functions.module, actions):
        detail = Detail(functions=(function_at[line].facts,))
        faults.append(Fault(FaultCode.IDLE_ACTION, detail=detail))
    inputs = [function_at[line] for line, kinds in kinds_of.items() if "then" not in kinds]
    for function, name in ignored_values(step_functions.module, inputs):
        detail = Detail(name=name, functions=(function.facts,))
        faults.append(Fault(FaultCode.IGNORED_VALUE, detail=detail))
    return tuple(faults)


def climb_row(instruction: str, input: str, output: str) -> Ladder:
    """Climb with a row of a dataset: the scenario in its task, the step functions in its output."""
    (ladder,) = climb_rows([(instruction, input, output)], Rung.BOUND)
    return ladder


def reachable(wanted: Rung) -> tuple[Rung, str | None]:
    """The highest rung up to `wanted` that this machine can check, and what it lacks for more."""
    lack = sandbox.missing() if wanted > Rung.BOUND else None
    return (Rung.BOUND, lack) if lack else (wanted, None)


def climb_rows(
    rows: Iterable[tuple[str, str, str]], top: Rung, workers: int | None = None
) -> list[Ladder]:
    """Climb with rows of (instruction, input, output) as far as `top`, in order.

    Raises:
        SelfBehaveError: `top` is above `bound` and this machine has no sandbox.
    """
    return list(climb_each(rows, top, workers))


def climb_each(
    rows: Iterable[tuple[str, str, str]],
    top: Rung,
    workers: int | None = None,
    limits: sandbox.Limits | None = None,
) -> Iterator[Ladder]:
    """Like `climb_rows`, but yields each ladder as soon as it and all earlier ones are known."""
    found = [_pair_of(*row) for row in rows]
    pairs = [one for one in found if not isinstance(one, Ladder)]
    climbed = _climbing_pairs(pairs, top, workers, limits)
    for one in found:
        yield one if isinstance(one, Ladder) else next(climbed)


def _pair_of(instruction: str, input: str, output: str) -> tuple[str, str] | Ladder:
    """The scenario and the step functions of a row; the verdict if one of them is missing."""
    scenario = first_block(f"{instruction}\n\n{input}", GHERKIN)
    code = first_block(output, PYTHON)
    codes = []
    if scenario is None:
        codes.append(FaultCode.SCENARIO_NOT_FOUND)
    elif not scenario.is_closed:
        codes.append(FaultCode.SCENARIO_CUT_OFF)
    if code is None:
        codes.append(FaultCode.PYTHON_NOT_FOUND)
    elif not code.is_closed:
        codes.append(FaultCode.PYTHON_CUT_OFF)
    if scenario is None or code is None or codes:
        return Ladder(Rung.NONE, False, False, tuple(map(Fault, codes)))
    return scenario.body, code.body


def climb_pairs(
    pairs: Iterable[tuple[str, str]],
    top: Rung = Rung.CAUSAL,
    workers: int | None = None,
    limits: sandbox.Limits | None = None,
) -> list[Ladder]:
    """Climb with many pairs of a scenario and its step functions, as far as `top`, in order.

    Args:
        workers: the number of pairs in the sandbox at a time; by default one for each core.
        limits: the limits of each run.

    Raises:
        SelfBehaveError: `top` is above `bound` and this machine has no sandbox.
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
        return (
            ladder if ladder.rung < Rung.BOUND else _climb_on(ladder, BoundPair(*pair, limits), top)
        )

    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        yield from pool.map(climb_all_the_way, pairs)


@dataclass(frozen=True)
class _Tried:
    """The result of checking one rung.

    Attributes:
        fault: the fault that keeps the pair from the rung; None if it is reached.
        change, input_change: evidence for the rung, as in `Ladder`.
    """

    fault: Fault | None = None
    change: str | None = None
    input_change: str | None = None


def _climb_on(ladder: Ladder, pair: BoundPair, top: Rung) -> Ladder:
    """Continue to climb with a bound pair in the sandbox, one rung after another."""
    for rung, try_for in _IN_SANDBOX.items():
        if rung > top:
            break
        tried = try_for(pair)
        if tried.fault is not None:
            ladder = replace(ladder, faults=(*ladder.faults, tried.fault))
            break
        ladder = replace(
            ladder,
            rung=rung,
            change=tried.change or ladder.change,
            input_change=tried.input_change or ladder.input_change,
        )
    if top < Rung.CAUSAL or ladder.rung < Rung.PASSING:
        return ladder
    idle = find_idle_steps(pair)
    faults = [Fault(FaultCode.IDLE_STEP, step.line, Detail(text=step.text)) for step in idle]
    return replace(ladder, faults=(*ladder.faults, *faults))


def _try_passing(pair: BoundPair) -> _Tried:
    """Run the pair: it passes if it is green."""
    outcome = pair.run(parse_scenario(pair.scenario_text).feature_text)
    if outcome.reason is None:
        return _Tried()
    return _Tried(Fault(_CODE_OF_RUN[outcome.reason], detail=_detail_of(outcome)))


def _detail_of(outcome: sandbox.Outcome) -> Detail:
    failure = outcome.failure
    if failure is None:
        return Detail(words=outcome.detail)
    return Detail(
        words=outcome.detail,
        source=failure.frames[-1].source if failure.frames else "",
        operands=tuple((one.source, one.value) for one in failure.operands),
    )


def _try_discriminating(pair: BoundPair) -> _Tried:
    """Run the pair with changed expected values, until a change turns it red."""
    tried = 0
    for mutant in mutants(pair.scenario_text):
        # A step that is no longer bound fails for another reason than its expected value.
        if not pair.is_bound(mutant.text):
            continue
        if not pair.may_run:
            break
        tried += 1
        if pair.run(mutant.text).reason == "failed":
            return _Tried(change=mutant.description)
    if not tried:
        return _Tried(Fault(FaultCode.NO_EXPECTED_VALUE))
    return _Tried(Fault(FaultCode.NO_CHANGE_TURNS_RED, detail=Detail(count=tried)))


def _try_causal(pair: BoundPair) -> _Tried:
    """Run the pair without its action, and with changed inputs."""
    causality = find_causes(pair)
    return _Tried(causality.fault, input_change=causality.input_change)


# The checks of the rungs above `bound`, in order; each runs only if the one below succeeds.
_IN_SANDBOX: Mapping[Rung, Callable[[BoundPair], _Tried]] = {
    Rung.PASSING: _try_passing,
    Rung.DISCRIMINATING: _try_discriminating,
    Rung.CAUSAL: _try_causal,
}

# The fault code of each reason that the sandbox gives for a failed run.
_CODE_OF_RUN = {
    "failed": FaultCode.RUN_FAILED,
    "time limit": FaultCode.RUN_TIME_LIMIT,
    "cpu limit": FaultCode.RUN_CPU_LIMIT,
    "output limit": FaultCode.RUN_OUTPUT_LIMIT,
    "file size limit": FaultCode.RUN_FILE_SIZE_LIMIT,
    "killed": FaultCode.RUN_KILLED,
    "forged result": FaultCode.RUN_FORGED_RESULT,
}

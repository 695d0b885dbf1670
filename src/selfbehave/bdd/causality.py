"""Causality: does a scenario's outcome depend on its action and on its input values?

The answer comes from running variants of the scenario. A red run counts only if a Then step is the
first step that does not pass. A failing Given or When proves nothing about the outcome: code that
only checks its inputs fails with any other input. A Then may fail with any error, because without
the action even an honest one may find nothing to check.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from .bound_pair import BoundPair
from .faults import Detail, Fault, FaultCode
from .mutants import input_mutants
from .omissions import each_scenario_alone, without_actions, without_each_given
from .scenario import ScenarioError, Step, parse_scenario

__all__ = [
    "MAX_GIVENS_LEFT_OUT",
    "MAX_SCENARIOS",
    "Causality",
    "find_causes",
    "find_idle_steps",
]

MAX_SCENARIOS = 8  # in one text; each needs its own runs
MAX_GIVENS_LEFT_OUT = 16


@dataclass(frozen=True)
class Causality:
    """Whether a scenario's outcome depends on its action and its input.

    Attributes:
        fault: the reason why it does not; None if it does.
        input_change: the input change that turned a Then red; the last scenario's if the text has
            several.
    """

    fault: Fault | None
    input_change: str | None = None


def find_causes(pair: BoundPair) -> Causality:
    """Check each scenario of a pair, and stop at the first one whose outcome lacks a cause.

    The outcome of a scenario has its causes if a Then goes red without the When steps, and if a
    Then goes red when at least one value in a Given or When step changes.

    Args:
        pair: a pair that passes.
    """
    scenarios = each_scenario_alone(pair.scenario_text)
    if len(scenarios) > MAX_SCENARIOS:
        return Causality(Fault(FaultCode.TOO_MANY_SCENARIOS, detail=Detail(count=MAX_SCENARIOS)))
    found = Causality(None)
    for text in scenarios:
        fault = _fault_of_action(text, pair)
        found = Causality(fault) if fault else _find_input(text, pair)
        if found.fault is not None:
            break
    return found


def find_idle_steps(pair: BoundPair) -> tuple[Step, ...]:
    """The Given steps that change nothing: the pair stays green when one of them is left out.

    Only the first `MAX_GIVENS_LEFT_OUT` Given steps are tried.

    Args:
        pair: a pair that passes.
    """
    omissions = islice(without_each_given(pair.scenario_text), MAX_GIVENS_LEFT_OUT)
    return tuple(
        step
        for omission in omissions
        if pair.may_run and _has_steps(omission.text) and pair.run(omission.text).passed
        for step in omission.omitted
    )


def _fault_of_action(scenario_text: str, pair: BoundPair) -> Fault | None:
    omission = without_actions(scenario_text)
    if not omission.omitted:
        return Fault(FaultCode.NO_ACTION)
    if _turns_a_then_red(omission.text, pair):
        return None
    return Fault(FaultCode.GREEN_WITHOUT_ACTION, omission.omitted[0].line)


def _find_input(scenario_text: str, pair: BoundPair) -> Causality:
    tried = 0
    for mutant in input_mutants(scenario_text):
        if pair.may_run and pair.is_bound(mutant.text):
            tried += 1
            if _turns_a_then_red(mutant.text, pair):
                return Causality(None, mutant.description)
    if not tried:
        return Causality(Fault(FaultCode.NO_INPUT_VALUE))
    return Causality(Fault(FaultCode.NO_INPUT_TURNS_RED, detail=Detail(count=tried)))


def _turns_a_then_red(feature_text: str, pair: BoundPair) -> bool:
    if not _has_steps(feature_text):
        return False
    place = pair.run(feature_text).failed_step
    return place is not None and parse_scenario(feature_text).steps[place].kind == "then"


def _has_steps(feature_text: str) -> bool:
    """Whether any steps are left to run."""
    try:
        return bool(parse_scenario(feature_text).steps)
    except ScenarioError:
        return False

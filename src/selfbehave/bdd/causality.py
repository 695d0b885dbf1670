"""Causality: does an outcome come from the action, and from what the scenario was given?

Found by running variants of a scenario. Red counts only where a Then step is the first not to
pass. A Given or a When that fails says nothing of the outcome: code that merely checks its inputs
would go red with any other. A Then may fail in whatever way, for without its action an honest one
may find nothing to look at.
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

MAX_SCENARIOS = 8  # of one text: each has runs of its own
MAX_GIVENS_LEFT_OUT = 16


@dataclass(frozen=True)
class Causality:
    """Whether an outcome has its causes.

    Attributes:
        fault: what shows that it has not, None where it has.
        input_change: the change of an input that turned a Then red; where the text has several
            scenarios, that of the last one.
    """

    fault: Fault | None
    input_change: str | None = None


def find_causes(pair: BoundPair) -> Causality:
    """Look for the causes of each scenario's outcome, up to the first that has none.

    A scenario has them where a Then goes red without the When steps, and where a Then goes red
    under a change of at least one value that its Given or When steps state.

    Args:
        pair: passes.
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
    """The Given steps, of the first `MAX_GIVENS_LEFT_OUT`, without which everything stays green.

    Args:
        pair: passes.
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
    """Whether anything is left to run."""
    try:
        return bool(parse_scenario(feature_text).steps)
    except ScenarioError:
        return False

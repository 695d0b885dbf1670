"""The screen: whether a scenario that was asked for with a story is worth solving."""

from __future__ import annotations

from ..bdd.heads import heads_of
from ..bdd.scenario import ScenarioError, parse_scenario
from ..bdd.screening import (
    PLACEHOLDER,
    VALUE,
    ScreenCode,
    ScreenFault,
    WrittenStep,
    fault_of_shape,
    repeated_value,
    written_steps,
)

__all__ = ["screen"]


def screen(scenario_text: str) -> ScreenFault | None:
    """What keeps a scenario from being solved, None where nothing does.

    It must have one When, state a value that goes in, and a value that comes out: otherwise no
    step functions can be proven to work it out.
    """
    try:
        scenario = parse_scenario(scenario_text)
    except ScenarioError:
        return ScreenFault(ScreenCode.NOT_PARSED)
    if fault := fault_of_shape(scenario):
        return fault
    steps = [*written_steps(scenario)]
    of_kind = {
        kind: [step for step in steps if step.kind == kind] for kind in ("given", "when", "then")
    }
    for kind, some in of_kind.items():
        if fault := repeated_value(kind, some):
            return fault
    if not any(map(_has_value, (*of_kind["given"], *of_kind["when"]))):
        return ScreenFault(ScreenCode.NO_INPUT)
    outcomes = [*filter(_has_value, of_kind["then"])]
    if not outcomes:
        return ScreenFault(ScreenCode.NO_OUTCOME)
    # Such a scenario holds without its When, so that nothing can be proven of the action.
    given = {step.text.lower() for step in of_kind["given"]}
    if all(step.text.lower() in given for step in outcomes):
        return ScreenFault(ScreenCode.THEN_REPEATS_GIVEN, "then")
    return ScreenFault(ScreenCode.AMBIGUOUS_STEPS) if heads_of(scenario) is None else None


def _has_value(step: WrittenStep) -> bool:
    return any(VALUE.search(line) or PLACEHOLDER.search(line) for line in step.lines)

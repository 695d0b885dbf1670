"""The screen: whether a scenario that was asked for with a story is worth solving."""

from __future__ import annotations

from collections.abc import Iterable

from ..bdd.heads import heads_of
from ..bdd.scenario import ScenarioError, parse_scenario
from ..bdd.screening import (
    PLACEHOLDER,
    VALUE,
    ScreenCode,
    ScreenFault,
    fault_of_shape,
    repeated_value,
    then_that_repeats_given,
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
    if not _has_value(
        line for kind in ("given", "when") for s in of_kind[kind] for line in s.lines
    ):
        return ScreenFault(ScreenCode.NO_INPUT)
    if not _has_value(line for step in of_kind["then"] for line in step.lines):
        return ScreenFault(ScreenCode.NO_OUTCOME)
    if fault := then_that_repeats_given(steps):
        return fault
    return ScreenFault(ScreenCode.AMBIGUOUS_STEPS) if heads_of(scenario) is None else None


def _has_value(lines: Iterable[str]) -> bool:
    return any(VALUE.search(line) or PLACEHOLDER.search(line) for line in lines)

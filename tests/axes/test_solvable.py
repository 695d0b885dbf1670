"""Every kind of rule can give a clean row: honest code that follows its formula is causal.

Scenario and code are written by rote from the cell. A value that cannot matter, or a step that
would be idle, shows here before a model is paid for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from selfbehave.axes.axes_file import packaged_axes
from selfbehave.axes.formulas import Value
from selfbehave.axes.table import Feature, Kind, Outcome
from selfbehave.axes.values import draw_values, outcomes_stated
from selfbehave.bdd import sandbox
from selfbehave.bdd.faults import FaultCode
from selfbehave.bdd.ladder import Rung, climb_pairs

UNCLEAN = {FaultCode.IDLE_STEP, FaultCode.IDLE_ACTION, FaultCode.HARD_CODED_OUTCOME}
FUNCTIONS = """\
from math import ceil

from behave import given, then, when


def clock_minutes(text):
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def time(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


def word_count(text):
    return len(text.split())


def has_word(text, word):
    return word in text.split()


class Model:
    pass


"""
SIDES = [
    (kind, outcome)
    for kind in packaged_axes().kinds
    if not kind.table and Feature.PLAIN in kind.features
    for outcome in kind.outcomes
]


def shown(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def parameter(value: Value) -> str:
    return '"{value}"' if isinstance(value, str) else "{value:d}"


def pair_of(kind: Kind, outcome: Outcome) -> tuple[str, str]:
    """A scenario with one step for each value, and code that follows the kind's formulas."""
    values = draw_values(kind, outcome, kind.settings[1], "solvable")
    stated = outcomes_stated(kind, outcome)
    (acted,) = kind.when
    lines = ["Scenario: By rote"]
    lines += [f"  {'And' if at else 'Given'} {step(n, values)}" for at, n in enumerate(kind.given)]
    lines.append(f"  When {step(acted, values)}")
    lines += [f"  {'And' if at else 'Then'} {step(n, values)}" for at, n in enumerate(stated)]
    code = [FUNCTIONS]
    for at, name in enumerate(kind.given):
        made = "" if at else "    context.model = Model()\n"
        code.append(function("given", name, values, f"{made}    context.model.{name} = value"))
    known = [f"    {acted} = value", *(f"    {n} = context.model.{n}" for n in kind.given)]
    worked = [f"    context.model.{n} = {kind.values[n].text}" for n in stated]
    code.append(function("when", acted, values, "\n".join([*known, *worked])))
    code += [function("then", n, values, f"    assert context.model.{n} == value") for n in stated]
    return "\n".join(lines), "\n\n\n".join(code)


def step(name: str, values: Mapping[str, Value]) -> str:
    return f"the {name} is {shown(values[name])}"


def function(kind: str, name: str, values: Mapping[str, Value], body: str) -> str:
    pattern = f"the {name} is {parameter(values[name])}"
    return f"@{kind}('{pattern}')\ndef {kind}_{name}(context, value):\n{body}"


@pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))
def test_honest_code_is_causal_without_idle_steps_for_every_kind_and_outcome() -> None:
    ladders = climb_pairs([pair_of(*side) for side in SIDES], workers=2)
    unclean = {
        f"{kind.name} {outcome.name}": (str(ladder.rung), [str(one.code) for one in ladder.faults])
        for (kind, outcome), ladder in zip(SIDES, ladders, strict=True)
        if ladder.rung < Rung.CAUSAL or UNCLEAN & {one.code for one in ladder.faults}
    }
    assert unclean == {}
    assert len(SIDES) > 80

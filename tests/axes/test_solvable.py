"""Every kind of rule can give a clean row: honest code that follows its formula is causal.

Scenario and code are written by rote from the cell. A value that cannot matter, or a step that
would be idle, shows here before a model is paid for it.
"""

from __future__ import annotations

import pytest

from selfbehave.axes.axes_file import packaged_axes
from selfbehave.axes.cell import Cell
from selfbehave.axes.cells import cell_of
from selfbehave.axes.forming import formed
from selfbehave.axes.screen import screen
from selfbehave.axes.table import Feature
from selfbehave.bdd import sandbox
from selfbehave.bdd.faults import FaultCode
from selfbehave.bdd.ladder import Rung, climb_pairs
from selfbehave.prompts import FAMILIES
from selfbehave.prompts.bdd import instruction_for

from ..helpers.rote import heads_in, scenario_by_rote, step_functions_by_rote
from ..helpers.scripted_server import WORDS

UNCLEAN = {
    FaultCode.HARD_CODED_OUTCOME,
    FaultCode.IDLE_ACTION,
    FaultCode.IDLE_STEP,
    FaultCode.IGNORED_VALUE,
}


def cells() -> list[Cell]:
    """A cell of each kind and outcome, as a table where the kind has one; and other features."""
    axes = packaged_axes()
    made = []
    for at, kind in enumerate(axes.kinds):
        features = [Feature.TABLE if kind.table else Feature.PLAIN] * len(kind.outcomes)
        others = [one for one in kind.features if one not in features]
        if kind.doc_string:
            features[0] = Feature.DOC_STRING
        elif at % 4 == 0 and others:
            features[0] = others[at // 4 % len(others)]
        made += [
            cell_of(axes, kind, outcome, kind.settings[1], feature, len(made), "solvable")
            for outcome, feature in zip(kind.outcomes, features, strict=True)
        ]
    return made


def pair_of(cell: Cell) -> tuple[str, str]:
    scenario = formed(scenario_by_rote(cell.request, WORDS), cell)
    prompt = FAMILIES["bdd_turns"].instances_prompt(instruction_for(scenario), False, (), 1, "chat")
    return scenario, step_functions_by_rote(scenario, heads_in(prompt.text))


def test_a_scenario_written_by_rote_holds_its_cell() -> None:
    faults = {cell.request: screen(pair_of(cell)[0], cell) for cell in cells()}
    assert {request: fault for request, fault in faults.items() if fault is not None} == {}


@pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))
def test_honest_code_is_causal_without_idle_steps_for_every_kind_and_outcome() -> None:
    climbed = cells()
    ladders = climb_pairs([pair_of(cell) for cell in climbed], workers=2)
    unclean = {
        f"{cell.kind} {cell.outcome_kind} {cell.feature}": (str(ladder.rung), ladder.faults)
        for cell, ladder in zip(climbed, ladders, strict=True)
        if ladder.rung < Rung.CAUSAL or UNCLEAN & {one.code for one in ladder.faults}
    }
    assert unclean == {}
    assert {cell.feature for cell in climbed} == {*Feature}
    assert len(climbed) > 100

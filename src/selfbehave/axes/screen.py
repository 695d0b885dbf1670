"""The screen: whether a scenario holds its cell, so that it is worth solving."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..bdd.fences import GHERKIN, fenced_blocks
from ..bdd.heads import heads_of
from ..bdd.scenario import Scenario, ScenarioError, parse_scenario, parts_of
from .cells import Cell
from .kinds import Value

__all__ = ["ScreenCode", "ScreenFault", "scenario_text_in", "screen"]

_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_DASHES = re.compile(r'"[-: ]*-[-: ]*"')  # a cell of such a row
_QUANTITY_TEXT = re.compile(r'"([^"]+)"')


class ScreenCode(StrEnum):
    """Why a scenario is not solved."""

    NOT_PARSED = "not_parsed"
    NOT_ONE_SCENARIO = "not_one_scenario"
    STEPS_OUT_OF_ORDER = "steps_out_of_order"
    NOT_ONE_WHEN = "not_one_when"
    MARKDOWN_TABLE = "markdown_table"  # a row of dashes below its head, which Gherkin reads as data
    AMBIGUOUS_STEPS = "ambiguous_steps"
    VALUE_LACKING = "value_lacking"
    NUMBER_ADDED = "number_added"


@dataclass(frozen=True)
class ScreenFault:
    """Why a scenario is not solved: a code, and the steps and the value it concerns, if any."""

    code: ScreenCode
    kind: str = ""
    value: str = ""


def scenario_text_in(answer: str) -> str:
    """The scenario in an answer: the first block of Gherkin, or the text from "Scenario" on."""
    for block in fenced_blocks(answer):
        if not block.language or block.language in GHERKIN:
            return block.body
    return answer[max(answer.find("Scenario"), 0) :].strip()


def screen(scenario_text: str, cell: Cell) -> ScreenFault | None:
    """What keeps a scenario from being solved, None where nothing does.

    Each value of the cell must stand in a step of its kind, and no step may hold other numbers.
    """
    try:
        scenario = parse_scenario(scenario_text)
    except ScenarioError:
        return ScreenFault(ScreenCode.NOT_PARSED)
    if fault := _fault_of_shape(scenario):
        return fault
    texts = _texts_by_kind(scenario)
    if any(_DASHES.fullmatch(text) for of_kind in texts.values() for text in of_kind):
        return ScreenFault(ScreenCode.MARKDOWN_TABLE)
    for kind, values in (("given", cell.given), ("when", cell.when), ("then", cell.then)):
        if fault := _fault_of_values(kind, texts[kind], values):
            return fault
    if heads_of(scenario) is None:
        return ScreenFault(ScreenCode.AMBIGUOUS_STEPS)
    return None


def _fault_of_shape(scenario: Scenario) -> ScreenFault | None:
    kinds = [step.kind or "" for step in scenario.steps]
    if scenario.scenario_count != 1 or "" in kinds:
        return ScreenFault(ScreenCode.NOT_ONE_SCENARIO)
    if kinds != sorted(kinds, key=("given", "when", "then").index):
        return ScreenFault(ScreenCode.STEPS_OUT_OF_ORDER)
    if kinds.count("when") != 1 or "given" not in kinds or "then" not in kinds:
        return ScreenFault(ScreenCode.NOT_ONE_WHEN)
    return None


def _texts_by_kind(scenario: Scenario) -> dict[str, list[str]]:
    """The lines, and the cells of tables, of the steps of each kind."""
    texts: dict[str, list[str]] = {"given": [], "when": [], "then": []}
    written = iter(scenario.written_steps)
    for part in parts_of(scenario.document):
        for step in part["steps"]:
            of_kind = texts[next(written).kind or "given"]
            of_kind.append(step["text"])
            for row in step.get("dataTable", {}).get("rows", []):
                # As quoted texts, so that a cell is found as a quoted value is.
                of_kind += [f'"{cell["value"]}"' for cell in row["cells"]]
    return texts


def _fault_of_values(
    kind: str, texts: list[str], values: Mapping[str, Value]
) -> ScreenFault | None:
    text = "\n".join(texts)
    numbers = _NUMBER.findall(text)
    names = [quoted for name in values for quoted in _QUANTITY_TEXT.findall(name)]
    for value in [*names, *map(str, values.values())]:
        if value in numbers:
            numbers.remove(value)
        elif _NUMBER.fullmatch(value) or f'"{value}"' not in text:
            return ScreenFault(ScreenCode.VALUE_LACKING, kind, value)
    return ScreenFault(ScreenCode.NUMBER_ADDED, kind, numbers[0]) if numbers else None

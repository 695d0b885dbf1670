"""The screen: whether a scenario holds its cell, so that it is worth solving."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..bdd.heads import heads_of
from ..bdd.scenario import Scenario, ScenarioError, parse_scenario
from ..bdd.screening import (
    NUMBER,
    PLACEHOLDER,
    QUOTED,
    VALUE,
    ScreenCode,
    ScreenFault,
    WrittenStep,
    fault_of_shape,
    repeated_value,
    written_steps,
)
from .cell import Cell
from .formulas import Value
from .table import Feature

__all__ = ["ScreenCode", "ScreenFault", "screen"]

_NEGATION = re.compile(r"\b(?:not|no|never|cannot|without|instead|nobody|un\w+)\b|n't\b", re.I)
# What is said of an outcome and of its opposite. Only words that can hardly mean something else.
_OPPOSITES = (
    (
        {"accepted", "approved", "granted", "admitted", "permitted"},
        {"refused", "rejected", "denied", "declined"},
    ),
    ({"passed", "passes"}, {"failed", "fails"}),
    ({"delivered"}, {"blocked"}),
    ({"on time", "in time"}, {"late", "too late"}),
)


def screen(scenario_text: str, cell: Cell) -> ScreenFault | None:
    """What keeps a scenario from being solved, None where nothing does.

    It must have the cell's form. Each value of the cell must stand in a step of its kind, and no
    step may hold other numbers.
    """
    try:
        scenario = parse_scenario(scenario_text)
    except ScenarioError:
        return ScreenFault(ScreenCode.NOT_PARSED)
    if fault := fault_of_shape(scenario):
        return fault
    steps = [*written_steps(scenario)]
    if fault := _fault_of_form(scenario, steps, cell):
        return fault
    for kind, values in _values_in_steps(cell).items():
        if fault := _fault_of_values(kind, [step for step in steps if step.kind == kind], values):
            return fault
    if any(step.kind == "given" and not _says(step, cell) for step in steps):
        return ScreenFault(ScreenCode.GIVEN_WITHOUT_VALUE, "given")
    if fault := _fault_of_sense(scenario, steps, cell):
        return fault
    if heads_of(scenario) is None:
        return ScreenFault(ScreenCode.AMBIGUOUS_STEPS)
    return None


def _fault_of_form(
    scenario: Scenario, steps: Sequence[WrittenStep], cell: Cell
) -> ScreenFault | None:
    children = scenario.document["feature"]["children"]
    inner = [one for child in children for one in child.get("rule", {}).get("children", [child])]
    match cell.feature:
        case Feature.OUTLINE:
            (outline,) = (one["scenario"] for one in inner if "scenario" in one)
            return _fault_of_examples(outline["examples"], steps, cell)
        case Feature.TABLE:
            has_form = any(
                step.kind == "given" and step.rows[1:] == cell.table[1:] for step in steps
            )
        case Feature.BACKGROUND:
            has_form = any("background" in one for one in inner)
        case Feature.RULE:
            has_form = any(child["rule"]["name"].strip() for child in children if "rule" in child)
        case Feature.DOC_STRING:
            has_form = any(step.doc_string for step in steps)
        case _:
            has_form = True
    return None if has_form else ScreenFault(ScreenCode.FORM_LACKING, value=str(cell.feature))


def _fault_of_examples(
    examples: Sequence[Mapping[str, Any]], steps: Sequence[WrittenStep], cell: Cell
) -> ScreenFault | None:
    if len(examples) != 1:
        return ScreenFault(ScreenCode.FORM_LACKING, value=str(cell.feature))
    (table,) = examples
    heads = [one["value"] for one in table["tableHeader"]["cells"]]
    rows = [[one["value"].strip('"') for one in row["cells"]] for row in table["tableBody"]]
    if rows != [[*map(str, row.values())] for row in cell.rows]:
        return ScreenFault(ScreenCode.EXAMPLES_DIFFER)
    # The columns of When come first, then those of Then.
    wanted = {
        "given": set(),
        "when": {*heads[: len(cell.when)]},
        "then": {*heads[len(cell.when) :]},
    }
    for kind, of_kind in wanted.items():
        texts = "\n".join(line for step in steps if step.kind == kind for line in step.lines)
        found = {*PLACEHOLDER.findall(texts)}
        if found != of_kind:
            return ScreenFault(ScreenCode.EXAMPLES_DIFFER, kind, *sorted(found ^ of_kind)[:1])
    return None


def _values_in_steps(cell: Cell) -> dict[str, Mapping[str, Value]]:
    """The values that the steps of each kind hold: those of an outline's rows are placeholders."""
    if cell.feature is Feature.OUTLINE:
        return {"given": cell.given, "when": {}, "then": {}}
    return {"given": cell.given, "when": cell.when, "then": cell.then}


def _fault_of_values(
    kind: str, steps: Sequence[WrittenStep], values: Mapping[str, Value]
) -> ScreenFault | None:
    if fault := repeated_value(kind, steps):
        return fault
    lines = [line for step in steps for line in step.lines]
    for name, value in values.items():
        for quoted in QUOTED.findall(name):
            named = [line for line in lines if f'"{quoted}"' in line]
            if not named:
                return ScreenFault(ScreenCode.VALUE_LACKING, kind, quoted)
            if not any(str(value) in [*NUMBER.findall(one), *QUOTED.findall(one)] for one in named):
                return ScreenFault(ScreenCode.VALUE_LACKING, kind, str(value))
    text = "\n".join(lines)
    texts = [one for name in values for one in QUOTED.findall(name)]
    texts += [one for one in values.values() if isinstance(one, str) and not NUMBER.fullmatch(one)]
    for one in texts:
        # A text may name a row and be a value too, as states that follow each other are.
        if text.count(f'"{one}"') < texts.count(one):
            return ScreenFault(ScreenCode.VALUE_LACKING, kind, one)
    for one in texts:
        text = text.replace(f'"{one}"', '""')
    numbers = NUMBER.findall(text)
    for value in map(str, values.values()):
        if value in numbers:
            numbers.remove(value)
        elif NUMBER.fullmatch(value):
            return ScreenFault(ScreenCode.VALUE_LACKING, kind, value)
    return ScreenFault(ScreenCode.NUMBER_ADDED, kind, numbers[0]) if numbers else None


def _says(step: WrittenStep, cell: Cell) -> bool:
    """Whether a step of Given states a value, or words that the rule needs."""
    if step.rows or step.doc_string or VALUE.search(step.text) or PLACEHOLDER.search(step.text):
        return True
    text = step.text.lower()
    return any(one in text for alternatives in cell.says for one in alternatives.lower().split("|"))


def _fault_of_sense(
    scenario: Scenario, steps: Sequence[WrittenStep], cell: Cell
) -> ScreenFault | None:
    feature = scenario.document["feature"]
    rules = [child["rule"] for child in feature["children"] if "rule" in child]
    said = [f"{part['name']} {part['description']}" for part in (feature, *rules)]
    said += [line for step in steps if step.kind == "given" for line in step.lines]
    text = " ".join(said).lower()
    for alternatives in cell.says:
        if not any(one in text for one in alternatives.lower().split("|")):
            return ScreenFault(ScreenCode.RULE_NOT_SAID, "given", alternatives.split("|")[0])
    if word := _contradiction(scenario.name, cell):
        return ScreenFault(ScreenCode.TITLE_CONTRADICTS, value=word)
    if not {*cell.given} & {*cell.then}:
        given = {VALUE.sub("#", step.text).lower() for step in steps if step.kind == "given"}
        for step in steps:
            masked = VALUE.sub("#", step.text).lower()
            if step.kind == "then" and "#" in masked and masked in given:
                return ScreenFault(ScreenCode.THEN_REPEATS_GIVEN, "then")
    return None


def _contradiction(title: str, cell: Cell) -> str:
    """A word of a title that says the opposite of a cell's outcome; "" if none does."""
    if cell.rows or _NEGATION.search(title):
        return ""
    words = title.lower()

    def said(of: set[str]) -> list[str]:
        return sorted(one for one in of if re.search(rf"\b{re.escape(one)}\b", words))

    for one, other in _OPPOSITES:
        for mine, opposite in ((one, other), (other, one)):
            if cell.outcome in mine and not said(mine) and (found := said(opposite)):
                return found[0]
    return ""

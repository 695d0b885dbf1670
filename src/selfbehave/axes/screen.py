"""The screen: whether a scenario holds its cell, so that it is worth solving."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..bdd.heads import heads_of
from ..bdd.scenario import Scenario, ScenarioError, parse_scenario, parts_of
from .cell import Cell
from .formulas import Value
from .table import Feature

__all__ = ["ScreenCode", "ScreenFault", "screen"]

_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_DASHES = re.compile(r"[-: ]*-[-: ]*")  # a cell of such a row
_QUOTED = re.compile(r'"([^"]+)"')
_PLACEHOLDER = re.compile(r"<([^<>]+)>")
_VALUE = re.compile(f"{_QUOTED.pattern}|{_NUMBER.pattern}")
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


class ScreenCode(StrEnum):
    """Why a scenario is not solved."""

    NOT_PARSED = "not_parsed"
    NOT_ONE_SCENARIO = "not_one_scenario"
    STEPS_OUT_OF_ORDER = "steps_out_of_order"
    NOT_ONE_WHEN = "not_one_when"
    MARKDOWN_TABLE = "markdown_table"  # a row of dashes below its head, which Gherkin reads as data
    AMBIGUOUS_STEPS = "ambiguous_steps"
    FORM_LACKING = "form_lacking"  # the table, outline, background … that the cell asks for
    EXAMPLES_DIFFER = "examples_differ"  # the rows of an outline are not those of the cell
    VALUE_LACKING = "value_lacking"
    NUMBER_ADDED = "number_added"
    VALUE_TWICE = "value_twice"  # in one step: which of them a parameter means is unclear
    GIVEN_WITHOUT_VALUE = "given_without_value"  # so that its function has nothing to store
    RULE_NOT_SAID = "rule_not_said"  # Given lacks the words without which the rule is another one
    TITLE_CONTRADICTS = "title_contradicts"  # the title says the opposite of the outcome
    THEN_REPEATS_GIVEN = "then_repeats_given"  # so that the two steps would mean the same field


@dataclass(frozen=True)
class ScreenFault:
    """Why a scenario is not solved: a code, and the steps and the value it concerns, if any."""

    code: ScreenCode
    kind: str = ""
    value: str = ""

    @property
    def detail(self) -> str:
        """The steps and the value, for people."""
        return " ".join(filter(None, (self.kind, self.value)))


def screen(scenario_text: str, cell: Cell) -> ScreenFault | None:
    """What keeps a scenario from being solved, None where nothing does.

    It must have the cell's form. Each value of the cell must stand in a step of its kind, and no
    step may hold other numbers.
    """
    try:
        scenario = parse_scenario(scenario_text)
    except ScenarioError:
        return ScreenFault(ScreenCode.NOT_PARSED)
    if fault := _fault_of_shape(scenario):
        return fault
    steps = [*_steps_of(scenario)]
    if any(_DASHES.fullmatch(cell) for step in steps for row in step.rows for cell in row):
        return ScreenFault(ScreenCode.MARKDOWN_TABLE)
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


@dataclass(frozen=True)
class _Step:
    """A step as written: its kind, its line, and what it carries."""

    kind: str
    text: str
    rows: tuple[tuple[str, ...], ...]
    doc_string: str

    @property
    def lines(self) -> list[str]:
        """Its line, and rows and doc string with each cell as a quoted text."""
        carried = [" ".join(f'"{cell}"' for cell in row) for row in self.rows]
        if self.doc_string:
            carried.append(f'"{" ".join(self.doc_string.split())}"')
        return [self.text, *carried]


def _steps_of(scenario: Scenario) -> Iterator[_Step]:
    written = iter(scenario.written_steps)
    for part in parts_of(scenario.document):
        for step in part["steps"]:
            rows = step.get("dataTable", {}).get("rows", [])
            yield _Step(
                next(written).kind or "given",
                step["text"],
                tuple(tuple(cell["value"] for cell in row["cells"]) for row in rows),
                step.get("docString", {}).get("content", ""),
            )


def _fault_of_shape(scenario: Scenario) -> ScreenFault | None:
    kinds = [step.kind or "" for step in scenario.written_steps]
    if scenario.scenario_count != 1 or "" in kinds:
        return ScreenFault(ScreenCode.NOT_ONE_SCENARIO)
    if kinds != sorted(kinds, key=("given", "when", "then").index):
        return ScreenFault(ScreenCode.STEPS_OUT_OF_ORDER)
    if kinds.count("when") != 1 or "given" not in kinds or "then" not in kinds:
        return ScreenFault(ScreenCode.NOT_ONE_WHEN)
    return None


def _fault_of_form(scenario: Scenario, steps: Sequence[_Step], cell: Cell) -> ScreenFault | None:
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
    examples: Sequence[Mapping[str, Any]], steps: Sequence[_Step], cell: Cell
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
        found = {*_PLACEHOLDER.findall(texts)}
        if found != of_kind:
            return ScreenFault(ScreenCode.EXAMPLES_DIFFER, kind, *sorted(found ^ of_kind)[:1])
    return None


def _values_in_steps(cell: Cell) -> dict[str, Mapping[str, Value]]:
    """The values that the steps of each kind hold: those of an outline's rows are placeholders."""
    if cell.feature is Feature.OUTLINE:
        return {"given": cell.given, "when": {}, "then": {}}
    return {"given": cell.given, "when": cell.when, "then": cell.then}


def _fault_of_values(
    kind: str, steps: Sequence[_Step], values: Mapping[str, Value]
) -> ScreenFault | None:
    for step in steps:
        found = [one[0] for one in _VALUE.finditer(step.text)]
        if twice := next((one for one in found if found.count(one) > 1), None):
            return ScreenFault(ScreenCode.VALUE_TWICE, kind, twice.strip('"'))
    lines = [line for step in steps for line in step.lines]
    for name, value in values.items():
        for quoted in _QUOTED.findall(name):
            named = [line for line in lines if f'"{quoted}"' in line]
            if not named:
                return ScreenFault(ScreenCode.VALUE_LACKING, kind, quoted)
            if not any(
                str(value) in [*_NUMBER.findall(one), *_QUOTED.findall(one)] for one in named
            ):
                return ScreenFault(ScreenCode.VALUE_LACKING, kind, str(value))
    text = "\n".join(lines)
    texts = [one for name in values for one in _QUOTED.findall(name)]
    texts += [one for one in values.values() if isinstance(one, str) and not _NUMBER.fullmatch(one)]
    for one in texts:
        # A text may name a row and be a value too, as states that follow each other are.
        if text.count(f'"{one}"') < texts.count(one):
            return ScreenFault(ScreenCode.VALUE_LACKING, kind, one)
    for one in texts:
        text = text.replace(f'"{one}"', '""')
    numbers = _NUMBER.findall(text)
    for value in map(str, values.values()):
        if value in numbers:
            numbers.remove(value)
        elif _NUMBER.fullmatch(value):
            return ScreenFault(ScreenCode.VALUE_LACKING, kind, value)
    return ScreenFault(ScreenCode.NUMBER_ADDED, kind, numbers[0]) if numbers else None


def _says(step: _Step, cell: Cell) -> bool:
    """Whether a step of Given states a value, or words that the rule needs."""
    if step.rows or step.doc_string or _VALUE.search(step.text) or _PLACEHOLDER.search(step.text):
        return True
    text = step.text.lower()
    return any(one in text for alternatives in cell.says for one in alternatives.lower().split("|"))


def _fault_of_sense(scenario: Scenario, steps: Sequence[_Step], cell: Cell) -> ScreenFault | None:
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
        given = {_VALUE.sub("#", step.text).lower() for step in steps if step.kind == "given"}
        for step in steps:
            masked = _VALUE.sub("#", step.text).lower()
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

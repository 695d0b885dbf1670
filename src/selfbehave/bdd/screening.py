"""What every scenario must have before it is solved: one scenario, steps in order, one When.

Those who ask a model for a scenario may add their own rules, as `axes.screen` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .heads import heads_of
from .scenario import Scenario, ScenarioError, parse_scenario, parts_of

__all__ = [
    "NUMBER",
    "PLACEHOLDER",
    "QUOTED",
    "VALUE",
    "ScreenCode",
    "ScreenFault",
    "WrittenStep",
    "fault_of_shape",
    "repeated_value",
    "unsolvable",
    "written_steps",
]

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
QUOTED = re.compile(r'"([^"]+)"')
PLACEHOLDER = re.compile(r"<([^<>]+)>")
VALUE = re.compile(f"{QUOTED.pattern}|{NUMBER.pattern}")
_DASHES = re.compile(r"[-: ]*-[-: ]*")  # a cell of such a row


class ScreenCode(StrEnum):
    """Why a scenario is not solved."""

    NOT_PARSED = "not_parsed"
    NOT_ONE_SCENARIO = "not_one_scenario"
    STEPS_OUT_OF_ORDER = "steps_out_of_order"
    NOT_ONE_WHEN = "not_one_when"
    MARKDOWN_TABLE = "markdown_table"  # a row of dashes below its head, which Gherkin reads as data
    AMBIGUOUS_STEPS = "ambiguous_steps"
    FORM_LACKING = "form_lacking"  # the table, outline, background … that was asked for
    EXAMPLES_DIFFER = "examples_differ"  # the rows of an outline are not those of the cell
    VALUE_LACKING = "value_lacking"
    NUMBER_ADDED = "number_added"
    VALUE_TWICE = "value_twice"  # in one step: which of them a parameter means is unclear
    GIVEN_WITHOUT_VALUE = "given_without_value"  # so that its function has nothing to store
    RULE_NOT_SAID = "rule_not_said"  # Given lacks the words without which the rule is another one
    TITLE_CONTRADICTS = "title_contradicts"  # the title says the opposite of the outcome
    THEN_REPEATS_GIVEN = "then_repeats_given"  # so that the two steps would mean the same field
    NO_INPUT = "no_input"  # neither Given nor When states a value
    NO_OUTCOME = "no_outcome"  # Then states no value


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


@dataclass(frozen=True)
class WrittenStep:
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


def unsolvable(scenario_text: str) -> ScreenFault | None:
    """What keeps a scenario of any kind from being solved, None where nothing does.

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
    given = [step.lines for step in of_kind["given"]]
    if all(step.lines in given for step in outcomes):
        return ScreenFault(ScreenCode.THEN_REPEATS_GIVEN, "then")
    return ScreenFault(ScreenCode.AMBIGUOUS_STEPS) if heads_of(scenario) is None else None


def written_steps(scenario: Scenario) -> Iterator[WrittenStep]:
    """The steps of a scenario with their tables and doc strings; an outline's once."""
    written = iter(scenario.written_steps)
    for part in parts_of(scenario.document):
        for step in part["steps"]:
            rows = step.get("dataTable", {}).get("rows", [])
            yield WrittenStep(
                next(written).kind or "given",
                step["text"],
                tuple(tuple(cell["value"] for cell in row["cells"]) for row in rows),
                step.get("docString", {}).get("content", ""),
            )


def fault_of_shape(scenario: Scenario) -> ScreenFault | None:
    """What a text lacks to be one scenario with its steps in order and one When."""
    kinds = [step.kind or "" for step in scenario.written_steps]
    if scenario.scenario_count != 1 or "" in kinds:
        return ScreenFault(ScreenCode.NOT_ONE_SCENARIO)
    if kinds != sorted(kinds, key=("given", "when", "then").index):
        return ScreenFault(ScreenCode.STEPS_OUT_OF_ORDER)
    if kinds.count("when") != 1 or "given" not in kinds or "then" not in kinds:
        return ScreenFault(ScreenCode.NOT_ONE_WHEN)
    rows = (row for step in written_steps(scenario) for row in step.rows)
    if any(_DASHES.fullmatch(cell) for row in rows for cell in row):
        return ScreenFault(ScreenCode.MARKDOWN_TABLE)
    return None


def repeated_value(kind: str, steps: Sequence[WrittenStep]) -> ScreenFault | None:
    """A value that stands twice in the line of one of the steps."""
    for step in steps:
        found = [one[0] for one in VALUE.finditer(step.text)]
        if twice := next((one for one in found if found.count(one) > 1), None):
            return ScreenFault(ScreenCode.VALUE_TWICE, kind, twice.strip('"'))
    return None


def _has_value(step: WrittenStep) -> bool:
    return any(VALUE.search(line) or PLACEHOLDER.search(line) for line in step.lines)

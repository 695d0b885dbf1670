"""Read a scenario, alone or in a feature, and its steps, exactly as behave reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from behave.model import Background, Feature, Rule, ScenarioOutline

from .behave_parser import read_feature
from .document import document_of, parts_of, resolved_kinds
from .faults import Fault, FaultCode
from .feature_text import (
    MAX_SCENARIO_CHARACTERS,
    ScenarioError,
    as_feature,
    refuse_long_blanks,
    too_large,
)
from .growth import MAX_RUN_STEPS, fault_of_growth

__all__ = [
    "MAX_RUN_STEPS",
    "MAX_SCENARIO_CHARACTERS",
    "Scenario",
    "ScenarioError",
    "Step",
    "as_feature",
    "parse_document",
    "parse_scenario",
    "parts_of",
    "resolved_kinds",
    "too_large",
]


@dataclass(frozen=True)
class Step:
    """A step as behave runs it: its kind resolved, its outline parameters filled in.

    Attributes:
        kind: "given", "when" or "then"; And, But and * have the kind of the step before them.
            None if there is no such step.
        text: the text after the keyword.
        line: the line of the step in the parsed text, from 1.
    """

    kind: str | None
    text: str
    line: int


@dataclass(frozen=True)
class Scenario:
    """A parsed text.

    Attributes:
        name: the title of its first scenario.
        scenario_count: the number of scenarios; an outline counts as one.
        steps: all steps of all scenarios, including backgrounds and every row of outlines.
        written_steps: the steps as written, without filling in outline parameters.
        feature_text: the text as a complete feature document that behave can run.
        added_lines: the number of lines that `feature_text` has before those of the text.
        document: the parsed document; see `bdd.document`.
    """

    name: str
    scenario_count: int
    steps: tuple[Step, ...]
    written_steps: tuple[Step, ...]
    feature_text: str
    added_lines: int = field(repr=False)
    document: Any = field(repr=False, compare=False)


@lru_cache(maxsize=64)  # the ladder uses the same few texts at each rung
def parse_scenario(text: str) -> Scenario:
    """Parse a scenario, or a feature with scenarios, in any spoken language that behave supports.

    A bare scenario is wrapped in a feature.

    Raises:
        ScenarioError: behave refuses the text, or it has no steps to run. The second check finds
            documents that parse only because their steps are read as a description.
    """
    feature_text, added_lines = as_feature(text)
    feature, document = _read(feature_text, added_lines)
    steps = tuple(_run_steps(feature, added_lines))
    if not steps:
        raise ScenarioError(Fault(FaultCode.NO_STEP))
    parts = list(parts_of(document))
    names = [part["name"] for part in parts if "examples" in part]
    return Scenario(
        name=names[0],
        scenario_count=len(names),
        steps=steps,
        written_steps=tuple(
            Step(step["kind"], step["text"], step["location"]["line"] - added_lines)
            for part in parts
            for step in part["steps"]
        ),
        feature_text=feature_text,
        added_lines=added_lines,
        document=document,
    )


def parse_document(feature_text: str, added_lines: int = 0) -> Any:
    """The document of a whole feature, as behave reads it; see `bdd.document`.

    Args:
        feature_text, added_lines: from `as_feature`.

    Raises:
        ScenarioError: behave refuses the text, or it grows too large with outlines filled in.
    """
    return _read(feature_text, added_lines)[1]


def _read(feature_text: str, added_lines: int) -> tuple[Feature, Any]:
    refuse_long_blanks(feature_text, added_lines)
    feature = read_feature(feature_text, added_lines)
    document = document_of(feature, feature_text)
    if fault := fault_of_growth(document):
        raise ScenarioError(fault)
    return feature, document


def _run_steps(feature: Feature | Rule, added_lines: int) -> Iterator[Step]:
    for item in feature.run_items:
        if isinstance(item, Rule):
            yield from _run_steps(item, added_lines)
            continue
        steps = [*_background_steps(item.background), *item.steps]
        rows = _rows(item) if isinstance(item, ScenarioOutline) else [None]
        for row in rows:
            for step in steps:
                yield Step(step.step_type, _filled(step.name, row), step.line - added_lines)


def _background_steps(background: Background | None) -> list[Any]:
    """The steps of a background; the feature's own come before those of a rule's background."""
    if background is None:
        return []
    return [*_background_steps(background.inherited_background), *background.steps]


_Parameters = list[tuple[str, str]]


def _rows(outline: ScenarioOutline) -> Iterator[_Parameters]:
    """The parameters of each row, in the order in which behave fills them in."""
    for number, examples in enumerate(outline.examples, start=1):
        for place, row in enumerate(examples.table or (), start=1):
            columns = list(row.items())
            index = [
                ("examples.index", str(number)),
                ("row.index", str(place)),
                ("row.id", f"{number}.{place}"),
            ]
            name = _filled(examples.name, [*columns, ("examples.name", examples.name), *index])
            yield [*columns, ("examples.name", name), *index]


def _filled(text: str, parameters: _Parameters | None) -> str:
    # One after another, because a value may contain another parameter.
    if parameters and "<" in text and ">" in text:
        for name, value in parameters:
            text = text.replace(f"<{name}>", value)
    return text

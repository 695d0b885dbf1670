"""The scenarios of a feature file, each made to stand alone.

A scenario takes the steps of its backgrounds (the feature's, then its rule's) before its own, and
keeps its spoken language, data tables and doc strings. An outline stays an outline with all its
Examples. Tags, descriptions and comments stay behind: they select, explain and steer hooks, which
a scenario that stands alone has none of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gherkin.dialect import Dialect

from ...bdd.formatting import format_scenario
from ...bdd.official_parser import parse_officially, run_pickles
from ...bdd.scenario import (
    MAX_SCENARIO_CHARACTERS,
    ScenarioError,
    Step,
    as_feature,
    parse_scenario,
    resolved_kinds,
    too_large,
)
from .left_out import CannotImportError

__all__ = ["OwnScenario", "scenarios_of"]

MAX_FEATURE_LINES = 50_000
MAX_FEATURE_STEPS = 100_000  # of a feature file, its outline rows filled in


@dataclass(frozen=True)
class OwnScenario:
    """A scenario that stands alone.

    Attributes:
        name: its title.
        line: of its title in the feature file, from 1.
        text: laid out canonically, without a feature around it.
        steps: as they are run: outline parameters filled in, each row's steps in turn.
    """

    name: str
    line: int
    text: str
    steps: tuple[Step, ...]


def scenarios_of(feature_text: str) -> Iterator[OwnScenario | CannotImportError]:
    """Each scenario of a feature file in order, or why it cannot stand alone.

    Args:
        feature_text: the whole file, its line breaks being \\n.
    """
    try:
        if feature_text.count("\n") > MAX_FEATURE_LINES:
            raise ScenarioError(too_large(MAX_FEATURE_LINES, "lines"))
        document = parse_officially(feature_text, most_steps=MAX_FEATURE_STEPS)
    except ScenarioError as error:
        yield CannotImportError("feature_not_read", str(error))
        return
    feature = document.get("feature")
    if not feature:
        yield CannotImportError("feature_not_read", "no feature in it")
        return
    lines = feature_text.split("\n")
    runs = _runs_of(document)
    for backgrounds, scenario in _with_backgrounds(feature["children"]):
        part = _Part(lines, feature["language"], backgrounds, scenario)
        try:
            yield _standing_alone(part, runs.get(scenario["id"], []))
        except CannotImportError as error:
            error.line = scenario["location"]["line"]
            yield error


@dataclass(frozen=True)
class _Part:
    """A scenario in its document, and the lines it is written on."""

    lines: Sequence[str]
    language: str
    backgrounds: Sequence[dict[str, Any]]
    scenario: dict[str, Any]


def _standing_alone(part: _Part, run: list[Any]) -> OwnScenario:
    scenario = part.scenario
    if not run:
        raise CannotImportError("no_steps", f"'{scenario['name']}'")
    if not scenario["name"].strip():
        raise CannotImportError("no_title", "the title is what tells scenarios apart")
    behind = "\n".join(line for one in part.backgrounds for line in _step_lines(part, one))
    for name in _parameters(scenario):
        if f"<{name}>" in behind:
            raise CannotImportError("background_parameter", f"the Examples would fill in <{name}>")
    written = "\n".join(_written(part))
    if len(written) > MAX_SCENARIO_CHARACTERS:
        raise CannotImportError("too_long", f"more than {MAX_SCENARIO_CHARACTERS:,} characters")
    try:
        text = format_scenario(written)
        parsed = parse_scenario(text)
        run_alone = _runs_of(parse_officially(*as_feature(text)))
    except ScenarioError as error:
        raise CannotImportError("feature_not_read", str(error)) from error
    # What is written must say what was read: every step, table and doc string, row by row.
    if list(run_alone.values()) != [run]:
        raise CannotImportError("feature_not_read", "it reads otherwise when it stands alone")
    return OwnScenario(scenario["name"], scenario["location"]["line"], text, parsed.steps)


def _with_backgrounds(
    children: Sequence[dict[str, Any]], outer: Sequence[dict[str, Any]] = ()
) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
    backgrounds = list(outer)
    for child in children:
        if "background" in child:
            backgrounds.append(child["background"])
        elif "rule" in child:
            yield from _with_backgrounds(child["rule"]["children"], backgrounds)
        elif "scenario" in child:
            yield list(backgrounds), child["scenario"]


def _runs_of(document: Any) -> dict[str, list[Any]]:
    """What each scenario runs, by its id: kind, text and argument of each step of each row."""
    runs: dict[str, list[Any]] = {}
    for pickle in run_pickles(document):
        steps = [(step["type"], step["text"], step.get("argument")) for step in pickle["steps"]]
        if steps:
            runs.setdefault(pickle["astNodeIds"][0], []).append(steps)
    return runs


def _parameters(scenario: dict[str, Any]) -> set[str]:
    headers = [table["tableHeader"] for table in scenario["examples"] if table.get("tableHeader")]
    return {cell["value"] for header in headers for cell in header["cells"]}


def _written(part: _Part) -> Iterator[str]:
    if part.language != "en":
        yield f"# language: {part.language}"
    scenario = part.scenario
    yield f"{scenario['keyword']}: {scenario['name']}"
    kind: str | None = None
    for owner in (*part.backgrounds, scenario):
        kinds = resolved_kinds(owner["steps"])
        for place, (step, step_kind) in enumerate(zip(owner["steps"], kinds, strict=True)):
            first, *rest = _lines_of(part, step)
            if place == 0 and kind is not None and step_kind == kind:
                # The background's last Given and the scenario's first: the second is an And.
                keyword = _and_keyword(part.language)
                first = keyword + first.strip()[len(step["keyword"].rstrip()) :].lstrip()
            yield first
            yield from rest
            kind = step_kind or kind
    for examples in scenario["examples"]:
        if examples.get("tableHeader") is None:
            continue
        yield ""
        yield f"{examples['keyword']}: {examples['name']}".rstrip()
        for row in (examples["tableHeader"], *examples["tableBody"]):
            yield part.lines[row["location"]["line"] - 1]


def _step_lines(part: _Part, owner: dict[str, Any]) -> Iterator[str]:
    for step in owner["steps"]:
        yield from _lines_of(part, step)


def _lines_of(part: _Part, step: dict[str, Any]) -> Iterator[str]:
    """A step's line and those of its table or doc string, as written."""
    yield part.lines[step["location"]["line"] - 1]
    for row in step.get("dataTable", {}).get("rows", ()):
        yield part.lines[row["location"]["line"] - 1]
    if "docString" in step:
        number = step["docString"]["location"]["line"]  # of the line behind the opening one
        delimiter = step["docString"]["delimiter"]
        yield part.lines[number - 1]
        while not part.lines[number].strip().startswith(delimiter):
            yield part.lines[number]
            number += 1
        yield part.lines[number]


def _and_keyword(language: str) -> str:
    dialect = Dialect.for_name(language)
    assert dialect is not None  # the parser has read the document
    return next(one for one in dialect.and_keywords if not one.startswith("*"))

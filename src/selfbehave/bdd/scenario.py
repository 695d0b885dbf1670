"""Reading Gherkin by the official parser: a scenario, alone or in a feature, and its steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gherkin.ast_builder import AstBuilder
from gherkin.dialect import Dialect
from gherkin.errors import ParserError
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler
from gherkin.token_matcher import TokenMatcher

from .faults import Detail, Fault, FaultCode, describe
from .growth import fault_of_growth

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
    "run_pickles",
    "too_large",
]

MAX_SCENARIO_CHARACTERS = 50_000
MAX_SCENARIO_LINES = 3_000
MAX_RUN_STEPS = 1_000  # of a scenario, its outline rows filled in

# The parser looks for the end of a cell from each blank on.
_BLANKS = re.compile(r"(?<![^\S\n])[^\S\n]{1001}")

_LANGUAGE = re.compile(r"^\s*#\s*language\s*:\s*(?P<name>[A-Za-z\-_]+)\s*$")
_KIND_OF = {"Context": "given", "Action": "when", "Outcome": "then"}


class ScenarioError(ValueError):
    """A text that is not a scenario; its message is the fault in one line."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault

    def __str__(self) -> str:
        return describe(self.fault)


@dataclass(frozen=True)
class Step:
    """A step as it is run: keyword kind resolved, outline parameters filled in.

    Attributes:
        kind: "given", "when" or "then"; And, But and * take the kind of the step before them.
            None where there is no such step.
        text: what follows the keyword.
        line: of the step in the text that was parsed, from 1.
    """

    kind: str | None
    text: str
    line: int


@dataclass(frozen=True)
class Scenario:
    """A parsed text.

    Attributes:
        name: title of its first scenario.
        scenario_count: scenarios in it, an outline counting as one.
        steps: every step of every scenario, backgrounds included and outline rows expanded.
        written_steps: the steps as written, outline parameters not filled in.
        feature_text: the text as a whole feature document, which behave can run.
    """

    name: str
    scenario_count: int
    steps: tuple[Step, ...]
    written_steps: tuple[Step, ...]
    feature_text: str


def resolved_kinds(steps: list[dict[str, Any]]) -> list[str | None]:
    """The kind of each of a scenario's steps in its document; see `Step.kind`."""
    kinds: list[str | None] = []
    for step in steps:
        kinds.append(_KIND_OF.get(step["keywordType"], kinds[-1] if kinds else None))
    return kinds


def parse_scenario(text: str) -> Scenario:
    """Parse a scenario, or a feature with scenarios, in any spoken language of Gherkin.

    A bare scenario is wrapped in a feature.

    Raises:
        ScenarioError: not valid Gherkin, or no scenario in it has a step. The second catches
            documents that parse only because their steps were read as a description.
    """
    feature_text, added_lines = as_feature(text)
    document = parse_document(feature_text, added_lines)
    names = list(_names(document["feature"]["children"]))
    written = list(_written_steps(document, added_lines))
    steps = list(_run_steps(document, added_lines))
    if not steps:
        raise ScenarioError(Fault(FaultCode.NO_STEP))
    return Scenario(
        name=names[0],
        scenario_count=len(names),
        steps=tuple(steps),
        written_steps=tuple(written),
        feature_text=feature_text,
    )


def parse_document(
    feature_text: str,
    added_lines: int = 0,
    builder: AstBuilder | None = None,
    most_steps: int = MAX_RUN_STEPS,
) -> Any:
    """The official parser's document of a whole feature.

    Args:
        feature_text: from `as_feature`, as is `added_lines`.
        builder: what makes the document of the parser's tokens.
        most_steps: that it may run, and tags that it may have, its outlines filled in.

    Raises:
        ScenarioError: not valid Gherkin, or it would grow too large.
    """
    if found := _BLANKS.search(feature_text):
        line = feature_text.count("\n", 0, found.start()) + 1
        raise ScenarioError(too_large(1_000, "blanks in a row", max(1, line - added_lines)))
    try:
        document = Parser(builder).parse(feature_text, TokenMatcher("en"))
    except ParserError as error:
        raise ScenarioError(_not_gherkin(str(error), added_lines)) from error
    if fault := fault_of_growth(document, most_steps):
        raise ScenarioError(fault)
    return document


class _LiteralCompiler(Compiler):
    """The official compiler, an outline's headings taken as they are written, as behave does.

    The official one takes `<heading>` for a regular expression: "price ($)" is never filled in,
    "a)" breaks it, and "(a+)+b" may keep it busy for ever.
    """

    def _interpolate(self, name: Any, variable_cells: Any, value_cells: Any) -> Any:
        if name is None:
            return None
        for heading, value in zip(variable_cells, value_cells, strict=True):
            name = name.replace(f"<{heading['value']}>", value["value"])
        return name


def run_pickles(document: Any) -> list[Any]:
    """What a document runs: the official compiler's pickles, one for each scenario and row."""
    document["uri"] = ""  # the compiler wants one
    pickles: list[Any] = _LiteralCompiler().compile(document)
    return pickles


def as_feature(text: str) -> tuple[str, int]:
    """Wrap a bare scenario in a feature; return the document and how many lines were added.

    Raises:
        ScenarioError: it names a spoken language that Gherkin lacks, or is too long to read.
    """
    if len(text) > MAX_SCENARIO_CHARACTERS:
        raise ScenarioError(too_large(MAX_SCENARIO_CHARACTERS, "characters"))
    if text.count("\n") > MAX_SCENARIO_LINES:
        raise ScenarioError(too_large(MAX_SCENARIO_LINES, "lines"))
    # Only \n ends a line for the parser: splitlines() would break cells and doc strings apart.
    lines = text.split("\n")
    language = "en"
    head = 0  # the language line must stay before the feature
    for number, line in enumerate(lines):
        if match := _LANGUAGE.match(line):
            language, head = match["name"], number + 1
            break
        if line.strip() and not line.lstrip().startswith("#"):
            break
    dialect = Dialect.for_name(language)
    if dialect is None:
        raise ScenarioError(Fault(FaultCode.UNKNOWN_LANGUAGE, detail=Detail(name=language)))
    for line in lines[head:]:
        start = line.strip()
        if not start or start.startswith(("#", "@")):
            continue
        if any(start.startswith(keyword + ":") for keyword in dialect.feature_keywords):
            return text, 0
        break
    feature = [f"{dialect.feature_keywords[0]}: {_FEATURE_NAME}", ""]
    return "\n".join([*lines[:head], *feature, *lines[head:]]) + "\n", len(feature)


_FEATURE_NAME = "A scenario"


def too_large(most: int, unit: str, line: int | None = None) -> Fault:
    """The fault of a text that has more than `most` of a unit, such as "lines"."""
    return Fault(FaultCode.SCENARIO_TOO_LARGE, line, Detail(count=most, unit=unit))


def _not_gherkin(message: str, added_lines: int) -> Fault:
    """The parser's first complaint, its line number that of the text as it was given."""
    complaints = [line for line in message.splitlines() if line.startswith("(")]
    first = complaints[0] if complaints else message.splitlines()[0]
    if match := re.match(r"\((\d+):(\d+)\): (.*)", first):
        line = max(1, int(match[1]) - added_lines)
        return Fault(FaultCode.NOT_GHERKIN, line, Detail(words=match[3][:200]))
    return Fault(FaultCode.NOT_GHERKIN, None, Detail(words=first[:200]))


def parts_of(document: Any) -> Iterator[dict[str, Any]]:
    """Every background and scenario of a document, those in rules included, in order."""
    return _parts(document["feature"]["children"])


def _parts(children: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for child in children:
        if "rule" in child:
            yield from _parts(child["rule"]["children"])
        else:
            yield child.get("background") or child["scenario"]


def _written_steps(document: Any, added_lines: int) -> Iterator[Step]:
    for part in parts_of(document):
        for step, kind in zip(part["steps"], resolved_kinds(part["steps"]), strict=True):
            yield Step(kind, step["text"], step["location"]["line"] - added_lines)


def _run_steps(document: Any, added_lines: int) -> Iterator[Step]:
    line_of = {
        step["id"]: step["location"]["line"] - added_lines
        for part in parts_of(document)
        for step in part["steps"]
    }
    for pickle in run_pickles(document):
        kind: str | None = None
        for step in pickle["steps"]:
            kind = _KIND_OF.get(step["type"], kind)
            yield Step(kind, step["text"], line_of[step["astNodeIds"][0]])


def _names(children: list[dict[str, Any]]) -> Iterator[str]:
    for child in children:
        if "rule" in child:
            yield from _names(child["rule"]["children"])
        elif "scenario" in child:
            yield child["scenario"]["name"]

"""Make each scenario of a feature file stand alone.

A scenario takes the steps of its backgrounds (the feature's, then its rule's) before its own, and
keeps its spoken language, data tables and doc strings. An outline stays an outline with all its
Examples. Tags, descriptions and comments are dropped: they select, explain and control hooks, and a
standalone scenario has no hooks.

The file is read as its test runner reads it: by behave's own parser, or for pytest-bdd by the
official one. The standalone scenario is written with keywords that both parsers have, and must mean
the same to behave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from behave.i18n import languages

from ...bdd.behave_parser import read_feature
from ...bdd.document import document_of, resolved_kinds
from ...bdd.formatting import format_scenario
from ...bdd.growth import fault_of_growth
from ...bdd.official_parser import parse_officially
from ...bdd.scenario import (
    MAX_SCENARIO_CHARACTERS,
    ScenarioError,
    Step,
    parse_scenario,
    parts_of,
    too_large,
)
from .left_out import CannotImportError

__all__ = ["OwnScenario", "Reading", "as_behave_reads", "as_pytest_bdd_reads", "scenarios_of"]

MAX_FEATURE_LINES = 50_000
MAX_FEATURE_STEPS = 100_000  # in a feature file, with its outlines filled in
_INDENT = "  "

# Builds the document of a feature file's text, or raises a ScenarioError.
Reading = Callable[[str], Any]


@dataclass(frozen=True)
class OwnScenario:
    """A scenario that stands alone.

    Attributes:
        name: its title.
        line: the line of its title in the feature file, from 1.
        text: in canonical layout, without a feature around it.
        steps: the steps as run: outline parameters filled in, row by row.
    """

    name: str
    line: int
    text: str
    steps: tuple[Step, ...]


def as_behave_reads(feature_text: str) -> Any:
    """The document of a feature file in a behave project.

    Raises:
        ScenarioError: behave refuses it, or it would grow too large.
    """
    document = document_of(read_feature(feature_text), feature_text)
    if fault := fault_of_growth(document, MAX_FEATURE_STEPS):
        raise ScenarioError(fault)
    return document


def as_pytest_bdd_reads(feature_text: str) -> Any:
    """The document of a feature file in a pytest-bdd project, which uses the official parser.

    Raises:
        ScenarioError: that parser refuses it, or it would grow too large.
    """
    return parse_officially(feature_text, most_steps=MAX_FEATURE_STEPS)


def scenarios_of(feature_text: str, read: Reading) -> Iterator[OwnScenario | CannotImportError]:
    """Each scenario of a feature file in order, or why it cannot stand alone.

    Args:
        feature_text: the whole file, with \\n as line break.
        read: `as_behave_reads` or `as_pytest_bdd_reads`.
    """
    try:
        if feature_text.count("\n") > MAX_FEATURE_LINES:
            raise ScenarioError(too_large(MAX_FEATURE_LINES, "lines"))
        document = read(feature_text)
    except ScenarioError as error:
        yield CannotImportError("feature_not_read", str(error), error.fault.line)
        return
    feature = document.get("feature")
    if not feature:
        yield CannotImportError("feature_not_read", "no feature in it")
        return
    for backgrounds, scenario in _with_backgrounds(feature["children"]):
        try:
            yield _standing_alone(_Part(feature["language"], backgrounds, scenario))
        except CannotImportError as error:
            error.line = scenario["location"]["line"]
            yield error


@dataclass(frozen=True)
class _Part:
    """A scenario in its document, with the backgrounds whose steps run before its own."""

    language: str
    backgrounds: Sequence[dict[str, Any]]
    scenario: dict[str, Any]

    @property
    def keywords(self) -> dict[str, list[str]]:
        """Behave's keywords of its language, each with a trailing blank if it needs one."""
        found: dict[str, list[str]] = languages[self.language]
        return found


def _standing_alone(part: _Part) -> OwnScenario:
    scenario = part.scenario
    says = _says([*part.backgrounds, scenario])
    if not says.steps:
        raise CannotImportError("no_steps", f"'{scenario['name']}'")
    if not scenario["name"].strip():
        raise CannotImportError("no_title", "the title is what tells scenarios apart")
    if part.language not in languages:
        detail = f"behave does not know the language {part.language!r}"
        raise CannotImportError("feature_not_read", detail)
    behind = repr(_says(part.backgrounds).steps)
    for name in _parameters(scenario):
        if f"<{name}>" in behind:
            raise CannotImportError("background_parameter", f"the Examples would fill in <{name}>")
    written = "\n".join(_written(part))
    if len(written) > MAX_SCENARIO_CHARACTERS:
        raise CannotImportError("too_long", f"more than {MAX_SCENARIO_CHARACTERS:,} characters")
    for text in _laid_out(written):
        try:
            parsed = parse_scenario(text)
        except ScenarioError as error:
            fault = str(error)
            continue
        # The written text must have the same meaning: every step, table and doc string, row by row.
        if parsed.name == scenario["name"] and _says(parts_of(parsed.document)) == says:
            return OwnScenario(scenario["name"], scenario["location"]["line"], text, parsed.steps)
        fault = "behave reads it otherwise when it stands alone"
    raise CannotImportError("feature_not_read", fault)


def _laid_out(written: str) -> list[str]:
    """A text in canonical layout, if the official parser accepts it; then the text unchanged."""
    laid_out = []
    with suppress(ScenarioError):  # for example for a doc string between apostrophes
        laid_out.append(format_scenario(written))
    return [*laid_out, written]


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


@dataclass(frozen=True)
class _Says:
    """The content of a document: kind, text and argument of each step, and the Examples."""

    steps: tuple[tuple[Any, ...], ...]
    examples: tuple[tuple[tuple[str, ...], ...], ...]


def _says(parts: Any) -> _Says:
    steps: list[tuple[Any, ...]] = []
    examples: list[tuple[tuple[str, ...], ...]] = []
    for part in parts:
        for step, kind in zip(part["steps"], resolved_kinds(part["steps"]), strict=True):
            content = step["docString"]["content"] if "docString" in step else None
            # Behave removes trailing blanks from each line of a doc string.
            lines = tuple(line.rstrip() for line in content.split("\n")) if content else content
            rows = step["dataTable"]["rows"] if "dataTable" in step else ()
            steps.append((kind, step["text"], lines, _cells(rows)))
        for table in part.get("examples", ()):
            if table.get("tableHeader"):
                examples.append(_cells([table["tableHeader"], *table["tableBody"]]))
    return _Says(tuple(steps), tuple(examples))


def _cells(rows: Sequence[dict[str, Any]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(cell["value"] for cell in row["cells"]) for row in rows)


def _parameters(scenario: dict[str, Any]) -> set[str]:
    headers = [table["tableHeader"] for table in scenario["examples"] if table.get("tableHeader")]
    return {cell["value"] for header in headers for cell in header["cells"]}


def _written(part: _Part) -> Iterator[str]:
    if part.language != "en":
        yield f"# language: {part.language}"
    scenario, keywords = part.scenario, part.keywords
    tables = [one for one in scenario["examples"] if one.get("tableHeader")]
    own = keywords["scenario_outline" if tables else "scenario"]
    usual = own[0] if tables else own[-1]  # "Scenario Outline"; "Scenario" comes after "Example"
    keyword = scenario["keyword"] if scenario["keyword"] in own else usual
    yield f"{keyword}: {scenario['name']}"
    kind: str | None = None
    for owner in (*part.backgrounds, scenario):
        kinds = resolved_kinds(owner["steps"])
        for place, (step, step_kind) in enumerate(zip(owner["steps"], kinds, strict=True)):
            yield _INDENT + _keyword(step, step_kind, kind, place == 0, keywords) + step["text"]
            yield from _argument(step)
            kind = step_kind or kind
    for examples in tables:
        yield ""
        keyword = examples["keyword"]
        keyword = keyword if keyword in keywords["examples"] else keywords["examples"][0]
        yield f"{_INDENT}{keyword}: {examples['name']}".rstrip()
        for row in (examples["tableHeader"], *examples["tableBody"]):
            yield f"{_INDENT * 2}{_row(row)}"


def _keyword(
    step: dict[str, Any],
    kind: str | None,
    before: str | None,
    is_first: bool,
    keywords: dict[str, list[str]],
) -> str:
    """The keyword, with a trailing blank, for a step in the standalone scenario.

    Args:
        before: the kind of the step before it; None for the first.
        is_first: whether it is the first of its background or scenario.
    """
    written = step["keyword"].strip().casefold()
    own = [*keywords[kind]] if kind else []
    if is_first and before is not None and kind == before:
        own = []  # the background's last step and the scenario's first are both Given: write And
    elif before is not None:
        own += [*keywords["and"], *keywords["but"]]
    for keyword in own:
        # A star before a scenario's other steps means Given in behave and nothing elsewhere.
        if keyword.strip().casefold() == written and (written != "*" or before is not None):
            return keyword
    fitting = keywords["and"] if kind == before or kind is None else keywords[kind]
    return next(one for one in fitting if not one.startswith("*"))


def _argument(step: dict[str, Any]) -> Iterator[str]:
    """The lines of a step's table or doc string."""
    for row in step["dataTable"]["rows"] if "dataTable" in step else ():
        yield f"{_INDENT * 2}{_row(row)}"
    if "docString" in step:
        lines = step["docString"]["content"].split("\n")
        quotes = "'''" if any(line.strip().startswith('"""') for line in lines) else '"""'
        yield f"{_INDENT * 2}{quotes}"
        yield from (f"{_INDENT * 2}{line}".rstrip() for line in lines)
        yield f"{_INDENT * 2}{quotes}"


def _row(row: dict[str, Any]) -> str:
    # Behave keeps the text as written; the official parser has already removed the escapes.
    cells = [cell.get("written", cell["value"].replace("|", "\\|")) for cell in row["cells"]]
    return f"| {' | '.join(cells)} |"

"""Read a scenario even if it is badly formatted: verdicts must read whatever people can read.

Valid Gherkin is read as behave reads it, or else as the official parser does. If both refuse the
text, it is reformatted first. If that fails too, the text is split at the words Given, When and
Then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from .official_parser import parse_officially
from .scenario import ScenarioError, as_feature, parse_document, parts_of, resolved_kinds
from .steps import StepFunction
from .unfold import capitalize_keywords, is_folded, unfold

__all__ = ["ReadScenario", "ReadStep", "read_scenarios"]

_MAX_CHARACTERS = 20_000  # of a text that must be reformatted
_KEYWORD = re.compile(r"(?<![\w\"'<-])(?P<word>given|when|then|and|but)(?=\s|$)", re.I)
_TITLE = re.compile(r"(?:scenario outline|scenario template|scenario|example)\s*:", re.I)
_PARAMETER = re.compile(r"<([^<>\n]+)>")
_FEWEST_CLAUSES = 2  # of a sentence that joins clauses by commas


@dataclass(frozen=True)
class ReadStep:
    """A step as written.

    Attributes:
        kind: "given", "when" or "then"; And and But have the kind of the step before them. None
            if there is no such step.
        keyword: the keyword in lower case.
        text: the text after the keyword, on one line.
        line: the line of the step in the text, reformatted if necessary, from 1.
        argument: its table or doc string; "" if there is none.
    """

    kind: str | None
    keyword: str
    text: str
    line: int
    argument: str = ""


@dataclass(frozen=True)
class ReadScenario:
    """A scenario as it was read.

    Attributes:
        title: its title; "" if there is none.
        steps: its steps, without filling in outline parameters; the background's steps first.
        missing_parameters: outline parameters without a column in an Examples table.
    """

    title: str
    steps: tuple[ReadStep, ...]
    missing_parameters: tuple[str, ...] = ()


def read_scenarios(text: str, functions: Sequence[StepFunction] = ()) -> tuple[ReadScenario, ...]:
    """Read a scenario, or the scenarios of a feature, ignoring those without steps.

    Args:
        text: the text without its fences.
        functions: its step functions; they help to tell a step that contains "and" from two steps.
    """
    as_it_stands = _parsed(text)
    # A folded title may hide steps, unless steps of all three kinds have their own lines.
    if as_it_stands and (_has_every_kind(as_it_stands) or not is_folded(text)):
        return as_it_stands
    for laid_out in _layouts(text, functions):
        if scenarios := _parsed(laid_out):
            return tuple(_with_sentence_as_title(one) for one in scenarios)
    if as_it_stands:
        return as_it_stands
    scenario = _split_at_keywords(text[:_MAX_CHARACTERS])
    return (_with_sentence_as_title(scenario),) if scenario.steps else ()


def _has_every_kind(scenarios: Sequence[ReadScenario]) -> bool:
    return all({"given", "when", "then"} <= {step.kind for step in one.steps} for one in scenarios)


def _layouts(text: str, functions: Sequence[StepFunction]) -> Iterator[str]:
    """Ways to reformat a text that is not valid Gherkin, the most likely first."""
    if len(text) > _MAX_CHARACTERS:
        return
    # A line may be broken inside a word or a table row: then join all lines into one.
    unfolded = [unfold(text, functions), unfold(" ".join(text.split()), functions)]
    laid_out = [one for one in unfolded if one is not None]
    capitalized = capitalize_keywords(text)
    yield from [*laid_out, capitalized] if is_folded(text) else [capitalized, *laid_out]


def _parsed(text: str) -> tuple[ReadScenario, ...]:
    """The scenarios with steps in valid Gherkin; empty for any other text."""
    document, added = _document(text)
    if document is None:
        return ()
    background: list[ReadStep] = []
    scenarios: list[ReadScenario] = []
    for part in parts_of(document):
        steps = list(_steps_of(part, added))
        if "examples" not in part:
            background += steps
        elif steps:
            missing = _missing_parameters(part, steps)
            scenarios.append(ReadScenario(part["name"], (*background, *steps), missing))
    return tuple(scenarios)


def _document(text: str) -> tuple[Any, int]:
    """The document as read by behave, or else by the official parser; None if both refuse it."""
    for parse in (parse_document, parse_officially):
        with suppress(ScenarioError):
            feature, added = as_feature(text)
            return parse(feature, added), added
    return None, 0


def _steps_of(part: dict[str, Any], added: int) -> Iterator[ReadStep]:
    for step, kind in zip(part["steps"], resolved_kinds(part["steps"]), strict=True):
        keyword = step["keyword"].strip().lower()
        text = " ".join(step["text"].split())
        yield ReadStep(kind, keyword, text, step["location"]["line"] - added, _argument(step))


def _argument(step: dict[str, Any]) -> str:
    if "docString" in step:
        return str(step["docString"]["content"])
    rows = step.get("dataTable", {"rows": ()})["rows"]
    return "\n".join(" | ".join(cell["value"] for cell in row["cells"]) for row in rows)


def _missing_parameters(part: dict[str, Any], steps: Sequence[ReadStep]) -> tuple[str, ...]:
    headers = [table["tableHeader"] for table in part["examples"] if table.get("tableHeader")]
    columns = {cell["value"] for header in headers for cell in header["cells"]}
    named = dict.fromkeys(name for step in steps for name in _PARAMETER.findall(step.text))
    return tuple(name for name in named if name not in columns)


def _split_at_keywords(text: str) -> ReadScenario:
    """Split a text at its keywords. It need not be valid Gherkin."""
    marks = list(_KEYWORD.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    steps: list[ReadStep] = []
    kind: str | None = None
    for mark, end in zip(marks, ends, strict=False):  # without marks there is still one end
        word = mark["word"].lower()
        kind = kind if word in ("and", "but") else word
        line = text.count("\n", 0, mark.start()) + 1
        steps.append(ReadStep(kind, word, " ".join(text[mark.end() : end].split()), line))
    head = text[: marks[0].start()] if marks else text
    return ReadScenario(" ".join(_TITLE.sub("", head, count=1).split()), tuple(steps))


def _with_sentence_as_title(scenario: ReadScenario) -> ReadScenario:
    """Use a sentence before the steps as the title: "Given a list, when I sort it, then …".

    The sentence is recognized by its commas: a step never ends with a comma.
    """
    steps = scenario.steps
    places = range(_FEWEST_CLAUSES, len(steps))
    again = next((place for place in places if steps[place].keyword == "given"), None)
    if scenario.title or again is None:
        return scenario
    clauses = steps[:again]
    if not all(clause.text.endswith(",") for clause in clauses[:-1]):
        return scenario
    sentence = " ".join(f"{clause.keyword} {clause.text}" for clause in clauses)
    return replace(scenario, title=sentence, steps=steps[again:])

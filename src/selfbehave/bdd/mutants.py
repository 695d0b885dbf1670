"""Mutants of a scenario: each changes one value of it, an expected one or one that it is given.

A scenario that can fail goes red with another expected value, and one whose outcome comes from
what it was given goes red with another input. Where the values are is read from the official
parser's document; nothing but the value changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .scenario import (
    ScenarioError,
    as_feature,
    parse_document,
    parse_scenario,
    parts_of,
    resolved_kinds,
)

__all__ = ["MAX_MUTANTS", "Mutant", "input_mutants", "mutants"]

MAX_MUTANTS = 16

_NUMBER = re.compile(r"(?<![A-Za-z_\d])\d+(?:[.,:/-]\d+)*")
_QUOTED = re.compile(r'"(?P<double>[^"]*)"|(?<!\w)\'(?P<single>[^\']*)\'(?!\w)')
_PLACEHOLDER = re.compile(r"<[^<>]+>")
_CELL = re.compile(r"(?:\\.|[^\\|])*")
_OPPOSITES = dict(
    pair
    for one, other in (("true", "false"), ("yes", "no"), ("on", "off"))
    for pair in ((one, other), (other, one))
)


@dataclass(frozen=True)
class Mutant:
    """A scenario with one value changed.

    Attributes:
        description: the change, as "line 5: '1' became '2'".
        text: the whole feature document with the change made.
    """

    description: str
    text: str


@dataclass(frozen=True)
class _Value:
    """A value in the document: its line from 1, where on the line it is, and what it becomes."""

    line: int
    start: int
    end: int
    new: str


def mutants(scenario_text: str) -> Iterator[Mutant]:
    """Change the expected values of a scenario one at a time, at most `MAX_MUTANTS` of them.

    First what Then steps (and the And and But after them) hold: numbers and quoted literals, cells
    of data tables, contents of doc strings. Then the example values that Then steps use, and last
    the other example values. Headers stay, since they are names.

    Raises:
        ScenarioError: the text is not a scenario.
    """
    return _mutants(scenario_text, _expected_values)


def input_mutants(scenario_text: str) -> Iterator[Mutant]:
    """Change what a scenario is given one value at a time, at most `MAX_MUTANTS` of them.

    First what When steps hold (and the And and But after them), then what Given steps hold, each
    as in `mutants`. Last the example values that these use; not those that a Then step uses too,
    for such a change is one of an expected value.

    Raises:
        ScenarioError: the text is not a scenario.
    """
    return _mutants(scenario_text, _input_values)


_Values = Callable[[list[str], Sequence[Any]], Iterator[_Value]]


def _mutants(scenario_text: str, values: _Values) -> Iterator[Mutant]:
    feature_text, added_lines = as_feature(scenario_text)
    document = parse_document(feature_text, added_lines)
    step_count = len(parse_scenario(feature_text).steps)
    lines = feature_text.split("\n")
    changes = values(lines, list(parts_of(document)))
    return islice(_valid(lines, changes, added_lines, step_count), MAX_MUTANTS)


def _valid(
    lines: list[str], changes: Iterable[_Value], added_lines: int, step_count: int
) -> Iterator[Mutant]:
    for value in changes:
        line = lines[value.line - 1]
        old = line[value.start : value.end]
        changed = [*lines]
        changed[value.line - 1] = line[: value.start] + value.new + line[value.end :]
        text = "\n".join(changed)
        try:
            if len(parse_scenario(text).steps) != step_count:
                continue
        except ScenarioError:
            continue
        place = value.line - added_lines
        yield Mutant(f"line {place}: '{old}' became '{value.new}'", text)


def _expected_values(lines: list[str], parts: Sequence[Any]) -> Iterator[_Value]:
    yield from _written_values(lines, parts, "then")
    for part in parts:
        yield from _example_values(lines, part, _parameters(part, "then"))
    for part in parts:
        yield from _example_values(lines, part, _columns(part) - _parameters(part, "then"))


def _input_values(lines: list[str], parts: Sequence[Any]) -> Iterator[_Value]:
    yield from _written_values(lines, parts, "when")
    yield from _written_values(lines, parts, "given")
    for part in parts:
        names = _parameters(part, "when") | _parameters(part, "given")
        yield from _example_values(lines, part, names - _parameters(part, "then"))


def _written_values(lines: list[str], parts: Sequence[Any], kind: str) -> Iterator[_Value]:
    for part in parts:
        for step in _steps(part, kind):
            yield from _step_values(lines, step)


def _example_values(lines: list[str], part: Any, names: set[str]) -> Iterator[_Value]:
    """Values in those columns of a scenario's examples that have these names."""
    for examples in part.get("examples", ()):
        if "tableHeader" in examples:
            header = [cell["value"] for cell in examples["tableHeader"]["cells"]]
            places = {place for place, name in enumerate(header) if name in names}
            yield from _cell_values(lines, examples["tableBody"], places)


def _columns(part: Any) -> set[str]:
    """Names of the columns of a scenario's examples."""
    headers = [one["tableHeader"] for one in part.get("examples", ()) if "tableHeader" in one]
    return {cell["value"] for header in headers for cell in header["cells"]}


def _parameters(part: Any, kind: str) -> set[str]:
    """Names of the outline parameters in a scenario's steps of a kind."""
    return set().union(*(_placeholders(step) for step in _steps(part, kind)))


def _steps(part: Any, kind: str) -> list[dict[str, Any]]:
    steps = part["steps"]
    return [step for step, of in zip(steps, resolved_kinds(steps), strict=True) if of == kind]


def _placeholders(step: dict[str, Any]) -> set[str]:
    texts = [step["text"], step.get("docString", {}).get("content", "")]
    texts += [cell["value"] for row in _rows(step) for cell in row["cells"]]
    return {found[1:-1] for text in texts for found in _PLACEHOLDER.findall(text)}


def _rows(step: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = step.get("dataTable", {}).get("rows", [])
    return rows


def _step_values(lines: list[str], step: dict[str, Any]) -> Iterator[_Value]:
    number = step["location"]["line"]
    line = lines[number - 1]
    start = line.index(step["text"], step["location"]["column"] - 1 + len(step["keyword"].strip()))
    yield from _literals(number, start, step["text"])
    rows = _rows(step)
    yield from _cell_values(lines, rows[1:], set(range(len(rows[0]["cells"])))) if rows else ()
    if "docString" in step:
        first = step["docString"]["location"]["line"] + 1
        for number in range(first, first + len(step["docString"]["content"].split("\n"))):
            line = lines[number - 1]
            found = list(_literals(number, 0, line))
            stripped = line.strip()
            if not found and stripped and not _PLACEHOLDER.search(stripped):
                start = line.index(stripped)
                found = [_Value(number, start, start + len(stripped), _changed(stripped))]
            yield from found


def _literals(number: int, offset: int, text: str) -> Iterator[_Value]:
    """Numbers and quoted texts of a line, those with an outline's parameter left out."""
    taken = [found.span() for found in _PLACEHOLDER.finditer(text)]
    found_values: list[_Value] = []
    for quoted in _QUOTED.finditer(text):
        start, end = quoted.start() + 1, quoted.end() - 1
        if not _overlaps(taken, start, end):
            new = _changed(text[start:end])
            found_values.append(_Value(number, offset + start, offset + end, new))
        taken.append(quoted.span())
    for found in _NUMBER.finditer(text):
        if not _overlaps(taken, *found.span()):
            new = _bumped(found[0])
            found_values.append(_Value(number, offset + found.start(), offset + found.end(), new))
    yield from sorted(found_values, key=lambda value: value.start)


def _overlaps(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    return any(start < other_end and other_start < end for other_start, other_end in spans)


def _cell_values(
    lines: list[str], rows: list[dict[str, Any]], columns: set[int]
) -> Iterator[_Value]:
    for row in rows:
        for column, cell in enumerate(row["cells"]):
            if column not in columns or _PLACEHOLDER.search(cell["value"]):
                continue
            number = cell["location"]["line"]
            start = cell["location"]["column"] - 1
            raw = _CELL.match(lines[number - 1], start)
            assert raw is not None
            text = raw[0].rstrip()
            new = _changed(text)
            if not any(letter.isdigit() for letter in text) and text.lower() not in _OPPOSITES:
                # Another row's value is of the right kind. A number is changed as in a step, for
                # another row's may happen to be as good.
                values = [other["cells"][column]["value"] for other in rows]
                new = next((v for v in values if _is_plain(v) and v != cell["value"]), new)
            yield _Value(number, start, start + len(text), new)


def _is_plain(value: str) -> bool:
    """Whether a cell's value is written as it is read."""
    return bool(value) and not set(value) & set("|\\\n<")


def _changed(text: str) -> str:
    """Another value of the same kind."""
    if (opposite := _OPPOSITES.get(text.lower())) is not None:
        return opposite.title() if text.istitle() else opposite
    return _bumped(text) if re.search(r"\d", text) else f"{text}x"


def _bumped(text: str) -> str:
    """The last number in a text changed by one; dates, times and amounts stay such."""
    last = list(re.finditer(r"[0-9]+", text))
    if not last:
        return f"{text}x"
    run = last[-1]
    is_part = run.start() > 0 and text[run.start() - 1] in ".,:/-" and len(last) > 1
    value = int(run[0])
    # Down rather than up within a date or a time: the 31st and the 59th have no next.
    new = value - 1 if is_part and value > 1 else value + 1
    width = len(run[0]) if is_part or run[0].startswith("0") else 0
    return f"{text[: run.start()]}{new:0{width}d}{text[run.end() :]}"

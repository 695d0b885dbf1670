"""Mutants of a scenario: each changes one value, either an expected value or an input.

A scenario that can fail goes red with another expected value. A scenario whose outcome depends on
its input goes red with another input. The positions of values come from the document as behave
reads it; only the value changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from .other_values import changed, has_opposite, other_numbers
from .scenario import (
    ScenarioError,
    as_feature,
    parse_document,
    parse_scenario,
    parts_of,
    resolved_kinds,
)

__all__ = ["MAX_INPUT_MUTANTS", "MAX_MUTANTS", "Mutant", "input_mutants", "mutants"]

MAX_MUTANTS = 16
MAX_INPUT_MUTANTS = 32  # higher, because a small change of an input may rightly change nothing
_OTHER_TEXTS = 2  # other texts of the scenario to try as replacements for one text

_NUMBER = re.compile(r"(?<![A-Za-z_\d])\d+(?:[.,:/-]\d+)*")
_QUOTED = re.compile(r'"(?P<double>[^"]*)"|(?<!\w)\'(?P<single>[^\']*)\'(?!\w)')
_PLACEHOLDER = re.compile(r"<[^<>]+>")


@dataclass(frozen=True)
class Mutant:
    """A scenario with one value changed.

    Attributes:
        description: the change, for example "line 5: '1' became '2'".
        text: the whole feature document with the change.
    """

    description: str
    text: str


@dataclass(frozen=True)
class _Value:
    """A value in the document.

    Attributes:
        line: its line, from 1.
        start, end: its position on the line.
        old: the value as written.
        new: the replacements, the smallest change first.
        is_text: whether another text of the scenario may replace it.
    """

    line: int
    start: int
    end: int
    old: str
    new: tuple[str, ...]
    is_text: bool


def mutants(scenario_text: str) -> Iterator[Mutant]:
    """Change the expected values of a scenario one at a time, at most `MAX_MUTANTS` of them.

    The order: first the values in Then steps (and the And and But after them), which are numbers,
    quoted literals, cells of data tables and contents of doc strings; then the example values that
    Then steps use; last the other example values. Headers do not change, since they are names.

    Raises:
        ScenarioError: the text is not a scenario.
    """
    return islice(_mutants(scenario_text, _expected_values), MAX_MUTANTS)


def input_mutants(scenario_text: str) -> Iterator[Mutant]:
    """Change the inputs of a scenario one at a time, at most `MAX_INPUT_MUTANTS` changes.

    The order: first the values in When steps (and the And and But after them), then those in Given
    steps, found as in `mutants`; then the example values that these steps use. Example values that
    a Then step uses too are left out, because they are expected values. Each value first gets its
    smallest change; after that each gets its next one, such as ten times as much.

    Raises:
        ScenarioError: the text is not a scenario.
    """
    return islice(_mutants(scenario_text, _input_values), MAX_INPUT_MUTANTS)


_Values = Callable[[list[str], Sequence[Any]], Iterator[tuple[_Value, str]]]


def _mutants(scenario_text: str, changes: _Values) -> Iterator[Mutant]:
    feature_text, added_lines = as_feature(scenario_text)
    document = parse_document(feature_text, added_lines)
    step_count = len(parse_scenario(feature_text).steps)
    lines = feature_text.splitlines(keepends=True)
    for value, new in changes(lines, list(parts_of(document))):
        line = lines[value.line - 1]
        changed_lines = [*lines]
        changed_lines[value.line - 1] = line[: value.start] + new + line[value.end :]
        text = "".join(changed_lines)
        try:
            if len(parse_scenario(text).steps) != step_count:
                continue
        except ScenarioError:
            continue
        yield Mutant(f"line {value.line - added_lines}: '{value.old}' became '{new}'", text)


def _expected_values(lines: list[str], parts: Sequence[Any]) -> Iterator[tuple[_Value, str]]:
    values = [*_written_values(lines, parts, "then")]
    for part in parts:
        values += _example_values(lines, part, _parameters(part, "then"))
    for part in parts:
        values += _example_values(lines, part, _columns(part) - _parameters(part, "then"))
    return ((value, value.new[0]) for value in values)


def _input_values(lines: list[str], parts: Sequence[Any]) -> Iterator[tuple[_Value, str]]:
    values = [*_written_values(lines, parts, "when"), *_written_values(lines, parts, "given")]
    for part in parts:
        names = _parameters(part, "when") | _parameters(part, "given")
        values += _example_values(lines, part, names - _parameters(part, "then"))
    texts = dict.fromkeys(value.old for value in values if value.is_text)
    every_new = [_with_other_texts(value, texts) for value in values]
    for tried in range(max(map(len, every_new), default=0)):
        for value, new in zip(values, every_new, strict=True):
            if tried < len(new):
                yield value, new[tried]


def _with_other_texts(value: _Value, texts: Iterable[str]) -> list[str]:
    """The replacements of a value; for a text these include some other texts of the scenario."""
    others = (text for text in texts if value.is_text and text != value.old)
    return list(dict.fromkeys([*value.new, *islice(others, _OTHER_TEXTS)]))


def _written_values(lines: list[str], parts: Sequence[Any], kind: str) -> Iterator[_Value]:
    for part in parts:
        for step in _steps(part, kind):
            yield from _step_values(lines, step)


def _example_values(lines: list[str], part: Any, names: set[str]) -> Iterator[_Value]:
    """The values in the named columns of a scenario's examples."""
    for examples in part.get("examples", ()):
        if "tableHeader" in examples:
            header = [cell["value"] for cell in examples["tableHeader"]["cells"]]
            places = {place for place, name in enumerate(header) if name in names}
            yield from _cell_values(lines, examples["tableBody"], places)


def _columns(part: Any) -> set[str]:
    """The names of the columns of a scenario's examples."""
    headers = [one["tableHeader"] for one in part.get("examples", ()) if "tableHeader" in one]
    return {cell["value"] for header in headers for cell in header["cells"]}


def _parameters(part: Any, kind: str) -> set[str]:
    """The names of the outline parameters in a scenario's steps of one kind."""
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
        last = first + len(step["docString"]["content"].split("\n"))
        yield from _doc_string_values(lines, range(first, last))


def _doc_string_values(lines: list[str], numbers: range) -> Iterator[_Value]:
    """The literals in the lines of a doc string; a line without literals counts as one value."""
    for number in numbers:
        line = lines[number - 1]
        found = list(_literals(number, 0, line))
        stripped = line.strip()
        if not found and stripped and not _PLACEHOLDER.search(stripped):
            found = [_value(number, line.index(stripped), stripped, is_text=True)]
        yield from found


def _literals(number: int, offset: int, text: str) -> Iterator[_Value]:
    """The numbers and quoted texts of a line, except those that contain an outline parameter."""
    taken = [found.span() for found in _PLACEHOLDER.finditer(text)]
    found_values: list[_Value] = []
    for quoted in _QUOTED.finditer(text):
        start, end = quoted.start() + 1, quoted.end() - 1
        if not _overlaps(taken, start, end):
            found_values.append(_value(number, offset + start, text[start:end], is_text=True))
        taken.append(quoted.span())
    for found in _NUMBER.finditer(text):
        if not _overlaps(taken, *found.span()):
            found_values.append(_value(number, offset + found.start(), found[0], is_text=False))
    yield from sorted(found_values, key=lambda value: value.start)


def _value(line: int, start: int, text: str, is_text: bool) -> _Value:
    new = (changed(text), *other_numbers(text))
    return _Value(line, start, start + len(text), text, new, is_text)


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
            value = _value(number, start, cell["written"], is_text=False)
            if not any(letter.isdigit() for letter in value.old) and not has_opposite(value.old):
                # A value of another row has the right kind. Numbers change as in a step, because a
                # number of another row may be just as valid.
                others = (other["cells"][column]["value"] for other in rows)
                another = [text for text in others if _is_plain(text) and text != cell["value"]]
                value = replace(value, new=(*another[:1], *value.new))
            yield value


def _is_plain(value: str) -> bool:
    """Whether a cell's value contains no escapes, so that it reads exactly as written."""
    return bool(value) and not set(value) & set("|\\\n<")

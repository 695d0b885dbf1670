"""Predict how large a Gherkin document becomes when its outlines are filled in.

Each row of an outline repeats every step, each scenario repeats every step of its backgrounds, and
a value that contains another column's parameter is filled in too. So a few kilobytes can expand to
more than a machine's memory, as with XML entities.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .faults import Detail, Fault, FaultCode

__all__ = ["MAX_CHARACTERS", "MAX_RUN_STEPS", "fault_of_growth"]

MAX_CHARACTERS = 2_000_000  # of all steps to run, and of the text read while filling them in
MAX_RUN_STEPS = 1_000  # of a scenario, counting every row of its outlines


def fault_of_growth(document: Any, most_steps: int = MAX_RUN_STEPS) -> Fault | None:
    """The reason why a document must not be filled in; None if it may be.

    Args:
        document: from the official parser, or of the same format.
        most_steps: the limit for the steps of all scenarios together, and for their tags.
    """
    feature = document.get("feature")
    if not feature:
        return None
    steps = characters = 0
    for one in _outlines(feature["children"], [], len(feature["tags"])):
        for table in one.tables:
            steps += len(table.rows) * (one.steps + table.tags)
            if steps > most_steps:
                return _too_large(most_steps, "steps and tags, once outlines are filled in")
            for number, row in enumerate(table.rows, start=1):
                for text, filled in _fillings(one, table, row, number):
                    characters += _filled_in(text, filled, MAX_CHARACTERS - characters)
                    if characters > MAX_CHARACTERS:
                        return _too_large(MAX_CHARACTERS, "characters, once outlines are filled in")
    return None


def _too_large(most: int, unit: str) -> Fault:
    # The size results from filling in outlines, so no single line is at fault.
    return Fault(FaultCode.SCENARIO_TOO_LARGE, detail=Detail(count=most, unit=unit))


_Row = Sequence[tuple[str, str]]  # a column's name and its value


@dataclass(frozen=True)
class _Table:
    """An Examples table: its name and number, its rows, and the tags of each row."""

    name: str
    number: int
    rows: Sequence[_Row]
    tags: int


@dataclass(frozen=True)
class _Outline:
    """A scenario to repeat for each row; without Examples it has one table with one empty row.

    Attributes:
        steps: the number of steps that each row runs, including backgrounds.
        text: the text of these steps, with their tables and doc strings.
    """

    steps: int
    text: str
    tables: Sequence[_Table]


def _outlines(children: Sequence[Any], backgrounds: Sequence[Any], tags: int) -> Iterator[_Outline]:
    backgrounds = list(backgrounds)
    for child in children:
        if "background" in child:
            backgrounds += child["background"]["steps"]
        elif "rule" in child:
            rule = child["rule"]
            yield from _outlines(rule["children"], backgrounds, tags + len(rule["tags"]))
        else:
            scenario = child["scenario"]
            own = tags + len(scenario["tags"])
            tables = [
                _Table(one["name"], number, _rows(one), own + len(one["tags"]))
                for number, one in enumerate(scenario["examples"], start=1)
            ]
            steps = [*backgrounds, *scenario["steps"]]
            yield _Outline(len(steps), _text(steps), tables or [_Table("", 1, [()], own)])


def _rows(examples: Any) -> list[_Row]:
    header = examples.get("tableHeader")
    if not header:
        return []
    names = [cell["value"] for cell in header["cells"]]
    return [
        list(zip(names, (cell["value"] for cell in row["cells"]), strict=True))
        for row in examples["tableBody"]
    ]


def _fillings(
    outline: _Outline, table: _Table, row: _Row, number: int
) -> Iterator[tuple[str, _Row]]:
    """The texts that a row is filled into, each with the values that are filled in.

    Behave adds parameters to each row, such as the name of its Examples. It fills the row into that
    name first.
    """
    index = {"examples.index": str(table.number), "row.index": str(number)}
    index |= {"row.id": f"{table.number}.{number}"}
    columns = [*row, ("examples.name", table.name), *index.items()]
    yield table.name, columns
    # The filled-in name is not too long: the caller checks the first pair before it asks for more.
    name = table.name
    for column, value in columns if "<" in name else ():
        name = name.replace(f"<{column}>", value)
    yield outline.text, [*row, ("examples.name", name), *index.items()]


def _text(steps: Sequence[Any]) -> str:
    return "\n".join(part for step in steps for part in _parts(step))


def _parts(step: Any) -> Iterator[str]:
    yield step["text"]
    for row in step.get("dataTable", {}).get("rows", ()):
        for cell in row["cells"]:
            yield cell["value"]
    if "docString" in step:
        yield step["docString"]["content"]
        yield step["docString"].get("mediaType") or ""


def _filled_in(text: str, row: _Row, most: int) -> int:
    """The number of characters read and written to fill a row in; stops above the limit.

    Goes column by column, as the parser's compiler does.
    """
    if "<" not in text:
        return len(text)
    characters = 0
    for name, value in row:
        parameter = f"<{name}>"
        grown = len(text) + text.count(parameter) * (len(value) - len(parameter))
        characters += len(text)
        if characters + grown > most:
            return most + 1
        text = text.replace(parameter, value)
    return characters + len(text)

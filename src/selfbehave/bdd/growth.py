"""How large a Gherkin document becomes when its outlines are filled in, told before it is done.

Each row of an outline repeats every step, each scenario every step of its backgrounds, and a
value that holds another column's parameter is filled in as well: a few kilobytes can become more
than a machine's memory, as entities do in XML.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .faults import Detail, Fault, FaultCode

__all__ = ["MAX_CHARACTERS", "MAX_RUN_STEPS", "fault_of_growth"]

MAX_CHARACTERS = 2_000_000  # of all steps as they are run, and of what filling them in reads
MAX_RUN_STEPS = 1_000  # of a scenario, its outline rows filled in


def fault_of_growth(document: Any, most_steps: int = MAX_RUN_STEPS) -> Fault | None:
    """Why a document must not be filled in; None where it may be.

    Args:
        document: the official parser's, or one of its shape.
        most_steps: that all scenarios together may run, and tags that they may have.
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
    # What is counted grows as outlines are filled in, so no one line is at fault.
    return Fault(FaultCode.SCENARIO_TOO_LARGE, detail=Detail(count=most, unit=unit))


_Row = Sequence[tuple[str, str]]  # a column's name and its value


@dataclass(frozen=True)
class _Table:
    """Examples: its name and number, its rows, and the tags that each of these rows has."""

    name: str
    number: int
    rows: Sequence[_Row]
    tags: int


@dataclass(frozen=True)
class _Outline:
    """A scenario as it will be repeated; one without Examples has a table with one empty row.

    Attributes:
        steps: that each row runs, its backgrounds' included.
        text: of these steps, with their tables and doc strings.
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
    """The texts that a row is filled into, each with all that is filled in.

    Behave adds parameters to each row, the name of its Examples among them. The row is filled
    into the name first.
    """
    index = {"examples.index": str(table.number), "row.index": str(number)}
    index |= {"row.id": f"{table.number}.{number}"}
    columns = [*row, ("examples.name", table.name), *index.items()]
    yield table.name, columns
    # Not too long, or it would not have come to this.
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
    """Characters that filling a row in reads and makes, counted until there are too many.

    Column after column, as the parser's compiler does it.
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

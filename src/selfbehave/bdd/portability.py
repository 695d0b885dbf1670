"""Whether other tools than behave read a scenario as behave does.

Cucumber's official parser is asked. Behave takes much that it refuses (keywords in lower case, doc
strings between three apostrophes), and reads some of what both take otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from .document import parts_of
from .faults import Detail, Fault, FaultCode
from .feature_text import ScenarioError
from .official_parser import parse_officially
from .scenario import Scenario

__all__ = ["portability_fault"]

# A feature of titles and steps in plain English letters, each on a line of its own. What behave
# accepts of that, the official parser reads line by line as behave does.
_SURELY_READ_ALIKE = re.compile(
    r"[ \n]*+Feature:[!-~ ]*+\n"
    r"(?:[ ]*+(?:Scenario:[!-~ ]*+|(?:Given|When|Then|And|But) [!-~ ]++)?\n)*+"
)
# What behave fills into an outline beside its columns.
_OWN_PARAMETERS = {"examples.name", "examples.index", "row.index", "row.id"}


def portability_fault(scenario: Scenario) -> Fault | None:
    """The fault `not portable` of a scenario; None where the official parser reads the same."""
    if _SURELY_READ_ALIKE.fullmatch(scenario.feature_text):
        return None  # as most are: the official parser takes as long as all else on this rung
    return _fault_of_official_parser(scenario)


def _fault_of_official_parser(scenario: Scenario) -> Fault | None:
    document, added_lines = scenario.document, scenario.added_lines
    try:
        official = parse_officially(scenario.feature_text, added_lines)
    except ScenarioError as error:
        words = f"the official parser says: {error.fault.detail.words}"
        return Fault(FaultCode.NOT_PORTABLE, error.fault.line, Detail(words=words))
    line = _first_difference(document, official) or _first_own_parameter(document)
    if line is None:
        return None
    words = "the official parser reads this otherwise"
    return Fault(FaultCode.NOT_PORTABLE, max(1, line - added_lines), Detail(words=words))


def _first_difference(document: Any, official: Any) -> int | None:
    """The first line that the official parser takes for something else; None if there is none."""
    ours, theirs = list(_lines_of(document)), list(_lines_of(official))
    for (line, read), (_, other) in zip(ours, theirs, strict=False):
        if read != other:
            return line
    if len(ours) == len(theirs):
        return None
    (line, _) = max(ours, theirs, key=len)[min(len(ours), len(theirs))]
    return line


def _lines_of(document: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """What is read of each part and step, with its line; tags and descriptions do not matter."""
    for part in parts_of(document):
        yield part["location"]["line"], ("examples" in part, part["name"])
        for step in part["steps"]:
            yield step["location"]["line"], _read(step)
        for examples in part.get("examples", ()):
            rows = [examples["tableHeader"]] if examples.get("tableHeader") else []
            cells = _cells([*rows, *examples["tableBody"]])
            yield examples["location"]["line"], (examples["name"], cells)


def _read(step: Any) -> tuple[Any, ...]:
    content = step["docString"]["content"] if "docString" in step else None
    # Behave cuts the blanks at the end of each line of a doc string.
    lines = content and [line.rstrip() for line in content.split("\n")]
    rows = step["dataTable"]["rows"] if "dataTable" in step else ()
    return step["text"], lines, _cells(rows)


def _cells(rows: Iterable[Any]) -> list[list[str]]:
    return [[cell["value"] for cell in row["cells"]] for row in rows]


def _first_own_parameter(document: Any) -> int | None:
    """The first step that only behave fills in: by a parameter of its own, or in a background."""
    parts = list(parts_of(document))
    columns = {name for part in parts for name in _columns(part)}
    for part in parts:
        if _columns(part):
            names = _OWN_PARAMETERS - _columns(part)
        elif "examples" in part:
            continue
        else:
            names = _OWN_PARAMETERS | columns if columns else set()
        for step in part["steps"]:
            if any(f"<{name}>" in step["text"] for name in names):
                return int(step["location"]["line"])
    return None


def _columns(part: Any) -> set[str]:
    """The names of the parameters that an outline's Examples have."""
    headers = [one["tableHeader"] for one in part.get("examples", ()) if one.get("tableHeader")]
    return {cell["value"] for header in headers for cell in header["cells"]}

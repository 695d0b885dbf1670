"""Check whether other tools read a scenario as behave does.

The check uses Cucumber's official parser. Behave accepts much that it refuses (lower-case keywords,
doc strings between three apostrophes), and they read some texts differently.
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

# A feature of titles and steps in plain English letters, each on its own line. If behave accepts
# it, the official parser reads it the same way, line by line.
_SURELY_READ_ALIKE = re.compile(
    r"[ \n]*+Feature:[!-~ ]*+\n"
    r"(?:[ ]*+(?:Scenario:[!-~ ]*+|(?:Given|When|Then|And|But) [!-~ ]++)?\n)*+"
)
# Parameters that behave fills into an outline besides its columns.
_OWN_PARAMETERS = {"examples.name", "examples.index", "row.index", "row.id"}


def portability_fault(scenario: Scenario) -> Fault | None:
    """The fault `not portable` of a scenario; None if the official parser reads the same."""
    if _SURELY_READ_ALIKE.fullmatch(scenario.feature_text):
        return None  # true of most; the official parser takes as long as the rest of this rung
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
    """The first line that the official parser reads differently; None if there is none."""
    ours, theirs = list(_lines_of(document)), list(_lines_of(official))
    for (line, read), (_, other) in zip(ours, theirs, strict=False):
        if read != other:
            return line
    if len(ours) == len(theirs):
        return None
    (line, _) = max(ours, theirs, key=len)[min(len(ours), len(theirs))]
    return line


def _lines_of(document: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The content of each part and step, with its line; ignores tags and descriptions."""
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
    # Behave removes trailing blanks from each line of a doc string.
    lines = content and [line.rstrip() for line in content.split("\n")]
    rows = step["dataTable"]["rows"] if "dataTable" in step else ()
    return step["text"], lines, _cells(rows)


def _cells(rows: Iterable[Any]) -> list[list[str]]:
    return [[cell["value"] for cell in row["cells"]] for row in rows]


def _first_own_parameter(document: Any) -> int | None:
    """The first step that only behave fills in: with its own parameter, or in a background."""
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

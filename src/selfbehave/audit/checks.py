"""Auditing a dataset: how far each row climbs the BDD ladder, and each fault counted by name.

`repair_file` mends the rows by the same reading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..bdd.extract import Found, compiles, find_block, find_leak, unfinished_tail
from ..bdd.faults import Fault, FaultCode, sentence
from ..bdd.fences import GHERKIN, PYTHON
from ..bdd.ladder import Rung, climb_rows
from ..bdd.row_repair import repair
from ..bdd.scenario import ScenarioError, parse_scenario
from ..bdd.smells import code_smells, scenario_smells
from ..bdd.unfold import is_folded
from ..core.data_files import writing_rows
from ..core.jsonl import write_jsonl
from ..novelty.rule import MAX_COMPARED_CHARACTERS, Pool
from ..seeds.load import seeds_path
from .rows import Row, objects_of, read_rows

__all__ = [
    "FAULTS",
    "MAX_ROW_CHARACTERS",
    "FileAudit",
    "RepairReport",
    "RowAudit",
    "audit_file",
    "audit_repaired_file",
    "audit_rows",
    "repair_file",
]

MAX_ROW_CHARACTERS = 1_000_000  # longer rows are counted as such and not looked into

# Every check, in the order of the table, with what it means.
FAULTS = {
    "too_long": f"a row of more than {MAX_ROW_CHARACTERS:,} characters",
    "no_scenario": "no ```gherkin block",
    "no_python": "no ```python block",
    "unclosed_fence": "a block that is never closed",
    "text_on_fence_line": "scenario or code on the line of its fence",
    "truncated": "Python that compiles but for its last statement",
    "leaked_task": "the next task's text behind the answer",
    "folded": "a scenario folded onto one line",
    "zero_steps": "a scenario without a step",
    "scenario_not_parsed": "Gherkin that behave does not read",
    "not_portable": "Gherkin that behave reads and Cucumber's parser does not, or not as the same",
    "python_not_compiled": "not valid Python",
    "undefined_steps": "a step with no function",
    "ambiguous_steps": "a step with two functions",
    "unused_functions": "a function with no step",
    "duplicate_names": "two step functions of one name",
    "then_without_assert": "a Then function that asserts nothing",
    "empty_bodies": "a step function that does nothing",
    "hard_coded_outcome": "a Then that compares its own words with a constant",
    "idle_action": "a When that does nothing",
    "idle_step": "a Given without which all stays green, found by running",
    "out_of_order": "not Given, When, Then in order",
    "more_than_one_when": "more than one When",
    "exact_duplicate": "the same row as an earlier one",
    "near_duplicate": "a scenario of ROUGE-L over 0.7 to an earlier one",
}
_IN_LADDER = {
    FaultCode.UNDEFINED_STEP: "undefined_steps",
    FaultCode.AMBIGUOUS_STEP: "ambiguous_steps",
    FaultCode.UNUSED_STEP_FUNCTION: "unused_functions",
    FaultCode.HARD_CODED_OUTCOME: "hard_coded_outcome",
    FaultCode.IDLE_ACTION: "idle_action",
    FaultCode.IDLE_STEP: "idle_step",
    FaultCode.NOT_PORTABLE: "not_portable",
}


@dataclass(frozen=True)
class RowAudit:
    """What an audit found of one row.

    Attributes:
        row: its number in the file, from 1.
        rung: the highest that it reached.
        faults: by their names in `FAULTS`.
        ladder_faults: what the ladder found, with the steps and functions concerned.
    """

    row: int
    rung: Rung
    faults: tuple[str, ...]
    ladder_faults: tuple[Fault, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "rung": str(self.rung),
            "faults": list(self.faults),
            "ladder_faults": list(map(sentence, self.ladder_faults)),
        }


@dataclass(frozen=True)
class FileAudit:
    """What an audit found in one file."""

    file: str
    rows: tuple[RowAudit, ...]

    @property
    def rungs(self) -> dict[str, int]:
        """How many rows reached each rung and went no further, lowest first."""
        counts = Counter(row.rung for row in self.rows)
        return {str(rung): counts[rung] for rung in Rung}

    @property
    def faults(self) -> dict[str, int]:
        """How many rows have each fault."""
        counts = Counter(fault for row in self.rows for fault in row.faults)
        return {fault: counts[fault] for fault in FAULTS}

    def to_dict(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "rows": len(self.rows),
            "rungs": self.rungs,
            "faults": self.faults,
            "of_each_row": [row.to_dict() for row in self.rows],
        }


@dataclass(frozen=True)
class RepairReport:
    """What a repair did: rows read and changed, kinds of change counted, and the files written."""

    rows: int
    changed: int
    changes: Mapping[str, int]
    files: tuple[str, ...]


def audit_file(file: str, top: Rung = Rung.BOUND) -> FileAudit:
    """Audit a JSON Lines file, or a packaged seed set by its name, climbing as far as `top`.

    Raises:
        SelfBehaveError: the file cannot be read, is empty, or has a line of no known shape.
    """
    return FileAudit(file, audit_rows(read_rows(file), top))


def audit_repaired_file(file: str, top: Rung = Rung.BOUND) -> FileAudit:
    """Audit what repair makes of a file's rows; the file stays as it is.

    Raises:
        SelfBehaveError: as `audit_file`.
    """
    return FileAudit(file, audit_rows([_repaired(row)[0] for row in read_rows(file)], top))


def audit_rows(rows: Iterable[Row], top: Rung = Rung.BOUND) -> tuple[RowAudit, ...]:
    """Audit rows in order; duplicates are those of an earlier row.

    Raises:
        SelfBehaveError: `top` is above `bound` and there is no sandbox here.
    """
    rows = list(rows)
    readable = [row for row in rows if row.characters <= MAX_ROW_CHARACTERS]
    ladders = climb_rows([(row.instruction, row.input, row.output) for row in readable], top)
    ladder_of = dict(zip(map(id, readable), ladders, strict=True))
    seen: set[tuple[str, str, str]] = set()
    scenarios: set[str] = set()
    pool = Pool()
    audits = []
    for number, row in enumerate(rows, start=1):
        whole = (row.instruction, row.input, row.output)
        ladder = ladder_of.get(id(row))
        if ladder is None:
            audits.append(RowAudit(number, Rung.NONE, ("too_long",)))
            continue
        faults = {_IN_LADDER[one.code] for one in ladder.faults if one.code in _IN_LADDER}
        scenario = find_block(f"{row.instruction}\n\n{row.input}", GHERKIN)
        faults |= _scenario_faults(scenario) | _answer_faults(row.output)
        if whole in seen:
            faults.add("exact_duplicate")
        elif scenario is not None and len(scenario.body) <= MAX_COMPARED_CHARACTERS:
            if scenario.body in scenarios or pool.nearest_too_similar(scenario.body):
                faults.add("near_duplicate")
            if scenario.body not in scenarios:
                pool.add(scenario.body)
            scenarios.add(scenario.body)
        seen.add(whole)
        names = tuple(name for name in FAULTS if name in faults)
        audits.append(RowAudit(number, ladder.rung, names, ladder.faults))
    return tuple(audits)


def repair_file(file: str, output_file: str) -> RepairReport:
    """Write what repair makes of a file's rows, in the file's own shape.

    Beside it goes a file of the changes to each changed row, so that nothing is cut silently.

    Raises:
        SelfBehaveError: as `audit_file`; or a file cannot be written.
    """
    rows = read_rows(file)
    written = Path(output_file)
    changes_file = written.with_name(f"{written.stem}.changes.jsonl")
    counts: Counter[str] = Counter()
    told: list[dict[str, Any]] = []
    mended = []
    for number, row in enumerate(rows, start=1):
        new, changes = _repaired(row)
        mended.append(new)
        counts.update(change.partition(":")[0] for change in changes)
        if changes:
            told.append({"row": number, "changes": list(changes)})
    with writing_rows(written, seeds_path(file)) as write:
        for source in objects_of(mended):
            write(source)
    write_jsonl(changes_file, told)
    return RepairReport(
        len(rows), len(told), dict(counts.most_common()), (str(written), str(changes_file))
    )


def _repaired(row: Row) -> tuple[Row, tuple[str, ...]]:
    repaired = repair(row.instruction, row.output)
    new = replace(row, instruction=repaired.instruction, output=repaired.output)
    return new, repaired.changes


def _scenario_faults(found: Found | None) -> set[str]:
    if found is None:
        return {"no_scenario"}
    faults = _fence_faults(found)
    text = found.body
    try:
        parse_scenario(text)
    except ScenarioError as error:
        has_no_step = error.fault.code == FaultCode.NO_STEP
        faults.add("zero_steps" if has_no_step else "scenario_not_parsed")
        if is_folded(text):
            faults.add("folded")
        return faults
    return faults | set(scenario_smells(text))


def _answer_faults(output: str) -> set[str]:
    found = find_block(output, PYTHON)
    if found is None:
        leak = find_leak(output)
        faults = {"no_python"} | ({"leaked_task"} if leak is not None else set())
        # Python without a fence is still looked at; other text is not called bad Python.
        code = output[:leak].partition("```")[0]
        if re.search(r"^@\w+\(", code, re.M):
            faults |= _code_faults(code)
        return faults
    faults = _fence_faults(found)
    code = found.body
    leak = find_leak(found.after if found.is_closed else code)
    if leak is not None:
        faults.add("leaked_task")
        if not found.is_closed:
            code = code[:leak]
    return faults | _code_faults(code)


def _fence_faults(found: Found) -> set[str]:
    faults = set()
    if not found.is_closed:
        faults.add("unclosed_fence")
    if found.begins_on_fence_line or found.ends_on_fence_line:
        faults.add("text_on_fence_line")
    return faults


def _code_faults(code: str) -> set[str]:
    code = code.strip()
    if compiles(code):
        return set(code_smells(code))
    faults = {"python_not_compiled"}
    if unfinished_tail(code) is not None:
        faults.add("truncated")
    return faults

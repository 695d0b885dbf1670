"""Audit a dataset: check how far each row climbs the BDD ladder, and count its faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..bdd.faults import Fault, sentence
from ..bdd.ladder import Rung, climb_rows
from .base import MAX_ROW_CHARACTERS, TOO_LONG, AuditedRow
from .registry import CHECKS, fault_meanings
from .repair import repaired
from .rows import Row, read_rows

__all__ = [
    "MAX_ROW_CHARACTERS",
    "FileAudit",
    "RowAudit",
    "audit_file",
    "audit_repaired_file",
    "audit_rows",
]


@dataclass(frozen=True)
class RowAudit:
    """The result of an audit for one row.

    Attributes:
        row: its number in the file, from 1.
        rung: the highest rung it reached.
        faults: the codes of its faults, in the order of `fault_meanings`.
        ladder_faults: the faults found by the ladder, with the steps and functions concerned.
        added_faults: the faults found by the checks of other packages.
    """

    row: int
    rung: Rung
    faults: tuple[str, ...]
    ladder_faults: tuple[Fault, ...] = ()
    added_faults: tuple[Fault, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        row: dict[str, Any] = {
            "row": self.row,
            "rung": str(self.rung),
            "faults": list(self.faults),
            "ladder_faults": list(map(sentence, self.ladder_faults)),
        }
        if self.added_faults:
            row["added_faults"] = list(map(sentence, self.added_faults))
        return row


@dataclass(frozen=True)
class FileAudit:
    """The result of an audit for one file."""

    file: str
    rows: tuple[RowAudit, ...]

    @property
    def rungs(self) -> dict[str, int]:
        """The number of rows whose highest rung is each rung, lowest first."""
        counts = Counter(row.rung for row in self.rows)
        return {str(rung): counts[rung] for rung in Rung}

    @property
    def faults(self) -> dict[str, int]:
        """The number of rows with each fault."""
        counts = Counter(fault for row in self.rows for fault in row.faults)
        return {fault: counts[fault] for fault in fault_meanings()}

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "file": self.file,
            "rows": len(self.rows),
            "rungs": self.rungs,
            "faults": self.faults,
            "of_each_row": [row.to_dict() for row in self.rows],
        }


def audit_file(file: str, top: Rung = Rung.BOUND) -> FileAudit:
    """Audit a JSON Lines file, or a packaged seed set by its name, climbing as far as `top`.

    Raises:
        SelfBehaveError: the file cannot be read, is empty, or has a line in an unknown format.
    """
    return FileAudit(file, audit_rows(read_rows(file), top))


def audit_repaired_file(file: str, top: Rung = Rung.BOUND) -> FileAudit:
    """Repair a file's rows in memory and audit the result; the file does not change.

    Raises:
        SelfBehaveError: as `audit_file`.
    """
    return FileAudit(file, audit_rows([repaired(row)[0] for row in read_rows(file)], top))


def audit_rows(rows: Iterable[Row], top: Rung = Rung.BOUND) -> tuple[RowAudit, ...]:
    """Audit rows in order; a row is a duplicate if it repeats an earlier one.

    Raises:
        SelfBehaveError: `top` is above `bound` and this machine has no sandbox, or a package that
            adds a check is broken.
    """
    rows = list(rows)
    readable = [row for row in rows if row.characters <= MAX_ROW_CHARACTERS]
    ladders = climb_rows([(row.instruction, row.input, row.output) for row in readable], top)
    ladder_of = dict(zip(map(id, readable), ladders, strict=True))
    own = [CHECKS.make(name) for name in CHECKS if name not in CHECKS.added()]
    added = [_added(name) for name in CHECKS.added()]
    codes = fault_meanings()
    audits = []
    for number, row in enumerate(rows, start=1):
        ladder = ladder_of.get(id(row))
        if ladder is None:
            audits.append(RowAudit(number, Rung.NONE, (TOO_LONG,)))
            continue
        audited = AuditedRow(row, ladder)
        found = {fault.code for check in own for fault in check.find(audited)}
        added_faults = tuple(fault for check in added for fault in check(audited))
        found |= {fault.code for fault in added_faults}
        names = tuple(code for code in codes if code in found)
        audits.append(RowAudit(number, ladder.rung, names, ladder.faults, added_faults))
    return tuple(audits)


def _added(name: str) -> Callable[[AuditedRow], list[Fault]]:
    """Wrap the check of another package, so that its errors name that package."""
    check, extension = CHECKS.make(name), CHECKS.extension(name)

    def find(row: AuditedRow) -> list[Fault]:
        with extension.guarding():
            found = list(check.find(row))
        for fault in found:
            if getattr(fault, "code", None) not in check.faults:
                raise extension.broken(f"it found {fault!r}, which is not in its faults")
        return found

    return find

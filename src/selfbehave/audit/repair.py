"""Repair a dataset's rows, keeping the file's format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..bdd.row_repair import repair
from ..core.data_files import writing_rows
from ..core.jsonl import write_jsonl
from ..seeds.load import seeds_path
from .rows import Row, objects_of, read_rows

__all__ = ["RepairReport", "repair_file", "repaired"]


@dataclass(frozen=True)
class RepairReport:
    """The result of a repair: rows read and changed, counts by kind of change, files written."""

    rows: int
    changed: int
    changes: Mapping[str, int]
    files: tuple[str, ...]


def repair_file(file: str, output_file: str) -> RepairReport:
    """Repair a file's rows and write them in the same format.

    A second file lists the changes to each changed row, so that nothing is cut silently.

    Raises:
        SelfBehaveError: the file cannot be read, is empty, has a line in an unknown format, or a
            file cannot be written.
    """
    rows = read_rows(file)
    written = Path(output_file)
    changes_file = written.with_name(f"{written.stem}.changes.jsonl")
    counts: Counter[str] = Counter()
    changed: list[dict[str, Any]] = []
    mended = []
    for number, row in enumerate(rows, start=1):
        new, changes = repaired(row)
        mended.append(new)
        counts.update(change.partition(":")[0] for change in changes)
        if changes:
            changed.append({"row": number, "changes": list(changes)})
    with writing_rows(written, seeds_path(file)) as write:
        for source in objects_of(mended):
            write(source)
    write_jsonl(changes_file, changed)
    return RepairReport(
        len(rows), len(changed), dict(counts.most_common()), (str(written), str(changes_file))
    )


def repaired(row: Row) -> tuple[Row, tuple[str, ...]]:
    """The repaired row, and a description of each change."""
    made = repair(row.instruction, row.output)
    return replace(row, instruction=made.instruction, output=made.output), made.changes

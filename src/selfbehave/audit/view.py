"""The printed output of an audit and of a repair."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..core.printable import printable
from .file_audit import FileAudit
from .registry import fault_meanings
from .repair import RepairReport

__all__ = ["print_json", "print_repair", "print_table"]

_HEADING_WIDTH = 18


def print_json(audits: Sequence[FileAudit]) -> None:
    # In ASCII: a file's name may contain terminal control codes, or bytes that cannot be encoded.
    json.dump([audit.to_dict() for audit in audits], sys.stdout, indent=1)
    sys.stdout.write("\n")


def print_table(audits: Sequence[FileAudit]) -> None:
    """One table with a column for each file: rows, rungs reached, then rows with each fault."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in _names(audits):
        table.add_column(escape(printable(name)), justify="right", overflow="fold")
    table.add_row("rows", *(str(len(audit.rows)) for audit in audits), end_section=True)
    rungs = list(audits[0].rungs)
    for rung in rungs:
        counts = [str(audit.rungs[rung]) for audit in audits]
        table.add_row(f"reached {rung}", *counts, end_section=rung == rungs[-1])
    for fault in fault_meanings():
        counts = [str(audit.faults[fault] or "") for audit in audits]
        table.add_row(fault.replace("_", " "), *counts)
    Console(highlight=False).print(table)


def print_repair(report: RepairReport) -> None:
    """Print the number of changed rows, each kind of change, and the files."""
    console = Console(highlight=False)
    console.print(f"{report.changed} of {report.rows} rows changed", soft_wrap=True)
    for change, count in report.changes.items():
        console.print(f"{count:6}  {escape(change)}", soft_wrap=True)
    for file in report.files:
        console.print(escape(printable(file)), soft_wrap=True)


def _names(audits: Sequence[FileAudit]) -> list[str]:
    """Each file's name, or its whole path if two files have the same name."""
    short = [Path(audit.file).name.removesuffix(".jsonl") for audit in audits]
    names = [
        name if short.count(name) == 1 else audit.file
        for name, audit in zip(short, audits, strict=True)
    ]
    # Broken at underscores, so that several columns fit on a line.
    return [
        "\n".join(
            line.replace(" ", "") for line in textwrap.wrap(name.replace("_", "_ "), _HEADING_WIDTH)
        )
        for name in names
    ]

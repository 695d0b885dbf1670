"""Print the result of an import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...bdd.faults import blocks, sentence
from ...bdd.ladder import Rung
from ...core.printable import printable
from .left_out import REASONS, describe
from .seed_tasks import ImportReport

__all__ = ["print_report"]

_PLACES = 3  # for each reason; the file has all of them
_NOTES = 20


def print_report(report: ImportReport, files: Sequence[Path]) -> None:
    """Print a table of scenarios found, imported and left out, the notes, and the files."""
    console = Console(highlight=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_header=False)
    table.add_column("", no_wrap=True)
    table.add_column("", justify="right")
    table.add_column("", overflow="fold")
    table.add_row("feature files", str(report.features), "")
    found = len(report.imported) + len(report.left_out)
    table.add_row("scenarios", str(found), "", end_section=True)
    table.add_row("imported", str(len(report.imported)), "", end_section=not report.rungs)
    rungs = [rung for rung in Rung if report.rungs[rung]]
    for rung in rungs:
        table.add_row(
            f"  reached {rung}", str(report.rungs[rung]), "", end_section=rung == rungs[-1]
        )
    table.add_row("left out", str(len(report.left_out)), "")
    for reason, ones in report.reasons.items():
        table.add_row(f"  {reason.replace('_', ' ')}", str(len(ones)), REASONS[reason])
    console.print(table)
    for reason, ones in report.reasons.items():
        for one in ones[:_PLACES]:
            _say(console, f"{reason.replace('_', ' ')}: {one.place} ({one.line})")
        if len(ones) > _PLACES:
            _say(console, f"{reason.replace('_', ' ')}: and {len(ones) - _PLACES} more")
    faulty = [one for one in report.imported if one.ladder.faults]
    for climbed in faulty[:_NOTES]:
        faults = climbed.ladder.faults
        only = "only " if any(blocks(fault.code) for fault in faults) else ""
        said = "; ".join(map(sentence, faults))
        _say(console, f"{only}{climbed.ladder.rung}: {climbed.place} ({said})")
    if len(faulty) > _NOTES:
        _say(console, f"and {len(faulty) - _NOTES} more with faults")
    for unclear in report.not_understood[:_NOTES]:
        _say(console, f"not understood: {describe(unclear)}")
    if len(report.not_understood) > _NOTES:
        _say(console, f"and {len(report.not_understood) - _NOTES} more that are not understood")
    for note in report.notes[:_NOTES]:
        _say(console, note)
    if len(report.notes) > _NOTES:
        _say(console, f"and {len(report.notes) - _NOTES} notes more")
    for file in files:
        _say(console, str(file))


def _say(console: Console, line: str) -> None:
    console.print(escape(printable(line)), soft_wrap=True)

"""Tables as text. This module prints them to the terminal; pages use a template."""

from __future__ import annotations

from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from ..core.printable import printable

__all__ = ["Table", "print_table"]


@dataclass(frozen=True)
class Table:
    """A table as text.

    Attributes:
        section: its subject; tables of the same section appear together.
        words: the columns, counted from 0, that contain words instead of figures.
    """

    section: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)
    caption: str = ""


def print_table(table: Table, console: Console) -> None:
    """Print one table."""
    console.print(Text(printable(table.title), style="bold"))
    grid = RichTable(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for index, heading in enumerate(table.headings):
        grid.add_column(
            Text(printable(heading)),
            justify="left" if index in table.words else "right",
            overflow="fold",
        )
    for row in table.rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    console.print(grid)
    if table.caption:
        console.print(Text(printable(table.caption), style="dim"))
    console.print()

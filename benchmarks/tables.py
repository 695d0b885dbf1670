"""Tables of figures on standard output, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

__all__ = ["Table", "machine"]


class Table:
    """A titled table: the first column to the left, the others to the right."""

    def __init__(self, title: str, *headings: str) -> None:
        self.title = title
        self.headings = list(headings)
        self._rows: list[list[str]] = []

    def row(self, *cells: object) -> None:
        """Add a row; whole numbers get their thousands marked."""
        self._rows.append([f"{c:,}" if isinstance(c, int) else str(c) for c in cells])

    def print(self) -> None:
        rows = [self.headings, *self._rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        print(f"\n{self.title}")
        for number, row in enumerate(rows):
            cells = [row[0].ljust(widths[0])]
            cells += [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
            print("  " + "  ".join(cells).rstrip())
            if number == 0:
                print("  " + "  ".join("-" * width for width in widths))
        sys.stdout.flush()


def machine() -> str:
    """The processor, its cores at our disposal, and Python's version, in one line."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, Python {platform.python_version()}"

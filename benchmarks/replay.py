"""How long a finished run takes to be computed again from its journal.

Usage: python -m benchmarks replay [--full]

Half of a run's requests are its bootstrap's, whose time is mostly that of novelty and grows faster
than their number (the scripted server's scenarios have more in common than a model's): it is told
apart. `--full` grows 5,000 and 10,000 instructions, otherwise it is 1,000.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from .server import serving
from .stage import run_stage, write_instructions
from .tables import Table

GOAL = 10.0  # seconds for 10,000 requests
IN_FLIGHT = 32


def main(argv: list[str] | None = None) -> None:
    """Print the times of a first run and its replay."""
    table = Table(
        f"replay from the journal (goal: 10,000 requests in {GOAL:.0f} s)",
        "stage", "requests", "asked s", "replayed s", "its CPU s", "requests/s", "10,000 take s",
    )  # fmt: skip
    grown = (5_000, 10_000) if "--full" in (argv or ()) else (1_000,)
    stages = [("classify", 10_000), ("instances", 10_000), *(("bootstrap", n) for n in grown)]
    for stage, count in stages:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if stage != "bootstrap":
                write_instructions(folder, stage, count)
            with serving("-m", "benchmarks.server", "0") as url:
                first = run_stage(stage, folder, url, IN_FLIGHT, count)
            again = run_stage(stage, folder, url, IN_FLIGHT, count)
        rate = again.requests / again.wall
        table.row(
            stage, again.requests, f"{first.wall:.1f}", f"{again.wall:.2f}", f"{again.cpu:.2f}",
            f"{rate:,.0f}", f"{10_000 / rate:.1f}",
        )  # fmt: skip
    table.print()

"""How long a finished run takes to be computed again from its journal.

Usage: python -m benchmarks replay [--full]

The bootstrap's time is mostly that of novelty, which `python -m benchmarks novelty` is about: it is
told apart. `--full` takes 10,000 requests of a bootstrap too, otherwise it has 1,000.
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
    grown = 10_000 if "--full" in (argv or ()) else 1_000
    for stage, count in (("classify", 10_000), ("instances", 10_000), ("bootstrap", grown)):
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

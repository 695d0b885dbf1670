"""Peak memory of a stage and the size of its journal, by the number of requests.

Usage: python -m benchmarks memory [--full]

Classify has no pool: its memory grows only with the results for its file. `--full` goes up to
100,000 requests (minutes).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from selfbehave.core.run_files import JOURNAL_FILE

from .server import serving
from .stage import run_stage, write_instructions
from .tables import Table

IN_FLIGHT = 32
COUNTS = (1_000, 10_000)
COUNT_FULL = 100_000


def main(argv: list[str] | None = None) -> None:
    """Print peak memory, asked and replayed."""
    counts = (*COUNTS, COUNT_FULL) if "--full" in (argv or ()) else COUNTS
    table = Table(
        f"memory, {IN_FLIGHT} in flight, no latency", "stage", "requests", "before MB", "peak MB",
        "peak MB replayed", "bytes/request more", "journal bytes/request", "asked/s", "replayed/s",
    )  # fmt: skip
    for stage in ("classify", "instances"):
        smaller: tuple[int, float] | None = None
        for count in counts:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                write_instructions(folder, stage, count)
                with serving("-m", "benchmarks.server", "0") as url:
                    figures = run_stage(stage, folder, url, IN_FLIGHT, count)
                again = run_stage(stage, folder, url, IN_FLIGHT, count)
                journal = (folder / JOURNAL_FILE).stat().st_size / count
            more = ""
            if smaller is not None:
                more = f"{(figures.peak_mb - smaller[1]) * 2**20 / (count - smaller[0]):,.0f}"
            smaller = (count, figures.peak_mb)
            table.row(
                stage, count, f"{figures.start_mb:.0f}", f"{figures.peak_mb:.0f}",
                f"{again.peak_mb:.0f}", more, f"{journal:,.0f}", f"{count / figures.wall:,.0f}",
                f"{count / again.wall:,.0f}",
            )  # fmt: skip
    table.print()

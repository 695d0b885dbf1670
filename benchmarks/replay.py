"""How long it takes to recompute a finished run from its journal.

Usage: python -m benchmarks replay [--full]

Half of a run's requests belong to its bootstrap. Most of its time goes to the novelty rule and
grows faster than the number of requests (the scripted server's scenarios have more in common than a
model's). `--full` also measures a bootstrap with as many requests as the run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from .server import serving
from .stage import run_stage, write_instructions
from .tables import Table

RUN = "bootstrap to instances"
GOAL = 10.0  # seconds for 10,000 requests
IN_FLIGHT = 32


def main(argv: list[str] | None = None) -> None:
    """Print the times of a first run and its replay."""
    table = Table(
        f"replay from the journal (goal: 10,000 requests in {GOAL:.0f} s)",
        "stages", "requests", "asked s", "replayed s", "its CPU s", "requests/s", "10,000 take s",
    )  # fmt: skip
    runs = [("classify", 10_000), ("instances", 10_000), (RUN, 5_000)]
    if "--full" in (argv or ()):
        runs.append(("bootstrap", 10_000))
    for name, count in runs:
        stages = {RUN: ("bootstrap", "classify", "instances")}.get(name, (name,))
        with tempfile.TemporaryDirectory() as folder:
            if "bootstrap" not in stages:
                write_instructions(Path(folder), name, count)
            with serving("-m", "benchmarks.server", "0") as url:
                asked, _, _ = _did(stages, Path(folder), url, count)
            replayed, cpu, requests = _did(stages, Path(folder), url, count)
        table.row(
            name, requests, f"{asked:.1f}", f"{replayed:.2f}", f"{cpu:.2f}",
            f"{requests / replayed:,.0f}", f"{10_000 * replayed / requests:.1f}",
        )  # fmt: skip
    table.print()


def _did(stages: Sequence[str], folder: Path, url: str, count: int) -> tuple[float, float, int]:
    """Run some stages in order; return seconds, processor seconds and number of requests."""
    # In a run, classify asks nothing: a rule decides that scenarios are no classification tasks.
    more = {"prompts": "bdd"} if "bootstrap" in stages else {}
    done = [
        run_stage(stage, folder, url, IN_FLIGHT, count, **more if stage == "classify" else {})
        for stage in stages
    ]
    return (
        sum(one.wall for one in done),
        sum(one.cpu for one in done),
        sum(one.requests for one in done),
    )

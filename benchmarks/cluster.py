"""Gains and costs of a cluster: the ladder and requests on 1 and 2 workers, and on one machine.

Usage: python -m benchmarks cluster

Everything runs on this machine, in a local Ray cluster whose workers start before the measurement.
With as many workers as cores, they share the cores with the server of the requests.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from selfbehave.bdd.ladder import Rung, climb_rows
from selfbehave.cluster.climbing import climbing_on_cluster
from selfbehave.cluster.connection import ClusterSettings, connected
from selfbehave.cluster.ladder_files import LadderSettings, climb_files
from selfbehave.cluster.run_stages import run_stage
from selfbehave.core.jsonl import write_jsonl
from selfbehave.engines.settings import EngineSettings
from selfbehave.runs import pipeline
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.instances import INSTANCES, InstancesSettings
from selfbehave.views.display import Display
from selfbehave.views.quiet import Quiet

from .server import serving
from .stage import write_instructions
from .tables import Table

Row = tuple[str, str, str]
Climb = Callable[[list[Row], Rung, int], None]

READ_ONLY = 3_500  # rows climbed to bound
SANDBOXED = 128  # rows climbed to discriminating
REQUESTS = 2_000
WORKERS = (1, 2)


def main(argv: list[str] | None = None) -> None:
    """Print the tables."""
    began = time.perf_counter()
    with connected(ClusterSettings(workers=max(WORKERS))):
        print(f"\na local cluster starts in {time.perf_counter() - began:.1f} s")
        _ladder()
        _requests()


def _ladder() -> None:
    for top, count in ((Rung.BOUND, READ_ONLY), (Rung.DISCRIMINATING, SANDBOXED)):
        table = Table(
            f"climbing to {top}: pairs/s, and the time beyond that of as many cores alone",
            "way", "workers", "pairs", "seconds", "pairs/s", "speed-up", "overhead",
        )  # fmt: skip
        rows = _rows(count)
        # Up to bound, one process uses one core, whatever the number of workers.
        alone = _climb_by(table, "one process", _climb_here, rows, top)
        for name, climb in (("as prepare", _climb_as_prepare), ("over files", _climb_files)):
            climb(rows[:4], top, max(WORKERS))  # the workers have loaded what they need
            _climb_by(table, f"cluster, {name}", climb, rows, top, alone)
        table.print()


def _climb_by(
    table: Table, name: str, climb: Climb, rows: list[Row], top: Rung, alone: float | None = None
) -> float:
    """Add a line for each number of workers; return the seconds for one worker."""
    first = 0.0
    for workers in WORKERS:
        began = time.perf_counter()
        climb(rows, top, workers)
        seconds = time.perf_counter() - began
        first = first or seconds
        beyond = seconds * workers / (alone or first) - 1
        table.row(
            name, workers, len(rows), f"{seconds:.1f}", f"{len(rows) / seconds:,.1f}",
            f"{first / seconds:.2f}", f"{100 * beyond:.0f} %",
        )  # fmt: skip
    return first


def _requests() -> None:
    table = Table("requests through a cluster, of a server that answers at once",
                  "way", "workers", "requests", "seconds", "requests/s")  # fmt: skip
    quiet = Display(Quiet(Console(stderr=True)))
    with (
        tempfile.TemporaryDirectory() as name,
        serving("-m", "benchmarks.server", "0") as url,
    ):
        folder = Path(name)
        engine = EngineSettings(engine=url, model="m", api="completions", request_batch_size=32)
        for place in ("warm", "alone", "1", "2"):
            write_instructions(folder / place, "instances", REQUESTS if place != "warm" else 64)
        settings = InstancesSettings()
        run_stage(INSTANCES, settings, folder / "warm", engine, ClusterSettings(workers=2), quiet)
        seconds = _seconds(lambda: pipeline.instances(folder / "alone", settings, engine, quiet))
        table.row("one process", 1, REQUESTS, f"{seconds:.1f}", f"{REQUESTS / seconds:,.0f}")
        for workers in WORKERS:
            cluster = ClusterSettings(workers=workers)
            to = folder / str(workers)
            seconds = _seconds(lambda: run_stage(INSTANCES, settings, to, engine, cluster, quiet))  # noqa: B023
            rate = f"{REQUESTS / seconds:,.0f}"
            table.row("cluster", workers, REQUESTS, f"{seconds:.1f}", rate)
        seconds = _seconds(lambda: pipeline.instances(folder / "2", settings, engine, quiet))
        rate = f"{REQUESTS / seconds:,.0f}"
        table.row("the driver's part: replayed", 1, REQUESTS, f"{seconds:.1f}", rate)
    table.print()


def _rows(count: int) -> list[Row]:
    """Rows of the packaged seed tasks, repeated, each made distinct by its input."""
    tasks = load_seeds("high_quality").tasks
    rows = [(task.instruction, one.input, one.output) for task in tasks for one in task.instances]
    return [(*rows[n % len(rows)][:1], f"{n}", rows[n % len(rows)][2]) for n in range(count)]


def _climb_here(rows: list[Row], top: Rung, workers: int) -> None:
    climb_rows(rows, top, workers)


def _climb_as_prepare(rows: list[Row], top: Rung, workers: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        climbing_on_cluster(Path(name) / "verdicts.jsonl", workers)(rows, top)


def _climb_files(rows: list[Row], top: Rung, workers: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        names = ("instruction", "input", "output")
        file = Path(name) / "rows.jsonl"
        write_jsonl(file, (dict(zip(names, row, strict=True)) for row in rows))
        part = 500 if top <= Rung.BOUND else 16
        settings = LadderSettings(top_rung=str(top), rows_per_part=part)
        climb_files([str(file)], f"{name}/to", settings, ClusterSettings(workers=workers))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

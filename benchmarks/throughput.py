"""Wall time of a stage, compared with the bare requests, and with one request at a time.

Usage: python -m benchmarks throughput [--full]

The ideal is plain httpx: the same bodies, as many in flight, each on a connection of its own.
The scripted server's latencies are log-normal, p99 ten times p50: 1 s and 10 s with `--full`,
shrunk to a tenth to a half of that without it, which keeps the run short and asks more of us. One
at a time is the sum of the waits. Against a real llama.cpp server, on loopback, everything is
measured, each on a server just started.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from selfbehave.core.run_files import JOURNAL_FILE

from .server import serving
from .stage import run_stage, write_instructions
from .tables import Table

SCRIPTED = (  # stage, requests in flight, instructions, median latency in seconds
    ("bootstrap", 5, 500, 0.1),
    ("bootstrap", 32, 3_000, 0.1),
    ("classify", 32, 1_000, 0.2),
    ("instances", 32, 1_000, 0.2),
    ("instances", 256, 3_000, 0.5),
)
SCRIPTED_FULL = (
    ("bootstrap", 5, 500, 1.0),
    ("bootstrap", 32, 3_000, 1.0),
    *((stage, 256, 5_000, 1.0) for stage in ("bootstrap", "classify", "instances")),
)
LLAMA_IN_FLIGHT, LLAMA_REQUESTS, LLAMA_TOKENS = 4, 16, 64  # the server has four slots


def main(argv: list[str] | None = None) -> None:
    """Print the ratios."""
    headings = ("in flight", "requests", "in vain", "wall s", "ideal s", "wall/ideal")
    table = Table(
        "the engine kept full: a stage's wall time (1.10 x the ideal is the goal)",
        "stage and server", *headings, "one at a time s", "times faster", "our cores",
    )  # fmt: skip
    for stage, in_flight, count, median in SCRIPTED + ("--full" in (argv or ())) * SCRIPTED_FULL:
        with (
            tempfile.TemporaryDirectory() as name,
            serving("-m", "benchmarks.server", str(median)) as url,
        ):
            folder = Path(name)
            if stage != "bootstrap":
                write_instructions(folder, stage, count)
            figures = run_stage(stage, folder, url, in_flight, count)
            bodies, in_vain = _bodies(folder, figures.requests)
            ideal, waits = asyncio.run(_fire(url, bodies, in_flight))
        table.row(
            f"{stage}, scripted, p50 {median} s", in_flight, len(bodies), in_vain,
            f"{figures.wall:.1f}", f"{ideal:.1f}", f"{figures.wall / ideal:.2f}",
            f"{waits:.0f}", f"{waits / figures.wall:.1f}", f"{figures.cpu / figures.wall:.2f}",
        )  # fmt: skip
    _llama(table)
    table.print()


def _llama(table: Table) -> None:
    server = str(Path(__file__).parent.parent / "tests" / "helpers" / "llama_server.py")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_instructions(folder, "instances", LLAMA_REQUESTS)
        with serving(server) as url:
            figures = run_stage(
                "instances", folder, url, LLAMA_IN_FLIGHT, LLAMA_REQUESTS, max_tokens=LLAMA_TOKENS
            )
        bodies, in_vain = _bodies(folder, figures.requests)
    with serving(server) as url:
        ideal, _ = asyncio.run(_fire(url, bodies, LLAMA_IN_FLIGHT))
    with serving(server) as url:
        alone, _ = asyncio.run(_fire(url, bodies, 1))
    table.row(
        "instances, llama.cpp", LLAMA_IN_FLIGHT, len(bodies), in_vain,
        f"{figures.wall:.1f}", f"{ideal:.1f}", f"{figures.wall / ideal:.2f}",
        f"{alone:.1f}", f"{alone / figures.wall:.1f}", f"{figures.cpu / figures.wall:.2f}",
    )  # fmt: skip


def _bodies(folder: Path, committed: int) -> tuple[list[dict[str, Any]], int]:
    """The requests of a run in order, and how many were answered but not needed."""
    database = sqlite3.connect(folder / JOURNAL_FILE)
    rows = database.execute(
        "SELECT prompt, parameters FROM answers ORDER BY request_idx"
    ).fetchall()
    database.close()
    bodies = [{"model": "m", "prompt": prompt, **json.loads(more)} for prompt, more in rows]
    return bodies[:committed], len(bodies) - committed


async def _fire(url: str, bodies: list[dict[str, Any]], in_flight: int) -> tuple[float, float]:
    """The seconds for all plain requests together, and the sum of their individual waits."""
    waits = 0.0
    to_do = iter(bodies)

    async def fire() -> None:
        nonlocal waits
        async with httpx.AsyncClient(timeout=600.0, verify=certificates) as client:
            for body in to_do:
                began = time.perf_counter()
                (await client.post(f"{url}/completions", json=body)).raise_for_status()
                waits += time.perf_counter() - began

    certificates = httpx.create_ssl_context()
    began = time.perf_counter()
    await asyncio.gather(*(fire() for _ in range(in_flight)))
    return time.perf_counter() - began, waits

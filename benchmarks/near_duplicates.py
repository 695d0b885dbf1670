"""Near duplicates by shards: the costs by number of texts, and how many MinHash misses.

Usage: python -m benchmarks near_duplicates [--full]

Needs the extras `benchmarks` and `fast`. With --full it also decides on a million texts, which
takes minutes.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from selfbehave.novelty.dedupe.deciding import NONE, Nearest
from selfbehave.novelty.dedupe.minhash import decide_approximately
from selfbehave.novelty.dedupe.sharding import Work, decide_all, worker_processes
from selfbehave.novelty.rule import THRESHOLD, Pool

from .corpora import Corpus, chained, scenarios, stories
from .tables import Table

SIZES = (10_000, 30_000, 100_000, 300_000)
FULL_SIZE = 1_000_000
CHECKED = 30_000  # texts; up to this size, decisions are compared with those of one pool
APPROXIMATED = 100_000
CORPORA = {"sentences": chained, "user stories": stories, "scenarios": scenarios}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks near_duplicates")
    parser.add_argument("--full", action="store_true", help="decide on 1,000,000 sentences too")
    full = parser.parse_args(argv).full
    curves = {}
    for name, corpus in CORPORA.items():
        sizes = (*SIZES, FULL_SIZE) if full and corpus is chained else SIZES
        curves[name] = curve(name, corpus, sizes)
    projections(curves).print()
    missed().print()


@dataclass(frozen=True)
class Cost:
    """The cost of deciding on a number of texts."""

    texts: int
    kept: int
    core_seconds: float
    wall: float


def curve(name: str, corpus: Corpus, sizes: Sequence[int]) -> list[Cost]:
    """Print the costs by size as a table, each row as soon as it is known."""
    texts = corpus(max(sizes))
    workers = len(os.sched_getaffinity(0))
    table = Table(
        f"Near duplicates among {name} of {np.mean([len(t.split()) for t in texts]):.0f} words, "
        f"{workers} workers",
        "texts",
        "kept",
        "core-seconds",
        "wall",
        "microseconds a text",
        "ns a pair",
        "folder, bytes a text",
        "wrong",
    )
    costs = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            began, wall = core_seconds(), time.perf_counter()
            with worker_processes(workers) as executor:
                work = Work.tokenize(Path(folder), (), islice(texts, size), THRESHOLD)
                work.arrange(executor)
                decided = decide_all(work, executor, workers)
            cost = Cost(
                size,
                int(decided.is_novel.sum()),
                core_seconds() - began,
                time.perf_counter() - wall,
            )
            on_disk = sum(path.stat().st_size for path in Path(folder).iterdir())
        costs.append(cost)
        table.row(
            f"{size:,}",
            cost.kept,
            f"{cost.core_seconds:.1f}",
            f"{cost.wall:.1f}",
            f"{cost.core_seconds / size * 1e6:.0f}",
            f"{cost.core_seconds / (size * size / 2) * 1e9:.2f}",
            f"{on_disk / size:.0f}",
            wrong(texts[:size], decided) if size <= CHECKED else "",
        )
    table.print()
    return costs


def projections(curves: dict[str, list[Cost]]) -> Table:
    """Fit each curve as c + a N + b N², and project it to 1 and 10 million texts."""
    table = Table(
        "Core-seconds as c + a N + b N², by least squares of relative errors, none below 0",
        "corpus",
        "c, seconds",
        "a, microseconds",
        "b, ns",
        "worst error",
        "1 million, core-hours",
        "10 million, core-hours",
    )
    for name, costs in curves.items():
        sizes = np.array([cost.texts for cost in costs], np.float64)
        seconds = np.array([cost.core_seconds for cost in costs])
        relative = np.stack([sizes**0, sizes, sizes**2], axis=1) / seconds[:, None]
        (c, a, b), _ = nnls(relative, np.ones(len(costs)))
        hours = [(c + a * size + b * size**2) / 3600 for size in (1e6, 1e7)]
        table.row(
            name,
            f"{c:.1f}",
            f"{a * 1e6:.0f}",
            f"{b * 1e9:.3f}",
            f"{np.abs(relative @ (c, a, b) - 1).max():.0%}",
            *(f"{some:.2f}" for some in hours),
        )
    return table


def missed() -> Table:
    """MinHash as a filter before the exact comparison, compared with the exact rule."""
    table = Table(
        "Near duplicates that MinHash finds, of those that the exact rule does",
        "corpus",
        "texts",
        "exact, core-seconds",
        "MinHash",
        "dropped, exact",
        "MinHash ",
        "found (recall)",
        "right (precision)",
    )
    for name, corpus in CORPORA.items():
        texts = corpus(APPROXIMATED)
        with tempfile.TemporaryDirectory() as folder:
            began = core_seconds()
            with worker_processes(1) as executor:
                work = Work.tokenize(Path(folder), (), texts, THRESHOLD)
                work.arrange(executor)
                exact = ~decide_all(work, executor, 1).is_novel
        exactly = core_seconds() - began
        began = core_seconds()
        approximate = ~decide_approximately((), texts, THRESHOLD).is_novel
        approximately = core_seconds() - began
        both = int((exact & approximate).sum())
        table.row(
            name,
            len(texts),
            f"{exactly:.1f}",
            f"{approximately:.1f}",
            int(exact.sum()),
            int(approximate.sum()),
            f"{both / exact.sum():.1%}",
            f"{both / approximate.sum():.1%}",
        )
    return table


def wrong(texts: Sequence[str], decided: Nearest) -> int:
    """The number of texts whose decision or nearest text differs from that of one pool in order."""
    pool = Pool()
    count = 0
    for text, near, score in zip(
        texts, decided.texts.tolist(), decided.scores.tolist(), strict=True
    ):
        neighbour = pool.nearest_too_similar(text)
        if neighbour is None:
            pool.add(text)
            count += near != NONE
        else:
            count += near == NONE or (neighbour.text, neighbour.score) != (texts[near], score)
    return count


def core_seconds() -> float:
    """The processor seconds of this process and of its finished child processes."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)

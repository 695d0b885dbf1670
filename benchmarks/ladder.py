"""How many pairs of scenario and step functions per second each rung of the ladder checks.

Usage: python -m benchmarks ladder

Parsed and bound are checked in this process on one core. The baseline, one `behave --dry-run`
process per pair, is measured on a sample in the same run. Passing, discriminating and causal run in
sandboxes, one for each core. The baseline starts a sandbox for each run; the ladder reuses them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from selfbehave.bdd import Rung, climb, climb_pairs, parse_scenario, sandbox
from selfbehave.bdd.fences import PYTHON, first_block
from selfbehave.prompts.bdd import scenario_of
from selfbehave.seeds.load import load_seeds

from .tables import Table

Pair = tuple[str, str]

BASELINE_PAIRS = 20
ALONE_EVERY = 4  # of so many pairs one is climbed with a sandbox for each run
ROUNDS = 3  # in this process; the fastest counts, because the machine may be busy


def pairs_of(seeds: str) -> list[Pair]:
    pairs = []
    for task in load_seeds(seeds).tasks:
        code = first_block(task.instances[0].output, PYTHON)
        if code is not None:
            pairs.append((scenario_of(task.instruction), code.body))
    return pairs


def seconds_in_process(pairs: Sequence[Pair]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for scenario, code in pairs:
            climb(scenario, code)
        rounds.append(time.perf_counter() - started)
    return min(rounds)


def seconds_of_dry_runs(pairs: Sequence[Pair]) -> float:
    """Outside the sandbox, for the packaged seeds only."""
    total = 0.0
    for scenario, code in pairs:
        with tempfile.TemporaryDirectory() as name:
            steps = Path(name) / "features" / "steps"
            steps.mkdir(parents=True)
            (steps / "steps.py").write_text(code, encoding="utf-8")
            feature = steps.parent / "one.feature"
            feature.write_text(parse_scenario(scenario).feature_text, encoding="utf-8")
            started = time.perf_counter()
            command = [sys.executable, "-m", "behave", "--dry-run", "features"]
            subprocess.run(command, cwd=name, check=True, capture_output=True)
            total += time.perf_counter() - started
    return total


def seconds_of_climbing(pairs: Sequence[Pair], rung: Rung) -> float:
    """In sandboxes; all pairs must reach the rung."""
    started = time.perf_counter()
    ladders = climb_pairs(pairs, rung)
    seconds = time.perf_counter() - started
    reached = Counter(str(ladder.rung) for ladder in ladders)
    assert reached == {str(rung): len(pairs)}, reached
    return seconds


@contextmanager
def a_sandbox_a_run() -> Iterator[None]:
    """Make the ladder start a new sandbox for each run."""
    kept = sandbox.run_pair
    sandbox.run_pair = sandbox.run_pair_alone
    try:
        yield
    finally:
        sandbox.run_pair = kept


def main(argv: list[str] | None = None) -> None:
    """Print the rates on the packaged seeds."""
    table = Table("the BDD ladder, pairs/s", "rungs", "pairs", "seconds", "pairs/s", "ratio")

    def show(name: str, count: int, seconds: float, ratio: str = "") -> None:
        table.row(name, count, f"{seconds:.2f}", f"{count / seconds:.1f}", ratio)

    cores = os.cpu_count()
    pairs = pairs_of("high_quality")
    in_process = seconds_in_process(pairs) / len(pairs)
    sample = pairs[:: max(1, len(pairs) // BASELINE_PAIRS)][:BASELINE_PAIRS]
    dry_runs = seconds_of_dry_runs(sample) / len(sample)
    show("behave --dry-run, a process a pair", len(sample), dry_runs * len(sample), "1")
    ratio = f"{dry_runs / in_process:.0f}"
    show("parsed + bound, in process, one core", len(pairs), in_process * len(pairs), ratio)
    some = pairs[::ALONE_EVERY]
    for rung in (Rung.PASSING, Rung.DISCRIMINATING, Rung.CAUSAL):
        with a_sandbox_a_run():
            alone = seconds_of_climbing(some, rung)
        show(f"{rung}, a sandbox a run, {cores} cores", len(some), alone, "1")
        kept = seconds_of_climbing(pairs, rung)
        ratio = f"{alone / len(some) / (kept / len(pairs)):.1f}"
        show(f"{rung}, kept sandboxes, {cores} cores", len(pairs), kept, ratio)
    table.print()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"  load of the machine over 1, 5 and 15 minutes, this run's included: {load}")

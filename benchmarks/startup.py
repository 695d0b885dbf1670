"""How long the command line takes to start, each time in a new process.

Usage: python -m benchmarks startup
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from .tables import Table

ROUNDS = 15


def main(argv: list[str] | None = None) -> None:
    """Print the fastest and the median of several starts."""
    table = Table(
        f"start-up, {ROUNDS} processes each", "command", "fastest s", "median s", "goal s", "ratio"
    )
    for name, goal, command in (
        ("python -c pass", None, ("-c", "pass")),
        ("import selfbehave", 0.15, ("-c", "import selfbehave")),
        ("selfbehave --help", 0.25, ("-m", "selfbehave", "--help")),
        ("selfbehave run --help", 0.25, ("-m", "selfbehave", "run", "--help")),
    ):
        times = sorted(_seconds([sys.executable, *command]) for _ in range(ROUNDS))
        median = times[ROUNDS // 2]
        ratio = f"{median / goal:.2f}" if goal else ""
        table.row(name, f"{times[0]:.3f}", f"{median:.3f}", goal or "", ratio)
    table.print()


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began

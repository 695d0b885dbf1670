"""How many completions per second the reward scores.

Usage: python -m benchmarks reward

The completions are those of a policy in training: to each scenario a group of answers, some right,
some wrong in different ways, some the same. The baseline scores them one at a time, each in a call
of its own. Then one call scores them all, and another scores them again with the verdicts kept.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from selfbehave.bdd.fences import PYTHON, fence, first_block
from selfbehave.prompts.bdd import scenario_of
from selfbehave.reward import BehaveReward
from selfbehave.seeds.load import load_seeds

from .tables import Table

SCENARIOS = 12


def completions() -> list[tuple[str, str]]:
    """Scenarios, each with a completion; five for each of the first high-quality seeds."""
    found = []
    for task in load_seeds("high_quality").tasks[:SCENARIOS]:
        block = first_block(task.instances[0].output, PYTHON)
        assert block is not None
        lines = block.body.splitlines()
        group = [
            block.body,
            block.body,  # a policy says the same again
            block.body.replace("assert ", "assert not "),
            "\n".join(lines[: len(lines) // 2]),
            f"import os\n{block.body}",
        ]
        scenario = scenario_of(task.instruction)
        found += [(scenario, fence("python", code)) for code in group]
    return found


def seconds_of(work: Callable[[], list[float]]) -> tuple[float, list[float]]:
    started = time.perf_counter()
    scores = work()
    return time.perf_counter() - started, scores


def main(argv: list[str] | None = None) -> None:
    """Print the rates."""
    asked = completions()
    scenarios = [scenario for scenario, _ in asked]
    texts = [text for _, text in asked]
    alone, at_once = BehaveReward(workers=1, most_kept=0), BehaveReward()
    alone([], texts[:1], scenarios[:1])  # starts the first sandbox
    ways: dict[str, Callable[[], list[float]]] = {
        "one at a time": lambda: [
            one
            for scenario, text in asked
            for one in alone([], completions=[text], scenario=[scenario])
        ],
        f"all at once, {os.cpu_count()} cores": lambda: at_once([], texts, scenarios),
        "all at once, verdicts kept": lambda: at_once([], texts, scenarios),
    }
    table = Table("the reward, completions/s", "way", "completions", "seconds", "each s", "ratio")
    baseline = 0.0
    earned: list[list[float]] = []
    for name, work in ways.items():
        seconds, scores = seconds_of(work)
        earned.append(scores)
        baseline = baseline or seconds
        rate, ratio = f"{len(asked) / seconds:.1f}", f"{baseline / seconds:.1f}"
        table.row(name, len(asked), f"{seconds:.2f}", rate, ratio)
    assert earned[0] == earned[1] == earned[2], "each way gives the same scores"
    table.print()
    mean = sum(earned[0]) / len(asked)
    print(f"  {at_once.climbed} pairs climbed for {at_once.asked} completions; mean {mean:.2f}")

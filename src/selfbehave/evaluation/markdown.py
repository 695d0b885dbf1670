"""A benchmark as a Markdown page for review."""

from __future__ import annotations

from ..bdd.fences import fence
from .benchmark import Benchmark

__all__ = ["to_markdown"]


def to_markdown(benchmark: Benchmark) -> str:
    """The page of a benchmark: for each scenario its axes, a reference solution and the checks."""
    problems = benchmark.problems
    # Ruff formats Python in Markdown too; here the code is data and must not change.
    parts = ["# Benchmark", "<!-- fmt: off -->", f"{len(problems)} scenarios."]
    parts += dict.fromkeys(f"Canary: {one.canary}" for one in problems if one.canary)
    for one in problems:
        axes = [
            f"difficulty: {one.difficulty}",
            *(f"{name}: {of}" for name, of in one.axes.items()),
        ]
        parts += [f"## {one.task.id}: {one.task.name}", "\\\n".join(axes)]
        parts += [fence("gherkin", one.scenario), "### Reference", fence("python", one.reference)]
        for number, check in enumerate(one.checks, start=1):
            parts += [f"### Check {number}", fence("gherkin", check)]
    return "\n\n".join(parts) + "\n"

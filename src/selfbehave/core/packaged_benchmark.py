"""The name and the file of the packaged evaluation benchmark."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

__all__ = ["PACKAGED_BENCHMARK", "benchmark_path"]

PACKAGED_BENCHMARK = "packaged"


def benchmark_path(name: str) -> Path:
    """The file of the packaged benchmark, given its name; any other name is taken as a path."""
    if name == PACKAGED_BENCHMARK:
        return Path(str(files("selfbehave.evaluation") / "packaged" / "benchmark.jsonl"))
    return Path(name)

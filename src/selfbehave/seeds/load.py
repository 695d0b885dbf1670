"""Seed tasks: the two packaged sets, and any file in their format."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ..core.errors import SelfBehaveError
from ..core.jsonl import read_records
from ..core.records import SeedTask
from .packaged_names import PACKAGED


@dataclass(frozen=True)
class SeedSet:
    """Seed tasks, their source, and the SHA-256 of their file."""

    path: str
    sha256: str
    tasks: tuple[SeedTask, ...]


def load_seeds(path: str) -> SeedSet:
    """Load a packaged set by name, or a `*.jsonl` file of seed tasks.

    Raises:
        SelfBehaveError: a line is broken, a field is missing, two tasks have the same id, or the
            file is empty.
    """
    file = seeds_path(path)
    tasks = read_records(file, SeedTask.from_dict)
    first_at: dict[str, int] = {}
    for position, task in enumerate(tasks, start=1):
        if task.id in first_at:
            raise SelfBehaveError(
                f"seed task {position} repeats the id '{task.id}' of seed task {first_at[task.id]}",
                where=file,
                mend="give each seed task its own id",
            )
        first_at[task.id] = position
    return SeedSet(path, hashlib.sha256(file.read_bytes()).hexdigest(), tuple(tasks))


def seeds_path(name: str) -> Path:
    """The file of a packaged set, given its name; any other name is taken as a path."""
    if name in PACKAGED:
        return Path(str(files("selfbehave.seeds") / "packaged" / f"{name}_seed_tasks.jsonl"))
    return Path(name)

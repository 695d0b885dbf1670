"""The seed tasks of runs, for the card and to compare rows with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..bdd.fences import GHERKIN, first_block
from ..runs.finished import FinishedRun
from ..seeds.load import load_seeds
from ..seeds.packaged_names import PACKAGED
from .description import SeedsUsed

__all__ = ["seeds_of"]


def seeds_of(runs: Sequence[FinishedRun]) -> tuple[list[SeedsUsed], list[str], list[str]]:
    """The seed tasks of runs, as recorded in `run.toml`.

    Returns:
        The seed tasks, without repetitions; the texts to compare rows with; and a sentence about
        each problem.
    """
    used: dict[str, SeedsUsed] = {}
    texts: list[str] = []
    notices: list[str] = []
    for run in runs:
        noted = run.settings.get("bootstrap", {})
        path, sha256 = noted.get("seed_tasks_path"), noted.get("seed_tasks_sha256")
        if not (isinstance(path, str) and path.isprintable() and isinstance(sha256, str | None)):
            notices.append(f"Run {run.name} does not name its seed tasks: not compared with them.")
            continue
        name = Path(path).name  # without the folders of the author's machine
        if sha256 in used:
            continue
        # Not Path.exists, which raises an error if the name is too long.
        if path not in PACKAGED and not os.path.exists(path):  # noqa: PTH110
            notices.append(f"The seed tasks {name} of run {run.name} are missing: not compared.")
            continue
        seeds = load_seeds(path)
        if sha256 not in (None, seeds.sha256):
            notices.append(f"The seed tasks {name} have changed since run {run.name}.")
        used[seeds.sha256] = SeedsUsed(name, seeds.sha256, len(seeds.tasks))
        for task in seeds.tasks:
            scenario = first_block(task.instruction, GHERKIN)
            texts += (
                [scenario.body]
                if scenario is not None
                else [f"{task.instruction}\n{one.input}" for one in task.instances]
            )
    return list(used.values()), texts, notices

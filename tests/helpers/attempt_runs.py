"""Runs with attempts, for tests of what a release makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import selfbehave
from selfbehave.core.jsonl import write_jsonl
from selfbehave.core.records import Attempt
from selfbehave.core.run_files import ATTEMPTS_FILE
from selfbehave.engines import EngineSettings
from selfbehave.runs.run_settings import RunSettings
from selfbehave.views.display import Display

from .attempt_server import serving_attempts

__all__ = ["attempt", "attempted_run", "write_attempts"]


def attempted_run(batch_dir: Path, rows: int) -> Path:
    """A run of causal rows, of which some needed a repair, at a chat server."""
    with serving_attempts() as url:
        settings = RunSettings(rows=rows, axes="none", min_rung="passing", repair=True)
        selfbehave.run(batch_dir, settings, EngineSettings(engine=url, model="attempts"), Display())
    return batch_dir


def attempt(
    instruction: str,
    answer: str,
    rung: str | None,
    *faults: str,
    number: int = 0,
    repairs: int | None = None,
) -> Attempt:
    """An attempt that the model ended by itself."""
    metadata = {"finish_reason": "stop", "request_key": f"a{number}"}
    return Attempt(instruction, number, repairs, rung, faults, False, answer, metadata)


def write_attempts(folder: Path, attempts: Sequence[Attempt]) -> None:
    """Write the attempts of a run, in place of any that it has."""
    write_jsonl(folder / ATTEMPTS_FILE, [one.to_dict() for one in attempts])

"""What several stages do with a run's folder and settings: shared files, checked numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.errors import SelfBehaveError
from ..core.jsonl import each_record, each_row, write_jsonl
from ..core.records import Classification, Dropped
from ..core.run_files import DROPPED_FILE

__all__ = [
    "at_least",
    "classification_tasks",
    "discard_torn_dropped",
    "read_classifications",
    "write_dropped",
]

_STAGES = ("bootstrap", "classify", "instances", "prepare")


def at_least(least: int, settings: Any, *names: str) -> None:
    """Refuse settings with a number that is too low.

    Raises:
        SelfBehaveError: one of the named settings is lower than `least`.
    """
    for name in names:
        if getattr(settings, name) < least:
            raise SelfBehaveError(
                f"--{name} must be at least {least}, not {getattr(settings, name)}"
            )


def read_classifications(files: Sequence[Path]) -> dict[str, bool]:
    """Whether each instruction is a classification task, by files of stage 2; the last counts."""
    return {
        one.instruction: one.is_classification
        for file in files
        for one in each_record(file, Classification.from_dict)
    }


def classification_tasks(file: Path) -> set[str]:
    """The instructions that stage 2 found to be classification tasks, by its file."""
    tasks: set[str] = set()
    for one in each_record(file, Classification.from_dict):
        (tasks.add if one.is_classification else tasks.discard)(one.instruction)
    return tasks


def write_dropped(batch_dir: Path, stage: str, dropped: Sequence[Dropped]) -> None:
    """Put a stage's dropped candidates into the folder's file of them, in the stages' order."""
    path = batch_dir / DROPPED_FILE
    others = [row for row in _dropped_rows(path) if row["stage"] != stage] if path.exists() else []
    rows = others + [one.to_dict() for one in dropped]
    write_jsonl(path, sorted(rows, key=lambda row: _STAGES.index(row["stage"])))


def discard_torn_dropped(batch_dir: Path) -> bool:
    """Delete the folder's file of dropped candidates if it cannot be read; return whether.

    Only for who goes through all stages: these write it anew.
    """
    path = batch_dir / DROPPED_FILE
    if not path.is_file():
        return False
    try:
        _dropped_rows(path)
    except SelfBehaveError as error:
        if isinstance(error.__cause__, OSError):
            raise
        path.unlink()
        return True
    return False


def _dropped_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for number, row in each_row(path):
        if row.get("stage") not in _STAGES:
            raise SelfBehaveError(
                f"field 'stage' must be one of {', '.join(_STAGES)}, not {row.get('stage')!r}",
                where=f"{path}:{number}",
                mend="correct that line, or delete the file",
            )
        rows.append(row)
    return rows

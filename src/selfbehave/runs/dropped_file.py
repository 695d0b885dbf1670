"""`dropped.jsonl`: what every stage dropped, in the stages' order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.errors import SelfBehaveError
from ..core.jsonl import each_row, write_jsonl
from ..core.records import Dropped
from ..core.run_files import DROPPED_FILE
from ..stages.registry import all_stages

__all__ = ["discard_torn_dropped", "write_dropped"]


def write_dropped(batch_dir: Path, stage: str, dropped: Sequence[Dropped]) -> None:
    """Add a stage's dropped candidates to the folder's file, in the stages' order.

    Raises:
        SelfBehaveError: the file is broken, or names a stage that does not exist.
    """
    path = batch_dir / DROPPED_FILE
    others = [row for row in _dropped_rows(path) if row["stage"] != stage] if path.exists() else []
    rows = others + [one.to_dict() for one in dropped]
    order = _stage_names()
    write_jsonl(path, sorted(rows, key=lambda row: order.index(row["stage"])))


def discard_torn_dropped(batch_dir: Path) -> bool:
    """Delete the folder's file of dropped candidates if it cannot be read; return whether it was.

    Safe only in a full run, whose stages write it again.
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
    names = _stage_names()
    rows = []
    for number, row in each_row(path):
        if row.get("stage") not in names:
            raise SelfBehaveError(
                f"field 'stage' must be one of {', '.join(names)}, not {row.get('stage')!r}",
                where=f"{path}:{number}",
                mend="correct that line, or delete the file",
            )
        rows.append(row)
    return rows


def _stage_names() -> list[str]:
    return [stage.name for stage in all_stages()]

"""The thoughts that a model wrote before the rows, from the journals of their runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..engines.kept_answers import thoughts_of
from ..runs.finished import FinishedRow

__all__ = ["with_reasoning"]


def with_reasoning(rows: Sequence[FinishedRow], folders: Mapping[str, Path]) -> list[FinishedRow]:
    """Rows with the thoughts before their outputs; "" for a row without any.

    Args:
        folders: of the runs, by their names.

    Raises:
        SelfBehaveError: a journal is broken.
    """
    thoughts = {
        name: thoughts_of(folder, _requests(row for row in rows if row.run == name))
        for name, folder in folders.items()
    }
    return [
        replace(row, reasoning=thoughts[row.run].get(row.instance_request or "", ""))
        for row in rows
    ]


def _requests(rows: Iterable[FinishedRow]) -> list[str]:
    return [row.instance_request for row in rows if row.instance_request is not None]

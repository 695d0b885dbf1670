"""The text of a data row, as compared for near duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...core.data_files import SUFFIXES, RowFields
from ...core.errors import EXIT_USAGE, SelfBehaveError
from ...core.fields import text_field

__all__ = ["FIELDS", "check_kind", "text_of"]

FIELDS = ("instruction", "prompt", "messages", "scenario", "text")
"""By default a row's text is the first of these fields that the row has."""


def check_kind(files: Sequence[Path], to: Path) -> None:
    """Check that all files, `to` included, are JSON Lines, or that all are Parquet.

    Raises:
        SelfBehaveError: the formats differ.
    """
    kinds = {path.suffix for path in (*files, to)}
    if len(kinds) > 1 or not kinds <= set(SUFFIXES):
        raise SelfBehaveError(
            "the files have different formats: "
            f"{', '.join(sorted(kind or 'none' for kind in kinds))}",
            mend="use *.jsonl for all files and --to, or *.parquet for all",
            exit_code=EXIT_USAGE,
        )


def text_of(row: RowFields, fields: Sequence[str]) -> str:
    """The text that a row is compared by.

    Args:
        fields: the fields to join, one per line; if empty, the first of `FIELDS` that the row has.

    Raises:
        ValueError: a field is missing, or its value is not a string.
    """
    if fields:
        return "\n".join(_text(row, field) for field in fields)
    field = next((field for field in FIELDS if field in row), None)
    if field is None:
        raise ValueError(f"no field {', '.join(FIELDS)}; name one with --field")
    return _text(row, field)


def _text(row: RowFields, field: str) -> str:
    if field == "messages" and isinstance(row.get(field), list):
        asked = (one["content"] for one in row[field] if one.get("role") == "user")
        row = {field: next(asked, None)}
    return text_field(row, field)

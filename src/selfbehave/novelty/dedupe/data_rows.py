"""The rows of data files, and the text of each that near duplicates are told by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...core.errors import EXIT_USAGE, SelfBehaveError
from ...core.extras import needs_extra
from ...core.jsonl import each_record, writing_jsonl

__all__ = ["FIELDS", "check_kind", "each_row", "text_of", "writing"]

FIELDS = ("instruction", "prompt", "messages", "scenario", "text")
"""A row's text is the first of these that it has, unless others are named."""

Row = Mapping[str, Any]


def check_kind(files: Sequence[Path], to: Path) -> None:
    """Check that all files are JSON Lines, or all Parquet.

    Raises:
        SelfBehaveError: they are not.
    """
    kinds = {path.suffix for path in (*files, to)}
    if len(kinds) > 1 or not kinds <= {".jsonl", ".parquet"}:
        raise SelfBehaveError(
            f"the files are of kinds {', '.join(sorted(kind or 'none' for kind in kinds))}",
            mend="let all, and --to, be *.jsonl, or all *.parquet",
            exit_code=EXIT_USAGE,
        )


def each_row(file: Path) -> Iterator[Row]:
    """The rows of a file, one at a time.

    Raises:
        SelfBehaveError: the file cannot be read, is empty, or a line is broken.
    """
    if file.suffix == ".jsonl":
        yield from each_record(file, dict)
        return
    with needs_extra("parquet", "a Parquet file"):
        import pyarrow.parquet as pq

    with _telling(file), pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches():
            yield from batch.to_pylist()


def text_of(row: Row, fields: Sequence[str]) -> str:
    """The text that a row is compared by.

    Args:
        fields: whose texts, one a line; none for the first of `FIELDS` that the row has.

    Raises:
        ValueError: the row has none of them, or one that is no text.
    """
    if fields:
        return "\n".join(_text(row, field) for field in fields)
    field = next((field for field in FIELDS if field in row), None)
    if field is None:
        raise ValueError(f"no field {', '.join(FIELDS)}; name one with --field")
    return _text(row, field)


@contextmanager
def writing(to: Path, like: Path) -> Iterator[Callable[[Row], None]]:
    """Write rows to a file row by row, replacing it only once it is complete.

    Args:
        like: a file of the same kind; a Parquet file gets its columns.
    """
    if to.suffix == ".jsonl":
        with writing_jsonl(to) as write:
            yield write
        return
    with needs_extra("parquet", "a Parquet file"):
        import pyarrow as pa
        import pyarrow.parquet as pq

    partial = to.with_name(to.name + ".partial")
    rows: list[Row] = []
    schema = pq.read_schema(like)
    try:
        with _telling(to), pq.ParquetWriter(partial, schema, compression="zstd") as writer:

            def write_rows(least: int) -> None:
                if len(rows) >= least:
                    writer.write_table(pa.Table.from_pylist(rows, schema))
                    rows.clear()

            def write_row(row: Row) -> None:
                rows.append(row)
                write_rows(_ROWS_IN_GROUP)

            yield write_row
            write_rows(1)
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)


_ROWS_IN_GROUP = 5_000


@contextmanager
def _telling(file: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise SelfBehaveError(f"Parquet: {error}", where=file, mend="check the file") from error


def _text(row: Row, field: str) -> str:
    if field not in row:
        raise ValueError(f"field '{field}' is missing")
    value = row[field]
    if field == "messages" and isinstance(value, list):
        asked = (one["content"] for one in value if one.get("role") == "user")
        value = next(asked, None)
    if not isinstance(value, str):
        raise ValueError(f"field '{field}' must be a text, not {type(value).__name__}")
    return value

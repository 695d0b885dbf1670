"""Parquet files of rows: one reader and one writer. They need the extra `parquet`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .errors import SelfBehaveError
from .extras import needs_extra

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "each_parquet_row",
    "parquet_bytes",
    "row_count",
    "rows_between",
    "schema_of",
    "writing_parquet",
]

_ROWS_IN_GROUP = 5_000  # few enough that the Hub's viewer reads a page without the whole file
_COMPRESSION = "zstd"


def each_parquet_row(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, one at a time.

    Raises:
        SelfBehaveError: it cannot be read, or is no Parquet.
    """
    pq = _parquet()
    with _naming(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()


def rows_between(source: BinaryIO, first: int, count: int) -> Iterator[dict[str, Any]]:
    """Some consecutive rows of an open file, read from the row groups that contain them.

    Args:
        first: the number of the first row, from 0.
    """
    file = _parquet().ParquetFile(source)
    begins = 0
    for group in range(file.metadata.num_row_groups):
        length = file.metadata.row_group(group).num_rows
        start = max(first - begins, 0)
        stop = min(first + count - begins, length)
        if start < stop:
            yield from file.read_row_group(group).slice(start, stop - start).to_pylist()
        begins += length


def row_count(source: BinaryIO) -> int:
    """How many rows an open file has."""
    return int(_parquet().ParquetFile(source).metadata.num_rows)


def schema_of(path: Path) -> pa.Schema:
    """The columns of a file.

    Raises:
        SelfBehaveError: it cannot be read, or is no Parquet.
    """
    pq = _parquet()
    with _naming(path):
        return pq.read_schema(path)


@contextmanager
def writing_parquet(
    file: BinaryIO, schema: pa.Schema, path: str | Path
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Write rows to an open file; the same rows give the same bytes.

    Yields a function that writes one row. Each group of rows goes to the file when it is full.

    Args:
        path: the path of the file, for error messages.

    Raises:
        SelfBehaveError: a row does not fit the columns.
    """
    pq = _parquet()
    import pyarrow as pa

    rows: list[Mapping[str, Any]] = []
    with pq.ParquetWriter(file, schema, compression=_COMPRESSION) as writer:

        def write_group() -> None:
            with _naming(path):
                writer.write_table(pa.Table.from_pylist(rows, schema))
            rows.clear()

        def write_row(row: Mapping[str, Any]) -> None:
            rows.append(row)
            if len(rows) == _ROWS_IN_GROUP:
                write_group()

        yield write_row
        if rows:
            write_group()


def parquet_bytes(rows: Iterable[Mapping[str, Any]], schema: pa.Schema, path: str | Path) -> bytes:
    """Encode rows as the content of the file at a path; the same rows give the same bytes.

    Raises:
        SelfBehaveError: a row does not fit the columns.
    """
    sink = io.BytesIO()
    with writing_parquet(sink, schema, path) as write:
        for row in rows:
            write(row)
    return sink.getvalue()


def _parquet() -> Any:
    with needs_extra("parquet", "a Parquet file"):
        import pyarrow.parquet
    return pyarrow.parquet


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise SelfBehaveError(f"Parquet: {error}", where=path, mend="check the file") from error

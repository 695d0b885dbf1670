"""Read and write files of data rows in JSON Lines or Parquet; the suffix decides the format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from .errors import SelfBehaveError
from .files import replacing
from .jsonl import each_row, records_of, writing_jsonl
from .parquet import each_parquet_row, schema_of, writing_parquet

__all__ = [
    "SUFFIXES",
    "RowFields",
    "each_data_record",
    "each_data_row",
    "numbered_records",
    "writing_rows",
]

SUFFIXES = (".jsonl", ".parquet")

RowFields = Mapping[str, Any]
Record = TypeVar("Record")


def each_data_record(file: Path, from_dict: Callable[[RowFields], Record]) -> Iterator[Record]:
    """The rows of a file as records, one at a time. Any file but `*.parquet` is JSON Lines.

    Raises:
        SelfBehaveError: the file cannot be read, has no rows, or has a broken row, which the
            message names by file and line, or by file and row.
    """
    for _, record in numbered_records(file, from_dict):
        yield record


def numbered_records(
    file: Path, from_dict: Callable[[RowFields], Record]
) -> Iterator[tuple[int, Record]]:
    """The rows of a file as records, each with its line, or its row in a Parquet file, from 1.

    Raises:
        SelfBehaveError: as `each_data_record`.
    """
    is_parquet = file.suffix == ".parquet"
    rows = enumerate(each_parquet_row(file), start=1) if is_parquet else each_row(file)
    at = 0

    def noting() -> Iterator[tuple[str, RowFields]]:
        nonlocal at
        for number, row in rows:
            at = number
            yield f"{file}: row {number}" if is_parquet else f"{file}:{number}", row

    for record in records_of(noting(), from_dict, file):
        yield at, record


def each_data_row(file: Path) -> Iterator[RowFields]:
    """The rows of a file, one at a time.

    Raises:
        SelfBehaveError: as `each_data_record`.
    """
    return each_data_record(file, dict)


@contextmanager
def writing_rows(to: Path, like: Path) -> Iterator[Callable[[RowFields], None]]:
    """Write rows to a file one by one, replacing it only once it is complete.

    Args:
        like: a file of the same format; a new Parquet file gets its columns.

    Raises:
        SelfBehaveError: it cannot be written, has another format, or a row does not fit the
            columns.
    """
    if (to.suffix == ".parquet") != (like.suffix == ".parquet"):
        raise SelfBehaveError(
            f"the rows are of {like.name}, and can only be written as such a file",
            where=to,
            mend=f"give it the ending {like.suffix or '.jsonl'}",
        )
    if to.suffix == ".parquet":
        schema = schema_of(like)
        with replacing(to) as file, writing_parquet(file, schema, to) as write:
            yield write
    else:
        with writing_jsonl(to) as write:
            yield write

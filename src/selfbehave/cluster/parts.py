"""Parts of large files, which workers read themselves: JSON Lines and Parquet, local or remote.

A part is a number of consecutive rows of one file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..core.errors import SelfBehaveError
from ..core.jsonl import object_in
from ..core.parquet import row_count, rows_between
from .addresses import expanded, opened

__all__ = ["FORMATS", "FilePart", "parts_of", "rows_of"]

FORMATS = ("jsonl", "parquet")


@dataclass(frozen=True)
class FilePart:
    """Consecutive rows of one file.

    Attributes:
        number: its place among the parts of all files, from 0.
        url: the file's address.
        rows: how many it has.
        first: the line of its first row, from 1; for Parquet the row's number, from 0.
        start, size: where its bytes are in a JSON Lines file; 0 for Parquet.
    """

    number: int
    url: str
    rows: int
    first: int
    start: int = 0
    size: int = 0


def parts_of(names: Sequence[str], rows: int) -> list[FilePart]:
    """Cut files into parts of a number of rows; the last part of a file may be smaller.

    Raises:
        SelfBehaveError: a file is missing, cannot be read, or has no rows.
    """
    parts: list[FilePart] = []
    for name in names:
        for url in expanded(name):
            with opened(url) as file:
                cut = list((_cut_parquet if _is_parquet(url) else _cut_lines)(file, rows))
            if not cut:
                raise SelfBehaveError(
                    "the file has no records", where=url, mend="give one with records"
                )
            parts += [
                FilePart(number, url, *place) for number, place in enumerate(cut, start=len(parts))
            ]
    return parts


def rows_of(part: FilePart) -> list[tuple[str, Mapping[str, Any]]]:
    """Read the rows of a part, each with its place (`file:line`) for error messages.

    Raises:
        SelfBehaveError: the file cannot be read, or a line is broken.
    """
    with opened(part.url) as file:
        if _is_parquet(part.url):
            return [
                (f"{part.url}: row {number}", row)
                for number, row in enumerate(
                    rows_between(file, part.first, part.rows), start=part.first
                )
            ]
        file.seek(part.start)
        lines = io.BytesIO(file.read(part.size))
    places = ((f"{part.url}:{number}", line) for number, line in enumerate(lines, start=part.first))
    return [(place, object_in(line, place)) for place, line in places if line.strip()]


def _cut_lines(file: BinaryIO, rows: int) -> Iterator[tuple[int, int, int, int]]:
    count = start = end = 0
    first = 1
    for number, line in enumerate(file, start=1):
        end += len(line)
        count += bool(line.strip())
        if count == rows:
            yield count, first, start, end - start
            count, start, first = 0, end, number + 1
    if count:
        yield count, first, start, end - start


def _cut_parquet(file: BinaryIO, rows: int) -> Iterator[tuple[int, int]]:
    total = row_count(file)
    for first in range(0, total, rows):
        yield min(rows, total - first), first


def _is_parquet(url: str) -> bool:
    return url.endswith(".parquet")

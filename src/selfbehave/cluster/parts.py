"""Large files cut into parts that workers read for themselves: JSON Lines and Parquet, anywhere.

A part is so many consecutive rows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ..core.errors import SelfBehaveError
from ..core.jsonl import json_line, object_in
from .addresses import expanded, opened

__all__ = ["FORMATS", "Part", "packed", "parts_of", "rows_of"]

FORMATS = ("jsonl", "parquet")


@dataclass(frozen=True)
class Part:
    """Consecutive rows of one file.

    Attributes:
        number: of the part among those of all files, from 0.
        url: of the file.
        rows: how many.
        first: the line of the first, from 1; in Parquet its row, from 0.
        start, size: in a JSON Lines file, the bytes that hold them; 0 in Parquet.
    """

    number: int
    url: str
    rows: int
    first: int
    start: int = 0
    size: int = 0


def parts_of(names: Sequence[str], rows: int) -> list[Part]:
    """Cut files into parts of so many rows, the last of each file maybe smaller.

    Raises:
        SelfBehaveError: a file is missing, cannot be read, or has no rows.
    """
    parts: list[Part] = []
    for name in names:
        for url in expanded(name):
            with opened(url) as file:
                cut = list((_cut_parquet if _is_parquet(url) else _cut_lines)(file, rows))
            if not cut:
                raise SelfBehaveError(
                    "the file has no records", where=url, mend="give one with records"
                )
            parts += [
                Part(number, url, *place) for number, place in enumerate(cut, start=len(parts))
            ]
    return parts


def rows_of(part: Part) -> list[tuple[str, Mapping[str, Any]]]:
    """Read a part: its rows, each with the place (`file:line`) to name in a complaint.

    Raises:
        SelfBehaveError: it cannot be read, or a line is broken.
    """
    with opened(part.url) as file:
        if _is_parquet(part.url):
            return [
                (f"{part.url}: row {number}", row)
                for number, row in enumerate(_parquet_rows(file, part), start=part.first)
            ]
        file.seek(part.start)
        lines = io.BytesIO(file.read(part.size))
    places = ((f"{part.url}:{number}", line) for number, line in enumerate(lines, start=part.first))
    return [(place, object_in(line, place)) for place, line in places if line.strip()]


def packed(rows: Sequence[dict[str, Any]], format: str, schema: pa.Schema) -> bytes:
    """Rows as the content of a file of this format; the schema is for Parquet."""
    if format == "jsonl":
        return b"".join(map(json_line, rows))
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), buffer)
    return buffer.getvalue()


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
    total = pq.ParquetFile(file).metadata.num_rows
    for first in range(0, total, rows):
        yield min(rows, total - first), first


def _parquet_rows(file: BinaryIO, part: Part) -> Iterator[Mapping[str, Any]]:
    """The rows of a part, out of the row groups that hold them."""
    parquet = pq.ParquetFile(file)
    begins = 0
    for group in range(parquet.metadata.num_row_groups):
        length = parquet.metadata.row_group(group).num_rows
        start = max(part.first - begins, 0)
        stop = min(part.first + part.rows - begins, length)
        if start < stop:
            yield from parquet.read_row_group(group).slice(start, stop - start).to_pylist()
        begins += length


def _is_parquet(url: str) -> bool:
    return url.endswith(".parquet")

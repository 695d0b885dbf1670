"""Large files cut into parts that workers read for themselves: JSON Lines and Parquet, anywhere.

A part is so many consecutive rows.
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

__all__ = ["FORMATS", "Part", "parts_of", "rows_of"]

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

"""JSON Lines: writers, and readers whose errors name the file and line.

Readers limit size and depth, because the files may come from untrusted sources.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from .errors import SelfBehaveError
from .files import not_read, replacing

__all__ = [
    "MAX_DEPTH",
    "MAX_LINE_BYTES",
    "each_record",
    "each_row",
    "json_line",
    "object_in",
    "read_records",
    "records_of",
    "write_jsonl",
    "writing_jsonl",
]

Record = TypeVar("Record")

MAX_LINE_BYTES = 32 * 2**20
_LONG_LINE_BYTES = 8 * 2**20
_MAX_VALUES = 1_000_000  # of a long line: an empty list takes thirty times its three bytes
MAX_DEPTH = 100  # of nested objects and lists: what is read must be writable again


def each_record(path: Path, from_dict: Callable[[Mapping[str, Any]], Record]) -> Iterator[Record]:
    """Read a JSON Lines file of one kind of record, one at a time; blank lines are skipped.

    Raises:
        SelfBehaveError: the file is missing, empty, or a line is broken (named as `file:line`).
    """
    rows = ((f"{path}:{number}", row) for number, row in each_row(path))
    return records_of(rows, from_dict, path)


def records_of(
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    from_dict: Callable[[Mapping[str, Any]], Record],
    path: Path,
    unit: str = "line",
) -> Iterator[Record]:
    """The rows of a file as records.

    Args:
        rows: each with its place, for error messages.
        path: the path of the file.
        unit: what a place counts, such as lines.

    Raises:
        SelfBehaveError: there are no rows, or a row is broken.
    """
    is_empty = True
    for place, row in rows:
        try:
            record = from_dict(row)
        except (ValueError, TypeError, OverflowError) as error:
            raise SelfBehaveError(str(error), where=place, mend=f"correct that {unit}") from error
        is_empty = False
        yield record
    if is_empty:
        raise SelfBehaveError("the file has no records", where=path, mend="give one with records")


def read_records(path: Path, from_dict: Callable[[Mapping[str, Any]], Record]) -> list[Record]:
    """All of `each_record`."""
    return list(each_record(path, from_dict))


def each_row(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a JSON Lines file with line numbers from 1; blank lines are skipped.

    Raises:
        SelfBehaveError: the file cannot be read, or a line is no JSON object.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if not line.isspace():
                    yield number, object_in(line, f"{path}:{number}")
    except (OSError, ValueError) as error:  # ValueError: a path with U+0000
        raise not_read(path, error) from error


def object_in(line: bytes, where: str) -> dict[str, Any]:
    """The JSON object in a line of a file.

    Raises:
        SelfBehaveError: there is no object, or it is larger or deeper than any record.
    """
    if len(line) > MAX_LINE_BYTES:
        raise SelfBehaveError(
            f"a line of more than {MAX_LINE_BYTES // 2**20} MiB",
            where=where,
            mend="each line must be one JSON object",
        )
    if len(line) > _LONG_LINE_BYTES and line.count(b",") > _MAX_VALUES:
        raise SelfBehaveError(
            f"more than {_MAX_VALUES:,} values on a line",
            where=where,
            mend="each line must be one JSON object",
        )
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SelfBehaveError(
            f"not UTF-8 (byte {error.start} of the line)",
            where=where,
            mend="save the file as UTF-8",
        ) from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "a number too long"
        raise SelfBehaveError(
            f"not JSON: {getattr(error, 'msg', reason)}",
            where=where,
            mend="each line must be one JSON object",
        ) from error
    if not isinstance(row, dict):
        raise SelfBehaveError(
            f"not a JSON object but {type(row).__name__}",
            where=where,
            mend="each line must be one JSON object",
        )
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _depth(row) > MAX_DEPTH:
        raise SelfBehaveError(
            f"objects and lists are nested more than {MAX_DEPTH} deep",
            where=where,
            mend="correct that line",
        )
    return row


def _depth(value: Any) -> int:
    """How deeply objects and lists are nested, found without recursion."""
    depth = 0
    level = [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as UTF-8 JSON Lines, replacing the file only once it is complete."""
    with writing_jsonl(path) as write:
        for row in rows:
            write(row)


@contextmanager
def writing_jsonl(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Write a JSON Lines file row by row, replacing it only once it is complete.

    Yields a function that writes one row.
    """
    with replacing(path) as file:

        def write(row: Mapping[str, Any]) -> None:
            file.write(json_line(row))

        yield write


def json_line(row: Mapping[str, Any]) -> bytes:
    """A record as a line of JSON in UTF-8, its line break included."""
    try:
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can represent it
        return json.dumps(row).encode() + b"\n"

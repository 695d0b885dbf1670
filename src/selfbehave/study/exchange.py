"""Ratings as files: CSV and XLSX in the published layout, and JSON Lines.

Written ratings read back equal, except that identifiers lose surrounding space. The suffix selects
the format. XLSX has one sheet per dataset, so its rows come back grouped by dataset.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.files import read_text, write_bytes, write_text
from ..core.jsonl import read_records, write_jsonl
from .ratings import CRITERIA, HIGH_QUALITY, Rating
from .spreadsheet import (
    COLUMNS,
    DATASET,
    Located,
    Sheet,
    ratings_of,
    row_of,
    settled_as_published,
    settled_by,
)

__all__ = ["read_ratings", "write_ratings"]

_MAX_CSV = 32 * 2**20  # bytes
_MAX_CELLS = 2_000_000
_SEPARATOR_LINE = re.compile(r"\"?sep=(?P<delimiter>[,;\t|])\"?[,;\t|]*(?:\r\n|\r|\n|\Z)", re.I)
_IDENTIFIERS = ("dataset", "scenario_id", "rater")


def read_ratings(path: Path, consensus: str | None = None) -> list[Rating]:
    """Read the ratings of a *.csv, *.xlsx or *.jsonl file.

    In XLSX, each visible sheet with the expected columns is a dataset named after the sheet. A CSV
    file without a `Dataset` column is one dataset named after the file.

    Args:
        path: the file; `spreadsheet` lists its columns.
        consensus: the rater whose verdicts are the settled ones. The default is a rater named
            "consensus", or rater 3 in sheets of the published study.

    Raises:
        SelfBehaveError: the file cannot be read, a cell or a line is wrong, a rater rated a
            scenario twice, or no rater has the name in `consensus`. The error gives the place.
    """
    read = _by_suffix(path, {".csv": _read_csv, ".xlsx": _read_xlsx, ".jsonl": _read_jsonl})
    located = read(path, consensus)
    if not located:
        raise SelfBehaveError("the file has no ratings", where=path, mend="give one with ratings")
    if consensus is not None:
        _refuse_unknown(consensus, located, path)
        located = settled_by(consensus, located)
    _refuse_twice(located)
    return [rating for rating, _ in located]


def write_ratings(
    path: Path, ratings: Sequence[Rating], names: Mapping[tuple[str, str], str] | None = None
) -> None:
    """Write ratings to a *.csv, *.xlsx or *.jsonl file.

    Args:
        path: the file; the write is atomic.
        ratings: the ratings in output order.
        names: scenario titles by (dataset, scenario_id), for the `Name` column.

    Raises:
        SelfBehaveError: the file cannot be written, or a text is too long for a spreadsheet cell.
    """
    write = _by_suffix(path, {".csv": _write_csv, ".xlsx": _write_xlsx, ".jsonl": _write_jsonl})
    try:
        write(path, ratings, names or {})
    except ValueError as error:
        raise SelfBehaveError(str(error), where=path, mend="write *.jsonl instead") from error


def _by_suffix(path: Path, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    if path.suffix.lower() not in functions:
        raise SelfBehaveError(
            f"'{path.suffix}' is not a format of ratings",
            where=path,
            mend=f"use one of {', '.join(functions)}",
            exit_code=EXIT_USAGE,
        )
    return functions[path.suffix.lower()]


def _refuse_unknown(consensus: str, located: Sequence[Located], path: Path) -> None:
    raters = dict.fromkeys(rating.rater for rating, _ in located)
    if consensus not in raters:
        raise SelfBehaveError(
            f"there is no rater named '{consensus}'",
            where=path,
            mend=f"the raters are {', '.join(raters)}",
            exit_code=EXIT_USAGE,
        )


def _refuse_twice(located: Sequence[Located]) -> None:
    seen: dict[tuple[str, str, str], str] = {}
    for rating, where in located:
        key = (rating.dataset, rating.scenario_id, rating.rater)
        if key in seen:
            raise SelfBehaveError(
                f"rater {rating.rater} rates scenario {rating.scenario_id} of {rating.dataset} "
                f"twice (first at {seen[key]})",
                where=where,
                mend="delete one of the two",
            )
        seen[key] = where


def _read_csv(path: Path, consensus: str | None) -> list[Located]:
    try:
        if path.stat().st_size > _MAX_CSV:
            raise SelfBehaveError(
                f"larger than {_MAX_CSV // 2**20} MiB", where=path, mend="split it up"
            )
    except OSError as error:
        raise SelfBehaveError(
            f"cannot be read: {error.strerror}", where=path, mend="check the path"
        ) from error
    text = read_text(path, encoding="utf-8-sig")
    # Excel declares a file's delimiter in a first line such as `sep=;`.
    said = _SEPARATOR_LINE.match(text)
    first_line = 1
    if said:
        text, first_line = text[said.end() :], 2
    delimiter = said["delimiter"] if said else _delimiter(text)
    # Strict mode, so that an unclosed quote does not swallow the rest of the file.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    start = first_line
    cells = 0
    try:
        for row in lines:
            cells += len(row) + 1
            if cells > _MAX_CELLS:
                raise csv.Error(f"more than {_MAX_CELLS:,} cells")
            if row:
                rows.append((start, row))
            start = lines.line_num + first_line
    except csv.Error as error:
        raise SelfBehaveError(
            f"not CSV: {error}", where=f"{path}:{start}", mend="correct that row"
        ) from error
    header = rows[0][1] if rows else []
    header_line = rows[0][0] if rows else first_line
    sheet = Sheet(path.stem, header, rows[1:], lambda row, _: f"{path}:{row}", header_line)
    return _of_sheets([sheet], consensus)


def _delimiter(text: str) -> str:
    """The delimiter: a comma, or the semicolon or tab that some spreadsheet locales write."""
    return max(",;\t", key=text.partition("\n")[0].count)


def _read_xlsx(path: Path, consensus: str | None) -> list[Located]:
    from .workbook import read_sheets

    return _of_sheets(read_sheets(path), consensus)


def _of_sheets(sheets: Sequence[Sheet], consensus: str | None) -> list[Located]:
    located = []
    for sheet in sheets:
        found = ratings_of(sheet)
        located += found if consensus else settled_as_published(sheet, found)
    return located


def _read_jsonl(path: Path, _consensus: str | None) -> list[Located]:
    ratings = read_records(path, _from_dict)
    return [(rating, f"{path}, record {number}") for number, rating in enumerate(ratings, start=1)]


def _from_dict(row: Mapping[str, Any]) -> Rating:
    values = {field.name: row[field.name] for field in fields(Rating) if field.name in row}
    for name in _IDENTIFIERS:
        value = values.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # pandas keeps a column of numbers with gaps as floats
        if isinstance(value, int) and not isinstance(value, bool):
            values[name] = value = str(value)
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"field '{name}' must be a text or a whole number, and not empty")
        values[name] = value.strip()
    for name in CRITERIA:
        if name not in row:
            raise ValueError(f"field '{name}' is missing")
        if row[name] is not None and not isinstance(row[name], bool):
            raise ValueError(f"field '{name}' must be true, false or null")
    if not isinstance(values.get("ill_formed", False), bool):
        raise ValueError("field 'ill_formed' must be true or false")
    if not isinstance(values.get("note", ""), str):
        raise ValueError("field 'note' must be a text")
    rating = Rating(**values)
    if row.get(HIGH_QUALITY) not in (None, rating.high_quality):
        raise ValueError(f"field '{HIGH_QUALITY}' contradicts the four criteria")
    return rating


def _write_csv(path: Path, ratings: Sequence[Rating], names: Mapping[tuple[str, str], str]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, (DATASET, *COLUMNS))
    writer.writeheader()
    for rating in ratings:
        row = row_of(rating, names.get((rating.dataset, rating.scenario_id), ""))
        writer.writerow(
            {
                column: str(cell).upper() if isinstance(cell, bool) else cell
                for column, cell in row.items()
            }
        )
    write_text(path, buffer.getvalue())


def _write_xlsx(
    path: Path, ratings: Sequence[Rating], names: Mapping[tuple[str, str], str]
) -> None:
    from .workbook import workbook_bytes

    write_bytes(path, workbook_bytes(ratings, names))


def _write_jsonl(
    path: Path, ratings: Sequence[Rating], names: Mapping[tuple[str, str], str]
) -> None:
    write_jsonl(
        path,
        (
            {
                **asdict(rating),
                HIGH_QUALITY: rating.high_quality,
                "name": names.get((rating.dataset, rating.scenario_id), ""),
            }
            for rating in ratings
        ),
    )

"""Ratings as an XLSX workbook: one sheet for each dataset.

The input may be hostile. The reader checks size limits before it parses and rejects entity bombs.
It uses only the formula values that the spreadsheet program stored in the file.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import DEFUSEDXML, Workbook, load_workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from ..core.errors import SelfBehaveError
from .ratings import Rating
from .spreadsheet import (
    COLUMNS,
    DATASET,
    REQUIRED,
    Cell,
    Sheet,
    columns_of,
    guarded,
    holds_ratings,
    row_of,
)

__all__ = ["read_sheets", "workbook_bytes"]

MAX_UNPACKED = 32 * 2**20  # bytes; the published workbook with a dozen sheets has 9 MB
MAX_PARTS = 2_000  # files within the archive
MAX_ROWS = 200_000  # over all sheets of ratings; a row may claim to be the millionth
MAX_COLUMNS = 16_384  # per sheet, a limit of the file format
MAX_SHEETS = 100

# Exceptions that openpyxl raises for a file that is not a workbook; it has no common base class.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    InvalidFileException,
    LookupError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,  # from XML: openpyxl parses some parts with lxml if it is installed
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
_TITLE_LENGTH = 31
_NO_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f\x7f\ufffe\uffff]|^'|'$")
# Characters to escape as in ECMA-376, part 1, 22.9.2.19: those that XML 1.0 cannot hold (it reads a
# carriage return as a line feed), and an underscore that would look like the start of an escape.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_WIDTHS = {"Name": 40, "Note": 60}


def read_sheets(path: Path) -> list[Sheet]:
    """The visible sheets that hold ratings, named after their datasets.

    Raises:
        SelfBehaveError: the file is not a workbook, is too large, or has no such sheet.
    """
    try:
        if path.stat().st_size > MAX_UNPACKED:
            raise SelfBehaveError(
                f"larger than {MAX_UNPACKED // 2**20} MiB",
                where=path,
                mend="keep the sheets of ratings only, or save them as CSV",
            )
        data = path.read_bytes()
    except OSError as error:
        raise SelfBehaveError(
            f"cannot be read: {error.strerror}", where=path, mend="check the path"
        ) from error
    _refuse_bombs(data, path)
    try:
        sheets = _sheets(data, path)
    except _BROKEN as error:
        raise SelfBehaveError(
            f"not a workbook ({type(error.__cause__ or error).__name__})",
            where=path,
            mend="save it again as .xlsx",
        ) from error
    if not sheets:
        raise SelfBehaveError(
            "no visible sheet holds ratings",
            where=path,
            mend=f"the first row of a sheet must name {', '.join(REQUIRED)}",
        )
    return sheets


def workbook_bytes(ratings: Sequence[Rating], names: Mapping[tuple[str, str], str]) -> bytes:
    """A workbook with a sheet for each dataset.

    A dataset's name that is not a valid sheet title goes in a `Dataset` column instead.

    Raises:
        ValueError: a text is too long for a cell.
    """
    workbook = Workbook()
    workbook.remove(workbook.active)
    for dataset in dict.fromkeys(rating.dataset for rating in ratings):
        title = _title(dataset, workbook.sheetnames)
        sheet = workbook.create_sheet(title)
        columns = COLUMNS if title == dataset else (DATASET, *COLUMNS)
        _fill(sheet, columns, [rating for rating in ratings if rating.dataset == dataset], names)
    if not workbook.sheetnames:
        _fill(workbook.create_sheet("ratings"), COLUMNS, [], names)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _refuse_bombs(data: bytes, path: Path) -> None:
    # zipfile never unpacks more of a part than the directory declares, so the sums are bounds.
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise SelfBehaveError(
            "not a workbook: not a ZIP archive", where=path, mend="save it again as .xlsx"
        ) from error
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED or len(parts) > MAX_PARTS:
        raise _too_large(
            f"{unpacked / 2**20:,.0f} MiB in {len(parts):,} parts when unpacked, which is more "
            f"than {MAX_UNPACKED // 2**20} MiB in {MAX_PARTS:,} parts",
            path,
        )


def _sheets(data: bytes, path: Path) -> list[Sheet]:
    if not DEFUSEDXML:
        raise SelfBehaveError(
            "openpyxl is set not to use defusedxml, so XLSX files are not read",
            where=path,
            mend="install defusedxml and unset OPENPYXL_DEFUSEDXML",
        )
    # Open the file again for its formulas only if a value is missing.
    workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    if len(workbook.worksheets) > MAX_SHEETS:
        raise _too_large(f"more than {MAX_SHEETS} sheets", path)
    sheets = []
    left = MAX_ROWS
    for worksheet in workbook.worksheets:
        if worksheet.sheet_state != "visible":
            continue  # hidden sheets are snapshots and helpers
        header = next(worksheet.iter_rows(max_row=1, max_col=MAX_COLUMNS, values_only=True), ())
        if not holds_ratings(header):
            continue
        place = _Place(path, worksheet.title)
        columns = columns_of(Sheet(worksheet.title, header, (), place))
        rows, last = _rows(worksheet, columns, left)
        left -= last
        if left < 0:
            raise _too_large(f"more than {MAX_ROWS:,} rows", path)
        sheet = Sheet(worksheet.title, header, rows, place)
        _refuse_uncalculated(sheet, columns, data)
        sheets.append(sheet)
    return sheets


def _too_large(what: str, path: Path) -> SelfBehaveError:
    return SelfBehaveError(
        what, where=path, mend="keep the sheets of ratings only, or save them as CSV"
    )


def _rows(
    worksheet: Any, columns: Mapping[str, int], most: int
) -> tuple[list[tuple[int, Sequence[Cell]]], int]:
    """The non-empty rows after the header, and the number of the last row.

    Rows missing from the file count too, since openpyxl creates them. Reading stops one row after
    `most`.
    """
    cells = worksheet.iter_rows(
        min_row=2, max_row=most + 1, max_col=max(columns.values()) + 1, values_only=True
    )
    rows: list[tuple[int, Sequence[Cell]]] = []
    number = 1
    for number, row in enumerate(cells, start=2):
        if any(cell is not None for cell in row):
            rows.append(
                (number, [_decoded(cell) if isinstance(cell, str) else cell for cell in row])
            )
    return rows, number


def _refuse_uncalculated(sheet: Sheet, columns: Mapping[str, int], data: bytes) -> None:
    """Reject uncalculated formulas: they have no value and would pass as unanswered."""
    needed = [columns[name] for name in REQUIRED]
    gaps = {
        (number, index)
        for number, row in sheet.rows
        if any(row[index] is not None for index in needed)
        for index in needed
        if row[index] is None
    }
    if not gaps:
        return
    workbook = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    rows = workbook[sheet.dataset].iter_rows(
        min_row=2, max_row=max(gaps)[0], max_col=max(columns.values()) + 1, values_only=True
    )
    for number, row in enumerate(rows, start=2):
        for index in needed:
            if (number, index) in gaps and row[index] is not None:
                raise SelfBehaveError(
                    "a formula without a value",
                    where=sheet.place(number, index),
                    mend="open the file in a spreadsheet program and save it",
                )


class _Place:
    def __init__(self, path: Path, title: str) -> None:
        self._sheet = f"{path}, sheet {title}"

    def __call__(self, row: int, column: int | None) -> str:
        if column is None:
            return f"{self._sheet}, row {row}"
        return f"{self._sheet}, cell {get_column_letter(column + 1)}{row}"


def _title(dataset: str, taken: Sequence[str]) -> str:
    """A sheet title as close to the dataset's name as the format allows."""
    plain = _NO_TITLE.sub(" ", dataset).strip()[:_TITLE_LENGTH].strip("' ") or "dataset"
    lower = {title.casefold() for title in taken} | {"history"}  # Excel reserves the latter
    title, number = plain, 1
    while title.casefold() in lower:
        number += 1
        title = f"{plain[: _TITLE_LENGTH - 8].rstrip()} {number}"
    return title


def _fill(
    sheet: Any,
    columns: Sequence[str],
    ratings: Sequence[Rating],
    names: Mapping[tuple[str, str], str],
) -> None:
    sheet.append(columns)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for index, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = _WIDTHS.get(column, 13)
    for number, rating in enumerate(ratings, start=2):
        name = names.get((rating.dataset, rating.scenario_id), "")
        row = row_of(rating, name, encode=_encoded)
        for index, column in enumerate(columns, start=1):
            value = row[column]
            if value is None or value == "":
                continue
            cell = sheet.cell(number, index)
            if column in REQUIRED[:2] and _is_number(value):
                cell.value = int(value)  # so that the sheet sorts numerically
                continue
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # "#N/A" is a text too
            if column == "Note":
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "C2" if columns == COLUMNS else "D2"
    sheet.auto_filter.ref = sheet.dimensions


def _is_number(text: Any) -> bool:
    return re.fullmatch(r"0|[1-9][0-9]{0,14}", text) is not None


def _encoded(text: str) -> str:
    return _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", guarded(text))


def _decoded(text: str) -> str:
    # A lone surrogate is not a character, so an escape for one stays unchanged.
    return _ESCAPE.sub(
        lambda found: found[0] if "D8" <= found[1][:2].upper() <= "DF" else chr(int(found[1], 16)),
        text,
    )

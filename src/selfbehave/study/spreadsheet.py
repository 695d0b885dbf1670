"""One row of a ratings spreadsheet as a `Rating` and back, in the published layout.

The columns are those of the annotation sheet published with SelfBehave: one row for each scenario
and rater. Columns match by name, in any order and case; unknown columns are ignored. `High-quality`
and `Done` follow from the four criteria and are written for readers. `Done` is not read, and a
`High-quality` that contradicts the criteria is an error.

Text that a spreadsheet program could take for a formula gets a leading apostrophe (OWASP's advice
on CSV injection). So does text that already begins with an apostrophe, which makes the rule
reversible, and text such as `1.0`, which such a program turns into the number 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.errors import SelfBehaveError
from .ratings import CONSENSUS, CRITERIA, Rating
from .truth_words import truth_of

__all__ = [
    "COLUMNS",
    "DATASET",
    "REQUIRED",
    "Cell",
    "Located",
    "Sheet",
    "columns_of",
    "guarded",
    "holds_ratings",
    "ratings_of",
    "row_of",
    "settled_as_published",
    "settled_by",
    "unguarded",
]

DATASET = "Dataset"
_SCENARIO, _RATER, _NAME, _DONE, _ILL_FORMED, _NOTE = (
    "Scenario ID",
    "Reviewer ID",
    "Name",
    "Done",
    "Ill-formed",
    "Note",
)
_VERDICTS = {name: name.capitalize() for name in CRITERIA}
_HIGH_QUALITY = "High-quality"
REQUIRED = (_SCENARIO, _RATER, *_VERDICTS.values())
COLUMNS = (*REQUIRED, _HIGH_QUALITY, _NAME, _DONE, _ILL_FORMED, _NOTE)

Cell = object  # any value of a spreadsheet cell
Located = tuple[Rating, str]  # a rating and its location


@dataclass(frozen=True)
class Sheet:
    """A table of cells from a file.

    Attributes:
        dataset: the dataset of rows that do not name one.
        header: the first row.
        rows: the other rows with their numbers in the file.
        place: describes the location of a row, or of a cell by its index from 0.
        header_row: the row number of the header.
    """

    dataset: str
    header: Sequence[Cell]
    rows: Iterable[tuple[int, Sequence[Cell]]]
    place: Callable[[int, int | None], str]
    header_row: int = 1


_LONGEST = 32_767  # characters of a cell; spreadsheet programs cut off the rest
_FORMULA = re.compile(r"['=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")  # including full-width forms
# A whole number as written by a program that stores floats: `1.0`, or `1,0` with a decimal comma.
_WHOLE_FLOAT = re.compile(r"(?P<whole>-?[0-9]+)[.,]0+")


def guarded(text: str) -> str:
    """Escape a text that could pass for a formula or a float; `unguarded` reverses this."""
    return f"'{text}" if _needs_guard(text) else text


def unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and _needs_guard(text[1:]) else text


def _needs_guard(text: str) -> bool:
    return bool(_FORMULA.match(text) or _WHOLE_FLOAT.fullmatch(text.strip()))


def holds_ratings(header: Sequence[Cell]) -> bool:
    """Whether a sheet seems to hold ratings: it has at least half of the required columns."""
    spelt = {_spelling(cell) for cell in header}
    return sum(_spelling(column) in spelt for column in REQUIRED) * 2 >= len(REQUIRED)


def columns_of(sheet: Sheet) -> dict[str, int]:
    """The index of each known column in a sheet, from 0.

    Raises:
        SelfBehaveError: a required column is missing, or a known one occurs twice.
    """
    spelt = [_spelling(cell) for cell in sheet.header]
    found: dict[str, int] = {}
    for column in (*COLUMNS, DATASET):
        count = spelt.count(_spelling(column))
        if count == 1:
            found[column] = spelt.index(_spelling(column))
        elif count:
            raise SelfBehaveError(
                f"column '{column}' is there {count} times",
                where=sheet.place(sheet.header_row, None),
                mend="delete or rename all but one",
            )
        elif column in REQUIRED:
            raise SelfBehaveError(
                f"column '{column}' is missing",
                where=sheet.place(sheet.header_row, None),
                mend=f"the first row must name {', '.join(REQUIRED)}",
            )
    return found


def ratings_of(sheet: Sheet) -> list[Located]:
    """The ratings of a sheet with their locations; rows without a rating are skipped.

    Raises:
        SelfBehaveError: a column is missing or a cell is wrong; the error names it.
    """
    columns = columns_of(sheet)
    located = []
    for number, cells in sheet.rows:
        given = {name: cells[index] for name, index in columns.items() if index < len(cells)}
        try:
            rating = _rating_of(given, sheet.dataset)
        except _WrongCellError as wrong:
            raise SelfBehaveError(
                f"column '{wrong.column}' {wrong.what}",
                where=sheet.place(number, columns[wrong.column]),
                mend=wrong.mend,
            ) from None
        if rating is not None:
            located.append((rating, sheet.place(number, None)))
    return located


def settled_as_published(sheet: Sheet, located: Sequence[Located]) -> list[Located]:
    """The same ratings, with rater 3 as the consensus if the sheet is from the published study.

    In that study, raters 1 and 2 judged and rater 3 settled disputes. The column `Kappa` identifies
    its sheets, since this package never writes that column.
    """
    if "kappa" not in map(_spelling, sheet.header):
        return list(located)
    if {rating.rater for rating, _ in located} != {"1", "2", "3"}:
        return list(located)
    return settled_by("3", located)


def settled_by(rater: str, located: Sequence[Located]) -> list[Located]:
    """The same ratings, with one rater's as the consensus."""
    return [
        (replace(rating, rater=CONSENSUS) if rating.rater == rater else rating, where)
        for rating, where in located
    ]


def row_of(
    rating: Rating, name: str, encode: Callable[[str], str] = guarded
) -> dict[str, str | bool | None]:
    """A rating as the cells of a row by column name; `name` is the scenario's title.

    Raises:
        ValueError: a text is too long for a cell.
    """
    row: dict[str, str | bool | None] = {
        DATASET: rating.dataset,
        _SCENARIO: rating.scenario_id,
        _RATER: rating.rater,
        **{column: getattr(rating, criterion) for criterion, column in _VERDICTS.items()},
        _HIGH_QUALITY: rating.high_quality,
        _NAME: name,
        _DONE: all(getattr(rating, criterion) is not None for criterion in CRITERIA),
        _ILL_FORMED: rating.ill_formed,
        _NOTE: rating.note,
    }
    for column, cell in row.items():
        if isinstance(cell, str):
            row[column] = text = encode(cell)
            if len(text) > _LONGEST:
                raise ValueError(
                    f"column '{column}' of scenario {rating.scenario_id}, rater {rating.rater}, is "
                    f"too long for a spreadsheet ({len(text):,} characters)"
                )
    return row


class _WrongCellError(Exception):
    def __init__(self, column: str, what: str, mend: str) -> None:
        self.column, self.what, self.mend = column, what, mend


def _rating_of(row: Mapping[str, Cell], dataset: str) -> Rating | None:
    scenario, rater, own = (_identifier(row, name) for name in (_SCENARIO, _RATER, DATASET))
    verdicts = {name: _truth(row, column) for name, column in _VERDICTS.items()}
    note = _text(row.get(_NOTE))
    given = any(verdict is not None for verdict in verdicts.values())
    if not (scenario or rater or note or given):
        return None  # such as rows prepared for later, with Done and Ill-formed preset to FALSE
    for column, identifier in ((_SCENARIO, scenario), (_RATER, rater)):
        if not identifier:
            raise _WrongCellError(column, "is empty", "fill it in, or delete the row")
    ill_formed = _truth(row, _ILL_FORMED) or False
    rating = Rating(own or dataset, scenario, rater, **verdicts, ill_formed=ill_formed, note=note)
    said = _truth(row, _HIGH_QUALITY)
    if said is not None and said != rating.high_quality:
        follows = {True: "TRUE", False: "FALSE", None: "undecided"}[rating.high_quality]
        raise _WrongCellError(
            _HIGH_QUALITY,
            f"is {_shown(said)} where the four criteria make it {follows}",
            "correct the criteria, or empty that cell",
        )
    return rating


def _spelling(cell: Cell) -> str:
    return re.sub(r"[\s_-]+", " ", str(cell)).strip().casefold()


def _truth(row: Mapping[str, Cell], column: str) -> bool | None:
    cell = row.get(column)
    text = _text(cell)
    if not text.strip():
        return None
    truth = truth_of(text)
    if truth is None:
        raise _WrongCellError(
            column,
            f"is neither TRUE nor FALSE but {_shown(cell)}",
            "write TRUE or FALSE, or leave the cell empty",
        )
    return truth


def _identifier(row: Mapping[str, Cell], column: str) -> str:
    cell = row.get(column)
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float, type(None))):
        raise _WrongCellError(
            column,
            f"is neither a text nor a number but {_shown(cell)}",
            "format the cell as text and type it again",
        )
    # `1.0` in one file and `1` in another are the same scenario id; the text "1.0" is `'1.0`.
    if isinstance(cell, str) and (number := _WHOLE_FLOAT.fullmatch(cell.strip())):
        return number["whole"]
    return _text(cell).strip()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)  # spreadsheets store every number as a float
    return unguarded(cell) if isinstance(cell, str) else str(cell)


def _shown(cell: Cell) -> str:
    if isinstance(cell, bool):
        return str(cell).upper()
    text = str(cell)
    return repr(text if len(text) <= 40 else text[:40] + "…")

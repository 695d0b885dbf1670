"""Stories in the records of CSV and JSON Lines: their columns by the names that trackers export."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from ..core.errors import SelfBehaveError
from ..core.jsonl import object_in
from .story import Story, made_story
from .texts import parted

__all__ = ["stories_in_csv", "stories_in_json_lines"]

# The first of these that a record has. Case, spaces, dashes and underscores make no difference.
_ID = ("id", "key", "issuekey", "storyid", "number")
_TITLE = ("title", "summary", "name", "subject")
_TEXT = ("story", "userstory", "text", "description", "requirement", "body")
_CRITERIA = ("acceptancecriteria", "criteria", "acceptance", "rules")
_KNOWN = "story, text, description or requirement; title, summary or name"


def stories_in_csv(text: str, file: str) -> list[Story]:
    """The stories of a table with a head: one a record, counted from 1.

    Commas, semicolons and tabs can separate its columns.

    Raises:
        SelfBehaveError: no column has a known name, a record is broken, or a story is too long.
    """
    head, _, _ = text.lstrip("\n").partition("\n")
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    names: list[str] = []
    stories: list[Story] = []
    line = 1
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                pass
            elif not names:
                names = [_plain(cell) for cell in cells]
                _check_names(names, f"{file}:{line}")
            elif len(cells) > len(names):
                raise SelfBehaveError(
                    f"{len(cells)} columns, and the head has {len(names)}",
                    where=f"{file}:{line}",
                    mend="put quotes around a text that holds the separator",
                )
            else:
                fields = dict(zip(names, cells, strict=False))
                stories.append(_story(fields, file, len(stories) + 1, line))
            line = reader.line_num + 1
    except csv.Error as error:
        raise SelfBehaveError(
            f"not CSV: {error}", where=f"{file}:{line}", mend="correct that record"
        ) from error
    return stories


def stories_in_json_lines(text: str, file: str) -> list[Story]:
    """The stories of JSON Lines: one an object, counted from 1.

    Raises:
        SelfBehaveError: a line holds no object, an object has no known field or one of another
            type, or a story is too long.
    """
    stories: list[Story] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{file}:{number}"
            row = {_plain(name): value for name, value in object_in(line.encode(), where).items()}
            _check_names(row, where)
            fields = {name: _text(name, row[name], where) for name in row if name in _ALL}
            stories.append(_story(fields, file, len(stories) + 1, number))
    return stories


_ALL = {*_ID, *_TITLE, *_TEXT, *_CRITERIA}


def _story(fields: Mapping[str, str], file: str, record: int, line: int) -> Story:
    def first(names: tuple[str, ...]) -> str:
        return next((fields[name] for name in names if fields.get(name, "").strip()), "")

    told, criteria = parted(first(_TEXT).splitlines())
    more, listed = parted(first(_CRITERIA).splitlines())
    criteria = (*criteria, *more.splitlines(), *listed)
    return made_story(file, "record", record, first(_ID), first(_TITLE), told, criteria, line)


def _check_names(names: Mapping[str, Any] | list[str], where: str) -> None:
    if not any(one in (*_TITLE, *_TEXT) for one in names):
        found = ", ".join(map(repr, names)) or "none"
        raise SelfBehaveError(
            f"no column with a story: found {found}",
            where=where,
            mend=f"name one of them {_KNOWN}",
        )


def _text(name: str, value: Any, where: str) -> str:
    """The text of a field; a list has one text a line."""
    if value is None:
        return ""
    if isinstance(value, int) and name in _ID:
        return str(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(f"- {' '.join(one.split())}" for one in value if one.strip())
    if not isinstance(value, str):
        raise SelfBehaveError(
            f"field {name!r} must be a text, not {type(value).__name__}",
            where=where,
            mend="correct that line",
        )
    return value


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))

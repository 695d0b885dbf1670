"""Read a run's journal without locking it, because the run may be using it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..core.errors import SelfBehaveError
from ..core.run_files import JOURNAL_FILE
from .journal import READING_ERRORS

__all__ = ["opened_to_read", "prompts_of", "thoughts_of"]

_ROWS_AT_ONCE = 500


@contextmanager
def opened_to_read(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open the journal of a run's folder for reading only.

    Raises:
        SelfBehaveError: it cannot be read, also within the `with` block.
    """
    path = folder / JOURNAL_FILE
    # If there is no write-ahead log, no process has the journal open. Immutable mode is then safe:
    # it also works in a read-only folder and creates no files there.
    still = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
    address = f"{path.resolve().as_uri()}?mode=ro{still}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            yield database
    except READING_ERRORS as error:
        raise SelfBehaveError(
            f"the journal cannot be read: {error}",
            where=path,
            mend="restore the file that the run wrote",
        ) from error


def thoughts_of(folder: Path, keys: Iterable[str]) -> dict[str, str]:
    """The thoughts before the answers of requests, by their keys in a run's journal.

    Answers without thoughts are left out, and so is everything if there is no journal, or one of
    an older format, which has no thoughts.

    Raises:
        SelfBehaveError: the journal is broken.
    """
    return _of_answers(folder, keys, "reasoning")


def prompts_of(folder: Path, keys: Iterable[str]) -> dict[str, str]:
    """What the engine read of requests, by their keys in a run's journal: all messages as one text.

    Empty if there is no journal.

    Raises:
        SelfBehaveError: the journal is broken.
    """
    return _of_answers(folder, keys, "prompt")


def _of_answers(folder: Path, keys: Iterable[str], column: str) -> dict[str, str]:
    """A column of texts of the journal, by the keys of requests, without the empty ones."""
    if not (folder / JOURNAL_FILE).exists():
        return {}
    wanted = list(dict.fromkeys(keys))
    found: dict[str, str] = {}
    with opened_to_read(folder) as database:
        columns = {row[1] for row in database.execute("PRAGMA table_info(answers)")}
        if column not in columns:
            return {}
        for start in range(0, len(wanted), _ROWS_AT_ONCE):
            some = wanted[start : start + _ROWS_AT_ONCE]
            places = ", ".join("?" * len(some))
            found |= database.execute(
                f"SELECT key, {column} FROM answers WHERE {column} != '' AND key IN ({places})",
                some,
            ).fetchall()
    return found

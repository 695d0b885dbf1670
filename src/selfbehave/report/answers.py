"""The content of a run's journal: every answer with its tokens, attempts, times and prompt.

The journal is only read and never locked, because a run may be using it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import SelfBehaveError
from ..core.run_files import JOURNAL_FILE
from ..engines.journal import READING_ERRORS

__all__ = ["JournalAnswer", "Prompts", "read_answers"]


@dataclass(frozen=True, slots=True)
class JournalAnswer:
    """An answer without its texts.

    Attributes:
        key: of the journal; rows name it as the request that they came from.
        attempts: requests made until one was answered.
        asked_at, answered_at: in seconds since the epoch; retries lie between.
    """

    key: str
    stage: str
    request_idx: int
    engine: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    attempts: int
    asked_at: float
    answered_at: float


def read_answers(folder: Path) -> list[JournalAnswer]:
    """Every answer in the journal of a run's folder, in the order they came; none without one.

    Raises:
        SelfBehaveError: the journal is broken.
    """
    if not (folder / JOURNAL_FILE).exists():
        return []
    with _opened(folder) as database:
        rows = database.execute(
            "SELECT key, stage, request_idx, engine, finish_reason, prompt_tokens,"
            " completion_tokens, attempts, asked_at, answered_at FROM answers"
            " ORDER BY answered_at, key"
        )
        return [JournalAnswer(*row) for row in rows]


class Prompts:
    """The prompts of a run's requests, each read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database: sqlite3.Connection | None = None

    @contextmanager
    def opened(self) -> Iterator[Prompts]:
        """With the journal open, if there is one."""
        if not (self._folder / JOURNAL_FILE).exists():
            yield self
            return
        with _opened(self._folder) as self._database:
            yield self

    def of(self, key: str | None) -> str | None:
        """The prompt of a request; None where the journal has none of that key."""
        if self._database is None or key is None:
            return None
        query = "SELECT prompt FROM answers WHERE key = ?"
        row = self._database.execute(query, (key,)).fetchone()
        return None if row is None else str(row[0])


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    path = folder / JOURNAL_FILE
    # Without its write-ahead log nobody has the journal open: then it can be read in a folder
    # that cannot be written, and nothing is left there.
    still = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
    address = f"{path.resolve().as_uri()}?mode=ro{still}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            yield database
    except READING_ERRORS as error:
        raise SelfBehaveError(
            f"the journal cannot be read: {error}",
            where=path,
            mend="restore the file; a run's report needs the journal that its run wrote",
        ) from error

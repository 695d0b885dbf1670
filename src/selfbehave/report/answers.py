"""Read a run's journal: every answer with its tokens, attempts, times and prompt.

This module only reads the journal and never locks it, because a run may be using it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..core.run_files import JOURNAL_FILE
from ..engines.kept_answers import opened_to_read

__all__ = ["JournalAnswer", "Prompts", "read_answers"]


@dataclass(frozen=True, slots=True)
class JournalAnswer:
    """An answer without its texts.

    Attributes:
        key: the journal key; rows refer to it as the request they came from.
        attempts: the number of requests made until one succeeded.
        asked_at, answered_at: seconds since the epoch; the time between them includes retries.
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
    """Return all answers in a run's journal, in order of arrival; empty if there is no journal.

    Raises:
        SelfBehaveError: the journal is broken.
    """
    if not (folder / JOURNAL_FILE).exists():
        return []
    with opened_to_read(folder) as database:
        rows = database.execute(
            "SELECT key, stage, request_idx, engine, finish_reason, prompt_tokens,"
            " completion_tokens, attempts, asked_at, answered_at FROM answers"
            " ORDER BY answered_at, key"
        )
        return [JournalAnswer(*row) for row in rows]


class Prompts:
    """The prompts of a run's requests, each read from the journal on demand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database: sqlite3.Connection | None = None

    @contextmanager
    def opened(self) -> Iterator[Prompts]:
        """Open the journal, if there is one, for the duration of the context."""
        if not (self._folder / JOURNAL_FILE).exists():
            yield self
            return
        with opened_to_read(self._folder) as self._database:
            yield self

    def of(self, key: str | None) -> str | None:
        """Return the prompt of a request, or None if the journal does not contain the key."""
        if self._database is None or key is None:
            return None
        query = "SELECT prompt FROM answers WHERE key = ?"
        row = self._database.execute(query, (key,)).fetchone()
        return None if row is None else str(row[0])

"""The batches in flight, in the run's journal: each step is on disk before the next one is taken.

Written, then uploaded, then begun, then sent, then over. A command that ends between two steps,
for whatever reason, is continued by the next one from what is noted here.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from ...core.errors import SelfBehaveError
from ...core.run_files import JOURNAL_FILE
from ..base import Api, Request
from .lines import request_of, text_of

__all__ = ["BatchLog", "OpenBatch", "Step"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    name TEXT PRIMARY KEY,
    engine TEXT NOT NULL,
    api TEXT NOT NULL,
    address TEXT NOT NULL,
    step TEXT NOT NULL,
    file_id TEXT,
    batch_id TEXT,
    written_at REAL NOT NULL,
    status TEXT
);
CREATE TABLE IF NOT EXISTS batch_requests (
    batch TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    PRIMARY KEY (batch, key)
) WITHOUT ROWID;
"""
_IS_THERE = "SELECT 1 FROM sqlite_master WHERE name = 'batches'"


class Step(StrEnum):
    """How far a batch is."""

    WRITTEN = "written"  # its requests are noted
    UPLOADED = "uploaded"  # the server has its file
    BEGUN = "begun"  # the server was asked to begin it, and may have done so
    SENT = "sent"  # the server has told its id
    CARRIED = "carried"  # its file was handed to the user
    OVER = "over"  # its answers are in the journal


@dataclass(frozen=True)
class OpenBatch:
    """A batch that is not over.

    Attributes:
        name: its own name, which the server is told too.
        engine, api: of its requests.
        address: of the server, or the path of the file for one that the user carries.
        step: how far it is.
        file_id, batch_id: the server's names for the file and the batch, once they are known.
        written_at: in seconds since 1970.
        requests: by their keys in the journal.
    """

    name: str
    engine: str
    api: Api
    address: str
    step: Step
    file_id: str | None
    batch_id: str | None
    written_at: float
    requests: Mapping[str, Request]


class BatchLog:
    """The batches of a run. The process that uses it must hold the run's folder."""

    def __init__(self, batch_dir: Path) -> None:
        self._path = batch_dir / JOURNAL_FILE
        with self._naming_errors():
            self._database = sqlite3.connect(
                self._path, isolation_level=None, timeout=60.0, check_same_thread=False
            )
            self._database.execute("PRAGMA synchronous=FULL")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def open_batches(self) -> list[OpenBatch]:
        """The batches that are not over, the oldest first."""
        with self._naming_errors():
            if not self._database.execute(_IS_THERE).fetchone():
                return []
            rows = self._database.execute(
                "SELECT name, engine, api, address, step, file_id, batch_id, written_at"
                " FROM batches WHERE step != ? ORDER BY written_at, name",
                (Step.OVER,),
            ).fetchall()
            return [self._batch(row) for row in rows]

    def write(
        self,
        engine: str,
        api: Api,
        address: str,
        requests: Mapping[str, Request],
        step: Step = Step.WRITTEN,
    ) -> OpenBatch:
        """Note a new batch with its requests."""
        name = f"selfbehave-{uuid.uuid4().hex}"
        now = time.time()
        with self._naming_errors(), self._database:
            self._database.executescript(_SCHEMA)
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, NULL, NULL, ?, NULL)",
                (name, engine, api, address, step, now),
            )
            self._database.executemany(
                "INSERT INTO batch_requests VALUES (?, ?, ?)",
                ((name, key, text_of(request)) for key, request in requests.items()),
            )
        return OpenBatch(name, engine, api, address, step, None, None, now, dict(requests))

    def uploaded(self, name: str, file_id: str) -> None:
        """The server has the file."""
        self._set(name, step=Step.UPLOADED, file_id=file_id)

    def begun(self, name: str) -> None:
        """The server is about to be asked to begin the batch."""
        self._set(name, step=Step.BEGUN)

    def sent(self, name: str, batch_id: str) -> None:
        """The server has told the batch's id."""
        self._set(name, step=Step.SENT, batch_id=batch_id)

    def over(self, name: str, status: str) -> None:
        """All its answers are in the journal; those that it lacks may be asked again."""
        with self._naming_errors(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "UPDATE batches SET step = ?, status = ? WHERE name = ?", (Step.OVER, status, name)
            )
            self._database.execute("DELETE FROM batch_requests WHERE batch = ?", (name,))

    def _set(self, name: str, **columns: str) -> None:
        settings = ", ".join(f"{column} = ?" for column in columns)
        with self._naming_errors():
            self._database.execute(
                f"UPDATE batches SET {settings} WHERE name = ?", (*columns.values(), name)
            )

    def _batch(self, row: tuple[str, ...]) -> OpenBatch:
        name, engine, api, address, step, file_id, batch_id, written_at = row
        requests = self._database.execute(
            "SELECT key, request FROM batch_requests WHERE batch = ?", (name,)
        )
        return OpenBatch(
            name,
            engine,
            "chat" if api == "chat" else "completions",
            address,
            Step(step),
            file_id,
            batch_id,
            float(written_at),
            {key: request_of(text) for key, text in requests},
        )

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            raise SelfBehaveError(
                f"the journal's batches cannot be used: {error}",
                where=self._path,
                mend="free the disk, or see why it fails; the same command continues",
                goes_on=True,
            ) from error

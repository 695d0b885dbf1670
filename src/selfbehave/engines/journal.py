"""The journal: every answer an engine gave, in SQLite, under a key of all that determined it.

An answer is on disk before anything is made of it, so a run that is asked for again asks nothing
twice.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sqlite3
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import SelfBehaveError
from ..settings import JOURNAL_FILE
from .protocol import Completion, Engine, Request

__all__ = ["FolderInUseError", "Journal", "Kept"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    stage TEXT NOT NULL,
    request_idx INTEGER NOT NULL,
    engine TEXT NOT NULL,
    api TEXT NOT NULL,
    prompt TEXT NOT NULL,
    parameters TEXT NOT NULL,
    text TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    asked_at REAL NOT NULL,
    answered_at REAL NOT NULL
) WITHOUT ROWID;
"""
_FORMAT = 1  # of the schema, in SQLite's user_version
_COLUMNS = 14
_ROWS_AT_ONCE = 500  # SQLite takes 32,766 values in a statement

_Row = tuple[Any, ...]


class FolderInUseError(SelfBehaveError):
    """Another process holds the journal."""


@dataclass(frozen=True)
class Kept:
    """An answer with all that is kept of it.

    Attributes:
        key: of its request and engine.
        identity, api: of the engine.
        asked_at: in seconds since 1970.
        answered_at: in seconds since 1970, by default now.
    """

    key: str
    identity: str
    api: str
    request: Request
    completion: Completion
    asked_at: float
    answered_at: float = field(default_factory=time.time)


class Journal:
    """The journal of one run's folder, held by one process at a time."""

    def __init__(self, batch_dir: Path) -> None:
        self.path = batch_dir / JOURNAL_FILE
        try:
            batch_dir.mkdir(parents=True, exist_ok=True)
            self._folder = os.open(batch_dir, os.O_RDONLY)
        except OSError as error:
            raise SelfBehaveError(
                f"the run's folder cannot be used: {error.strerror}",
                where=batch_dir,
                mend="give a folder that can be written with --batch_dir",
            ) from error
        try:
            # On the folder, not the database: SQLite's own locks are lost when a second
            # descriptor of its file is closed.
            fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._folder)
            raise FolderInUseError(
                "another run is working in this folder",
                where=batch_dir,
                mend="wait until it ends, or give another --batch_dir",
            ) from error
        try:
            self._database = self._open()
            # Answers are written beside the event loop, where the disk keeps nobody waiting. The
            # writer's connection is its own: readers would wait for the disk with it.
            self._writer = self._open()
        except BaseException:
            os.close(self._folder)
            raise
        self._arrived: deque[_Row] = deque()
        self._arrivals = self._written = 0
        self._turn = asyncio.Lock()
        self._writing = threading.Lock()
        self._failure: SelfBehaveError | None = None

    def _open(self) -> sqlite3.Connection:
        try:
            database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            database.execute("PRAGMA journal_mode=WAL")
            # An answer may have cost money: it must outlive a power cut too.
            database.execute("PRAGMA synchronous=FULL")
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version not in (0, _FORMAT):
                raise SelfBehaveError(
                    f"the journal has format {version}, not {_FORMAT}",
                    where=self.path,
                    mend="use the version of selfbehave that made it, or another --batch_dir",
                )
            database.executescript(_SCHEMA)
            database.execute(f"PRAGMA user_version={_FORMAT}")
        except sqlite3.Error as error:
            raise SelfBehaveError(
                f"the journal cannot be opened: {error}",
                where=self.path,
                mend="check the disk and the file, or give another --batch_dir",
            ) from error
        return database

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._write()  # of requests that were cancelled before their turn
        finally:
            self._writer.close()
            self._database.close()
            os.close(self._folder)

    def answers(self) -> int:
        """How many answers the journal holds."""
        (count,) = self._database.execute("SELECT count(*) FROM answers").fetchone()
        return int(count)

    async def ask(self, engine: Engine, request: Request) -> Completion:
        """Answer a request from the journal, or else by the engine, and then keep the answer."""
        key = request.key(engine)
        if (known := self.find(key)) is not None:
            return known
        asked_at = time.time()
        completion = await engine.complete(request)
        await self.keep(Kept(key, engine.identity, engine.api, request, completion, asked_at))
        return completion

    def find(self, key: str) -> Completion | None:
        """The answer of a request's key, if it is there."""
        row = self._database.execute(
            "SELECT text, finish_reason, prompt_tokens, completion_tokens, attempts"
            " FROM answers WHERE key = ?",
            (key,),
        ).fetchone()
        if row is None:
            return None
        text, finish_reason, prompt_tokens, completion_tokens, attempts = row
        return Completion(
            text, finish_reason, prompt_tokens, completion_tokens, attempts, is_replayed=True
        )

    async def keep(self, answer: Kept) -> None:
        """Return once the answer is on disk, with all those that arrived while it waited."""
        self._arrived.append(_row(answer))
        self._arrivals += 1
        place = self._arrivals
        async with self._turn:
            if self._written < place and self._failure is None:
                await asyncio.to_thread(self._write)
        if self._failure is not None:
            raise self._failure

    def _write(self) -> None:
        """Write what has arrived.

        A cancelled request gives up its turn, and its write too if no thread was free for it yet:
        so a row is only taken here, and stays for the next write until it is.
        """
        with self._writing:
            while self._arrived:
                count = min(len(self._arrived), _ROWS_AT_ONCE)
                some = [self._arrived.popleft() for _ in range(count)]
                # One statement, so one transaction and one wait for the disk.
                places = ", ".join([f"({', '.join('?' * _COLUMNS)})"] * len(some))
                values = [value for row in some for value in row]
                try:
                    self._writer.execute(f"INSERT OR IGNORE INTO answers VALUES {places}", values)
                except sqlite3.Error as error:
                    self._failure = SelfBehaveError(
                        f"an answer cannot be kept: {error}",
                        where=self.path,
                        mend="free the disk, then run the same command again",
                    )
                    raise self._failure from error
                self._written += count


def _row(kept: Kept) -> _Row:
    request, answer = kept.request, kept.completion
    return (
        kept.key,
        request.stage,
        request.index,
        kept.identity,
        kept.api,
        request.prompt,
        json.dumps(request.parameters, ensure_ascii=False),
        answer.text,
        answer.finish_reason,
        answer.prompt_tokens,
        answer.completion_tokens,
        answer.attempts,
        kept.asked_at,
        kept.answered_at,
    )

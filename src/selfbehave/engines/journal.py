"""The journal: every answer and every verdict, in SQLite, under a key of all that determines it.

An answer is on disk before anything uses it, so a repeated run never sends a request twice. A
verdict is too, so that a repeated run goes on as before even where generated code behaves
differently twice.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import threading
import time
import zlib
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from ..core.errors import SelfBehaveError
from ..core.locks import holding
from ..core.run_files import JOURNAL_FILE, RESERVE_FILE
from ..core.spending import BYTES_A_TOKEN, Spending
from .base import Completion, Engine, Request

__all__ = ["READING_ERRORS", "Answering", "Journal", "Kept"]

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
# What each format of the schema added to the one before; SQLite's user_version is the last one.
_CHANGES = (
    _SCHEMA,
    "ALTER TABLE answers ADD COLUMN checksum INTEGER;",
    "ALTER TABLE answers ADD COLUMN reasoning TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE answers ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE answers ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0;",
    "CREATE TABLE IF NOT EXISTS verdicts ("
    " key TEXT PRIMARY KEY, verdict TEXT NOT NULL, judged_at REAL NOT NULL,"
    " checksum INTEGER NOT NULL) WITHOUT ROWID;",
)
_FORMAT = len(_CHANGES)
_OF_REQUEST = ("key", "stage", "request_idx", "engine", "api", "prompt", "parameters")
# The fields of a completion, in the order of the checksum.
_OF_ANSWER = (
    "text",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "attempts",
    "reasoning",
    "reasoning_tokens",
    "cached_tokens",
)
_IN_FORMAT_2 = 5  # the fields that the checksums of format 2 cover
_COLUMNS = (*_OF_REQUEST, *_OF_ANSWER, "asked_at", "answered_at", "checksum")
_UNCOUNTED = "(prompt_tokens = 0 AND completion_tokens = 0)"


def _tokens_of(count: str, text: str) -> str:
    """SQL for a count of tokens; of an uncounted answer, what `estimated_tokens` gives."""
    estimated = f"(length(CAST({text} AS BLOB)) + {BYTES_A_TOKEN - 1}) / {BYTES_A_TOKEN}"
    return f"CASE WHEN {_UNCOUNTED} THEN {estimated} ELSE {count} END"


_SPENT = (
    f"SELECT count(*), total({_tokens_of('prompt_tokens', 'prompt')}), total(cached_tokens),"
    f" total({_tokens_of('completion_tokens', 'text')}), total(reasoning_tokens),"
    f" total({_UNCOUNTED}) FROM answers"
)
_ROWS_AT_ONCE = 500  # SQLite takes 32,766 values in a statement
# Disk space for the answers in flight when the disk turns out to be full: about a hundred.
_RESERVE_BYTES = 4 * 2**20
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# SQLite's error about a damaged schema quotes bytes, which may not be UTF-8.
READING_ERRORS = (sqlite3.Error, UnicodeDecodeError)

_Row = tuple[Any, ...]


class Answering(Engine, Protocol):
    """What the journal asks for answers: a `Client`, or something around it."""

    def stop_retrying(self) -> None:
        """Stop retries; requests in flight may still be answered."""
        ...


@dataclass(frozen=True)
class Kept:
    """An answer with everything that the journal stores about it.

    Attributes:
        key: the key of its request and engine.
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
    """The journal of one run's folder, held by one process at a time.

    Attributes:
        path: the path of its file.
        damaged: the number of stored answers that were damaged, and so were requested again.

    Raises:
        SelfBehaveError: another process holds the folder, it cannot be written, or the file is not
            a journal.
    """

    def __init__(self, batch_dir: Path) -> None:
        self.path = batch_dir / JOURNAL_FILE
        self.damaged = 0
        self._reserve = batch_dir / RESERVE_FILE
        with ExitStack() as opened:
            opened.enter_context(holding(batch_dir))
            self._database = self._open()
            opened.callback(self._database.close)
            # A separate thread writes answers, so that the event loop never waits for the disk. The
            # writer has its own connection: readers on the same one would wait too.
            self._writer = self._open()
            opened.callback(self._writer.close)
            self._set_aside()
            opened.callback(self._reserve.unlink, missing_ok=True)
            self._opened = opened.pop_all()
        self._arrived: deque[_Row] = deque()
        self._arrivals = self._written = 0
        self._turn = asyncio.Lock()
        self._writing = threading.Lock()
        self._failure: SelfBehaveError | None = None

    def _set_aside(self) -> None:
        """Reserve disk space: answers that arrive when the disk is full have been paid for too."""
        try:
            with self._reserve.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, _RESERVE_BYTES)
        except OSError as error:
            self._reserve.unlink(missing_ok=True)
            raise SelfBehaveError(
                f"no room left for answers: {error.strerror}",
                where=self._reserve.parent,
                mend=f"free at least {_RESERVE_BYTES // 2**20} MiB; the same command continues",
                goes_on=True,
            ) from error

    def _open(self) -> sqlite3.Connection:
        try:
            database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            database.execute("PRAGMA journal_mode=WAL")
            # An answer may have cost money: it must survive a power cut too.
            database.execute("PRAGMA synchronous=FULL")
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version not in range(_FORMAT + 1):
                raise SelfBehaveError(
                    f"the journal has format {version}, not {_FORMAT}",
                    where=self.path,
                    mend="use the version of selfbehave that made it, or another --batch_dir",
                )
            if version < _FORMAT:
                changes = "".join(_CHANGES[version:])
                database.executescript(f"BEGIN; {changes} PRAGMA user_version={_FORMAT}; COMMIT")
        except READING_ERRORS as error:
            raise self._error("the journal cannot be opened", error) from error
        return database

    def _error(self, what: str, error: sqlite3.Error | UnicodeDecodeError) -> SelfBehaveError:
        mend = "free the disk, or see why it fails"
        is_garbled = isinstance(error, UnicodeDecodeError)
        if is_garbled or getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            name = self.path.name
            mend = (
                "restore it from a copy, or save the answers that can still be read: "
                f"sqlite3 {name} .recover | sqlite3 mended.sqlite, then put mended.sqlite in its "
                f"place and delete {name}-wal and {name}-shm"
            )
        mend += "; the same command continues"
        words = "its schema is damaged" if is_garbled else str(error)
        return SelfBehaveError(f"{what}: {words}", where=self.path, mend=mend, goes_on=True)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._opened:
            self._write()  # the answers of requests that were cancelled before their turn

    def answers(self) -> int:
        """The number of answers in the journal."""
        try:
            (count,) = self._database.execute("SELECT count(*) FROM answers").fetchone()
        except READING_ERRORS as error:
            raise self._error("the journal cannot be read", error) from error
        return int(count)

    async def spent(self) -> Spending:
        """What all answers in the journal took; where a server counted no tokens, an estimate."""
        try:
            sums = self._database.execute(_SPENT).fetchone()
        except READING_ERRORS as error:
            raise self._error("the journal cannot be read", error) from error
        return Spending(*map(int, sums))

    async def ask(self, engine: Answering, request: Request) -> Completion:
        """Answer a request from the journal, or else ask the engine and store the answer."""
        key = request.key(engine)
        if (known := self.find(key)) is not None:
            return known
        asked_at = time.time()
        completion = await engine.complete(request)
        try:
            await self.keep(Kept(key, engine.identity, engine.api, request, completion, asked_at))
        except SelfBehaveError:
            engine.stop_retrying()  # do not request what cannot be stored
            raise
        return completion

    def find(self, key: str) -> Completion | None:
        """The answer stored under a request's key, if there is one."""
        try:
            row = self._database.execute(
                f"SELECT {', '.join(_OF_ANSWER)}, checksum FROM answers WHERE key = ?", (key,)
            ).fetchone()
        except READING_ERRORS as error:
            raise self._error("the journal cannot be read", error) from error
        if row is None:
            return None
        answer, checksum = row[:-1], row[-1]
        if checksum is not None and checksum != _checksum(answer):
            self.damaged += 1  # a disk fault that SQLite does not notice: ask again
            return None
        return Completion(**dict(zip(_OF_ANSWER, answer, strict=True)), is_replayed=True)

    def find_verdict(self, key: str) -> str | None:
        """The verdict stored under a key, if there is one."""
        # Several threads look for verdicts: they share the writer's connection and lock.
        with self._writing:
            try:
                row = self._writer.execute(
                    # Bytes, because a disk fault may leave what is no UTF-8.
                    "SELECT CAST(verdict AS BLOB), checksum FROM verdicts WHERE key = ?",
                    (key,),
                ).fetchone()
            except READING_ERRORS as error:
                raise self._error("the journal cannot be read", error) from error
        if row is None:
            return None
        verdict, checksum = row
        if zlib.crc32(verdict) != checksum:
            self.damaged += 1
            return None
        return str(verdict, "utf-8")

    def keep_verdict(self, key: str, verdict: str) -> None:
        """Return once a verdict is on disk.

        Raises:
            SelfBehaveError: the disk is full, or the journal cannot be written.
        """
        row = (key, verdict, time.time(), zlib.crc32(verdict.encode()))
        with self._writing:
            try:
                self._writer.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?)", row)
            except sqlite3.Error as error:
                raise self._error("a verdict cannot be kept", error) from error

    async def keep(self, answer: Kept) -> None:
        """Return once the answer is on disk, together with those that arrived meanwhile."""
        self._arrived.append(_row(answer))
        self._arrivals += 1
        place = self._arrivals
        async with self._turn:
            if self._written < place:
                await asyncio.to_thread(self._write)
        if self._failure is not None:
            raise self._failure

    def _write(self) -> None:
        """Write the answers that have arrived.

        A cancelled request loses its turn, and also its write if no thread was free yet. So a row
        stays in the queue for the next write until it is on disk.
        """
        with self._writing:
            while self._arrived:
                count = min(len(self._arrived), _ROWS_AT_ONCE)
                rows = [self._arrived[place] for place in range(count)]
                self._insert(rows)
                for _ in rows:
                    self._arrived.popleft()
                self._written += len(rows)

    def _insert(self, rows: Sequence[_Row]) -> None:
        """Write rows; on a full disk use the reserve, so that answers in flight are not lost."""
        # One statement, so one transaction and one wait for the disk. A row that exists already is
        # a damaged answer, or was written while the request was cancelled.
        places = ", ".join([f"({', '.join('?' * len(_COLUMNS))})"] * len(rows))
        statement = f"INSERT OR REPLACE INTO answers ({', '.join(_COLUMNS)}) VALUES {places}"
        values = [value for row in rows for value in row]
        try:
            self._writer.execute(statement, values)
        except sqlite3.Error as error:
            if self._failure is None:
                self._failure = self._error("an answer cannot be kept", error)
            if not self._reserve.exists():
                raise self._failure from error
            self._reserve.unlink()
            self._insert(rows)


def _checksum(answer: Sequence[Any]) -> int:
    """The checksum of everything that is read back of an answer.

    Without thoughts and cached tokens it is what format 2 stored.
    """
    covered = answer if any(answer[_IN_FORMAT_2:]) else answer[:_IN_FORMAT_2]
    return zlib.crc32(json.dumps(covered).encode())


def _row(kept: Kept) -> _Row:
    request, answer = kept.request, kept.completion
    read_back = tuple(getattr(answer, name) for name in _OF_ANSWER)
    return (
        kept.key,
        request.stage,
        request.index,
        kept.identity,
        kept.api,
        request.transcript,
        json.dumps(request.parameters, ensure_ascii=False),
        *read_back,
        kept.asked_at,
        kept.answered_at,
        _checksum(read_back),
    )

"""Writers that take turns: what waits while one writes is written together, with one flush.

A database flushes its journal at every commit, and lets one transaction write at a time. Writers
that each wait for their own flush, polling for the lock, wait longer than fifty raters should.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

__all__ = ["WriterTurns"]

Result = TypeVar("Result")
Transaction = Callable[[], AbstractContextManager[Connection]]


@dataclass(eq=False)
class _Change(Generic[Result]):
    """What one writer does within a transaction, and what came of it once that is committed."""

    do: Callable[[Connection], Result]
    result: Result | None = None
    error: Exception | None = None
    is_done: bool = False


class WriterTurns:
    """The turns of one database's writers in this process.

    Args:
        transaction: begins a transaction that writes, and commits it at its end.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._turn = threading.Lock()
        self._waiting: deque[_Change[object]] = deque()

    def write(self, do: Callable[[Connection], Result]) -> Result:
        """Do something within a transaction, perhaps with others, and return once it is kept."""
        change: _Change[Result] = _Change(do)
        self._waiting.append(change)  # type: ignore[arg-type]
        with self._turn:
            if not change.is_done:
                self._write_waiting()
        if change.error is not None:
            raise change.error
        return change.result  # type: ignore[return-value]

    def _write_waiting(self) -> None:
        together = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            self._write(together)
        except Exception:  # noqa: BLE001 (raised to the writer whose change it is)
            # One of them failed, and nothing is kept: each by itself, to find out which.
            for change in together:
                try:
                    self._write([change])
                except Exception as error:  # noqa: BLE001
                    change.error = error
                    change.is_done = True

    def _write(self, together: list[_Change[object]]) -> None:
        with self._transaction() as connection:
            results = [change.do(connection) for change in together]
        for change, result in zip(together, results, strict=True):
            change.result = result
            change.is_done = True

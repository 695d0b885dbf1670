"""Batching of writes: changes that arrive during a write go into one transaction with one flush.

A database flushes its journal at every commit and lets one transaction write at a time. If each
writer polls for the lock and then waits for a separate flush, fifty raters wait too long.
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
    """One writer's action in a transaction, and its result after the commit."""

    do: Callable[[Connection], Result]
    result: Result | None = None
    error: Exception | None = None
    is_done: bool = False


class WriterTurns:
    """The write queue of one database in this process.

    Args:
        transaction: begins a write transaction and commits it on exit.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._turn = threading.Lock()
        self._waiting: deque[_Change[object]] = deque()

    def write(self, do: Callable[[Connection], Result]) -> Result:
        """Run an action in a transaction, perhaps with others; return after the commit."""
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
        except Exception:  # noqa: BLE001 (its own writer raises it)
            # One change failed, so all were rolled back. Run each alone to find which one fails.
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

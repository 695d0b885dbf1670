"""Events about an engine's server: requests in flight, retries, server gone, server back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from ..events.events import Emit, InFlight, Retry, ServerBack, ServerGone
from .base import Request

__all__ = ["Contact"]

_GONE_AFTER = 2.0  # seconds without any answer; a shorter gap is a hiccup


class Contact:
    """Emits events about an engine's single requests and about all of them together.

    Attributes:
        address: the server's address, for messages.
    """

    def __init__(
        self, address: str, emit: Emit, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.address = address
        self._emit = emit
        self._clock = clock
        self._in_flight = 0
        self._silent_since: float | None = None
        self._is_gone = False

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count a request as in flight during the `with` block."""
        self._in_flight += 1
        self._emit(InFlight(self._in_flight))
        try:
            yield
        finally:
            self._in_flight -= 1
            self._emit(InFlight(self._in_flight))

    def answered(self) -> None:
        """The server answered a request, even if with a refusal."""
        if self._is_gone and self._silent_since is not None:
            self._emit(ServerBack(self.address, self._clock() - self._silent_since))
        self._silent_since, self._is_gone = None, False

    def failed(
        self, request: Request, attempt: int, reason: str, words: str, wait: float, *, is_away: bool
    ) -> None:
        """A request failed and will be retried.

        Args:
            wait: seconds until the retry.
            is_away: whether the server itself did not answer.
        """
        if is_away:
            self._missed(reason, words)
        self._emit(Retry(request.stage, request.index, attempt, reason, words, wait))

    def _missed(self, reason: str, words: str) -> None:
        now = self._clock()
        if self._silent_since is None:
            self._silent_since = now
        silent = now - self._silent_since
        if silent >= _GONE_AFTER and not self._is_gone:
            self._is_gone = True
            since = datetime.now(UTC) - timedelta(seconds=silent)
            self._emit(ServerGone(self.address, since, reason, words))

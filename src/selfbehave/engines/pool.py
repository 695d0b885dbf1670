"""Several engines of one model: which engine gets the next request, and which one rests."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from .base import Completion, Engine, Request
from .failures import Cause, TryAgainError

__all__ = ["Member", "Pool", "Turns"]

_FIRST_REST, _LONGEST_REST = 0.5, 30.0  # seconds; doubles while an engine stays unavailable

One = TypeVar("One")


class Pool:
    """Sends each request once, to the least loaded engine that is available.

    Args:
        engines: at least one; all serve the same model.
        request_timeout: the limit in seconds for a complete answer.
    """

    def __init__(self, engines: Sequence[Engine], request_timeout: float) -> None:
        self._turns = Turns(engines)
        self._request_timeout = request_timeout

    def __len__(self) -> int:
        return len(self._turns)

    @property
    def is_any_open(self) -> bool:
        """Whether one of them takes a request now."""
        return self._turns.is_any_open

    async def complete(self, request: Request) -> Completion:
        """Get an answer from one of the engines.

        Raises:
            TryAgainError: the engine did not answer in time.
            SelfBehaveError: the request was permanently refused.
        """
        with self._turns.taking_one() as member:
            try:
                completion = await self._in_time(member.engine, request)
            except TryAgainError as error:
                if error.cause in (Cause.FAILED, Cause.UNUSABLE):
                    member.answered()
                else:
                    member.failed(error.retry_after)
                raise
            member.answered()
            return completion

    async def _in_time(self, engine: Engine, request: Request) -> Completion:
        limit = asyncio.timeout(self._request_timeout)
        try:
            async with limit:
                return await engine.complete(request)
        except TimeoutError as error:
            if not limit.expired():
                raise  # from the engine's own code
            words = f"no whole answer within {self._request_timeout:g} s"
            raise TryAgainError("no answer", words, cause=Cause.UNREACHED) from error


class Member(Generic[One]):
    """An engine in the pool: its requests in flight, and the end of its rest."""

    def __init__(self, engine: One, clock: Callable[[], float]) -> None:
        self.engine = engine
        self.load = 0
        self.rests_until = 0.0
        self._clock = clock
        self._absences = 0  # in a row

    def answered(self) -> None:
        """Note that the engine is available."""
        self._absences = 0
        self.rests_until = 0.0

    def failed(self, retry_after: float | None = None) -> None:
        """Note that the engine is unavailable or overloaded: let it rest for a while.

        Args:
            retry_after: the pause in seconds that the server asked for.
        """
        now = self._clock()
        if now >= self.rests_until:  # otherwise one of many requests dropped together
            self._absences += 1
            rest = min(_LONGEST_REST, _FIRST_REST * 2 ** (self._absences - 1))
            self.rests_until = now + rest * random.uniform(0.75, 1.25)
        if retry_after is not None:
            self.rests_until = max(self.rests_until, now + retry_after)

    @property
    def is_open(self) -> bool:
        """Whether it takes a request: after a failure it takes only one until it has answered."""
        return self._clock() >= self.rests_until and (not self._absences or not self.load)


class Turns(Generic[One]):
    """Selects an engine: each attempt goes to the open engine with the fewest in flight.

    Args:
        engines: at least one.
        clock: returns the time in seconds.
    """

    def __init__(self, engines: Sequence[One], clock: Callable[[], float] = time.monotonic) -> None:
        self._members = [Member(engine, clock) for engine in engines]
        # Otherwise several processes with few requests each would all begin with the first.
        random.shuffle(self._members)

    def __len__(self) -> int:
        return len(self._members)

    @property
    def is_any_open(self) -> bool:
        """Whether one of them takes a request now."""
        return any(member.is_open for member in self._members)

    @contextmanager
    def taking_one(self) -> Iterator[Member[One]]:
        """The engine for one attempt; if none is open, the one whose rest ends first."""
        chosen = min(
            self._members,
            key=lambda one: (0.0, one.load) if one.is_open else (one.rests_until, one.load),
        )
        # Move it to the end, so that equally loaded engines take turns.
        self._members.remove(chosen)
        self._members.append(chosen)
        chosen.load += 1
        try:
            yield chosen
        finally:
            chosen.load -= 1

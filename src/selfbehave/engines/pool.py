"""Several engines of one model: which of them is asked next, and which is left alone."""

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

_FIRST_REST, _LONGEST_REST = 0.5, 30.0  # seconds; it doubles while an engine stays away

One = TypeVar("One")


class Pool:
    """Makes one attempt for each request, at the least loaded engine that is not away.

    Args:
        engines: at least one; all serve the same model.
        request_timeout: seconds that a whole answer may take.
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
        """Have one of the engines answer.

        Raises:
            TryAgainError: it did not, or not in time.
            SelfBehaveError: the request was permanently refused.
        """
        with self._turns.taking_one() as member:
            try:
                completion = await self._in_time(member.engine, request)
            except TryAgainError as error:
                if error.cause is Cause.FAILED:
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
                raise  # one of the engine's own
            words = f"no whole answer within {self._request_timeout:g} s"
            raise TryAgainError("no answer", words, cause=Cause.UNREACHED) from error


class Member(Generic[One]):
    """An engine as the pool sees it: what it is working on, and until when it is left alone."""

    def __init__(self, engine: One, clock: Callable[[], float]) -> None:
        self.engine = engine
        self.load = 0
        self.rests_until = 0.0
        self._clock = clock
        self._absences = 0  # in a row

    def answered(self) -> None:
        """It is there."""
        self._absences = 0
        self.rests_until = 0.0

    def failed(self, retry_after: float | None = None) -> None:
        """It is away or overloaded: leave it alone for a while.

        Args:
            retry_after: seconds that it asked for itself.
        """
        now = self._clock()
        if now >= self.rests_until:  # else one of many requests that it dropped together
            self._absences += 1
            rest = min(_LONGEST_REST, _FIRST_REST * 2 ** (self._absences - 1))
            self.rests_until = now + rest * random.uniform(0.75, 1.25)
        if retry_after is not None:
            self.rests_until = max(self.rests_until, now + retry_after)

    @property
    def is_open(self) -> bool:
        """Whether it takes a request: one that was away takes one only, until it has answered."""
        return self._clock() >= self.rests_until and (not self._absences or not self.load)


class Turns(Generic[One]):
    """Whose turn it is: each attempt goes to the open engine with the fewest in flight.

    Args:
        engines: at least one.
        clock: tells seconds.
    """

    def __init__(self, engines: Sequence[One], clock: Callable[[], float] = time.monotonic) -> None:
        self._members = [Member(engine, clock) for engine in engines]
        # Several processes with few requests each would else all begin with the first.
        random.shuffle(self._members)

    def __len__(self) -> int:
        return len(self._members)

    @property
    def is_any_open(self) -> bool:
        """Whether one of them takes a request now."""
        return any(member.is_open for member in self._members)

    @contextmanager
    def taking_one(self) -> Iterator[Member[One]]:
        """The engine for one attempt; while none is open, the one that rests the shortest."""
        chosen = min(
            self._members,
            key=lambda one: (0.0, one.load) if one.is_open else (one.rests_until, one.load),
        )
        # To the end, so that equals take turns.
        self._members.remove(chosen)
        self._members.append(chosen)
        chosen.load += 1
        try:
            yield chosen
        finally:
            chosen.load -= 1

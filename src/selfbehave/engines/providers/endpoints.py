"""The addresses that serve one model, and which of them a request is sent to next."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

__all__ = ["Endpoint", "Endpoints"]

_FIRST_REST, _LONGEST_REST = 0.5, 30.0  # seconds; it doubles while an endpoint stays away


class Endpoint:
    """One address: how many requests it is working on, and until when it is left alone."""

    def __init__(self, address: str, clock: Callable[[], float]) -> None:
        self.address = address
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


class Endpoints:
    """Addresses of one model. Each attempt goes to the open one with the fewest in flight.

    Args:
        addresses: at least one.
        clock: tells seconds.
    """

    def __init__(
        self, addresses: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._endpoints = [Endpoint(address.rstrip("/"), clock) for address in addresses]
        # Several processes with few requests each would else all begin with the first.
        random.shuffle(self._endpoints)

    def __len__(self) -> int:
        return len(self._endpoints)

    def __str__(self) -> str:
        return ", ".join(sorted(endpoint.address for endpoint in self._endpoints))

    @property
    def is_any_open(self) -> bool:
        """Whether one of them takes a request now."""
        return any(endpoint.is_open for endpoint in self._endpoints)

    @contextmanager
    def taking_one(self) -> Iterator[Endpoint]:
        """The endpoint for one attempt; while none is open, the one that rests the shortest."""
        chosen = min(
            self._endpoints,
            key=lambda one: (0.0, one.load) if one.is_open else (one.rests_until, one.load),
        )
        # To the end, so that equals take turns.
        self._endpoints.remove(chosen)
        self._endpoints.append(chosen)
        chosen.load += 1
        try:
            yield chosen
        finally:
            chosen.load -= 1

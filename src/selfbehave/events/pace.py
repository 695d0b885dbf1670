"""How fast a count grows, by its last minute: what the time left is estimated from."""

from __future__ import annotations

from collections import deque

__all__ = ["Pace"]

_WINDOW = 60.0  # seconds looked back on
_LEAST_MARKS = 10  # looked back on, however long ago: slow models answer once a minute


class Pace:
    """The recent rate of a count that only grows. Times are in seconds, by any one clock."""

    def __init__(self, now: float, count: int) -> None:
        self._marks = deque([(now, count)])

    def restart(self, now: float, count: int) -> None:
        """Forget what was: it tells nothing of the rate from now on."""
        self._marks = deque([(now, count)])

    def mark(self, now: float, count: int) -> None:
        """Note where the count stands."""
        self._marks.append((now, count))
        while len(self._marks) > _LEAST_MARKS and self._marks[1][0] <= now - _WINDOW:
            self._marks.popleft()

    def per_second(self, now: float) -> float | None:
        """The rate up to now; None before anything was counted."""
        since, start = self._marks[0]
        counted = self._marks[-1][1] - start
        return counted / (now - since) if counted and now > since else None

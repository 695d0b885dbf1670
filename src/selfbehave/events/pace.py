"""How fast a count has grown in the last minute. The time left is estimated from it."""

from __future__ import annotations

from collections import deque

__all__ = ["Pace"]

_WINDOW = 60.0  # seconds to look back
_LEAST_MARKS = 10  # to keep, even if old: slow models answer once a minute


class Pace:
    """The recent rate of a count that only grows. Times are in seconds of any one clock."""

    def __init__(self, now: float, count: int) -> None:
        self._marks = deque([(now, count)])

    def restart(self, now: float, count: int) -> None:
        """Forget the past: it says nothing about the rate from now on."""
        self._marks = deque([(now, count)])

    def mark(self, now: float, count: int) -> None:
        """Record the current count."""
        self._marks.append((now, count))
        while len(self._marks) > _LEAST_MARKS and self._marks[1][0] <= now - _WINDOW:
            self._marks.popleft()

    def per_second(self, now: float) -> float | None:
        """The rate up to now; None before anything is counted."""
        since, start = self._marks[0]
        counted = self._marks[-1][1] - start
        return counted / (now - since) if counted and now > since else None

"""Which of a server's prompt caches a request takes, so that it finds the beginning of its prompt.

llama.cpp keeps the last prompt of each slot. The prompts of a stage share their beginning, which is
most of their length. If they go to a slot that has just answered such a prompt, only their ends are
evaluated.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

__all__ = ["PromptCaches"]


class PromptCaches:
    """The slots of a server, numbered from 0, and the beginning of the prompt that each one holds.

    Args:
        count: the number of slots.
    """

    def __init__(self, count: int) -> None:
        # The idle slots, the least recently used one first.
        self._idle: dict[int, Hashable] = dict.fromkeys(range(count))

    @contextmanager
    def taking(self, beginning: Hashable) -> Iterator[int | None]:
        """Take a slot for a request.

        It is an idle slot that holds this beginning, or else one that has not been used yet, or
        else the one whose prompt was used the longest time ago.

        Args:
            beginning: the same for all requests whose prompts begin in the same way.

        Yields:
            the slot's number; None if all slots are taken, so that the server may choose.
        """
        slot = self._chosen(beginning)
        if slot is None:
            yield None
            return
        del self._idle[slot]
        try:
            yield slot
        finally:
            self._idle[slot] = beginning

    def _chosen(self, beginning: Hashable) -> int | None:
        holding = [slot for slot, held in self._idle.items() if held == beginning]
        if holding:
            return holding[-1]
        return next(iter(self._idle), None)

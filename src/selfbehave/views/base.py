"""What every view is."""

from __future__ import annotations

from typing import Protocol

from ..events.events import Event

__all__ = ["View"]


class View(Protocol):
    """Shows events, one after the other; ignores those it does not care for."""

    def show(self, event: Event) -> None: ...

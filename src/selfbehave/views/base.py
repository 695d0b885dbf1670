"""What a view is."""

from __future__ import annotations

from typing import Protocol

from ..events.events import Event

__all__ = ["View"]


class View(Protocol):
    """Shows events one after the other. It may ignore any of them."""

    def show(self, event: Event) -> None: ...

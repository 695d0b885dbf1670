"""The protocol of a view."""

from __future__ import annotations

from typing import Protocol

from ..events.events import Event

__all__ = ["View"]


class View(Protocol):
    """Shows events in order. It may ignore any of them."""

    def show(self, event: Event) -> None: ...

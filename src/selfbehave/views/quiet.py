"""The view of `--quiet`: it shows almost nothing."""

from __future__ import annotations

from rich.console import Console

from ..events.events import Event, Stopping
from .words import describe_stopping

__all__ = ["Quiet"]


class Quiet:
    """Prints only why an interrupted command has not ended yet (see `View`)."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, event: Event) -> None:
        if isinstance(event, Stopping):
            self._console.print(describe_stopping(event), soft_wrap=True)

"""What is told while stages work: kept on their reports, and passed on to the views."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from ..events.events import Event, InFlight, Progressed, Retry, Said, StageFinished, StageStarted
from ..events.stage_report import StageReport
from .base import View
from .lines import Lines
from .live import LivePicture

__all__ = ["Display", "console_view"]


def console_view(console: Console | None = None) -> View:
    """The view that suits a console: a live picture on a terminal, lines elsewhere.

    Args:
        console: by default, standard output.
    """
    console = console or Console(highlight=False)
    return LivePicture(console) if console.is_terminal else Lines(console)


class Display:
    """Where stages and engines tell what happens.

    Args:
        views: that show it; by default the one that suits standard output.
    """

    def __init__(self, *views: View) -> None:
        self._views = views or (console_view(),)
        self._report: StageReport | None = None

    def tell(self, event: Event) -> None:
        """Pass an event on; an engine's events are counted for the stage at work."""
        if self._report is not None:
            if isinstance(event, InFlight):
                self._report.in_flight = event.count
            elif isinstance(event, Retry):
                self._report.retried[event.reason] += 1
        for view in self._views:
            view.show(event)

    def say(self, text: str) -> None:
        """Tell people something."""
        self.tell(Said(text))

    @contextmanager
    def showing(self, report: StageReport) -> Iterator[None]:
        """Tell of a stage while it works, and what it did at the end."""
        self._report = report
        self.tell(StageStarted(report))
        is_whole = False
        try:
            yield
            is_whole = True
        finally:
            report.end()
            self._report = None
            self.tell(StageFinished(report, is_whole))

    def update(self, report: StageReport) -> None:
        """Tell that a stage came further: called after each committed answer."""
        report.mark()
        self.tell(Progressed(report))

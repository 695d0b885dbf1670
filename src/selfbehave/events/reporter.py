"""What a run reports its events to: it keeps the stage's figures and passes every event on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .events import Emit, Event, InFlight, Progressed, Retry, Said, StageFinished, StageStarted
from .stage_report import StageReport

__all__ = ["Reporter"]


class Reporter:
    """Passes events on to listeners, in order.

    Args:
        listeners: called with each event.
    """

    def __init__(self, *listeners: Emit) -> None:
        self._listeners = listeners
        self._report: StageReport | None = None  # of the stage at work

    def emit(self, event: Event) -> None:
        """Pass an event on; an engine's events are counted for the stage at work."""
        if self._report is not None:
            if isinstance(event, InFlight):
                self._report.in_flight = event.count
            elif isinstance(event, Retry):
                self._report.retried[event.reason] += 1
        for listen in self._listeners:
            listen(event)

    def say(self, text: str) -> None:
        """Emit a message for people."""
        self.emit(Said(text))

    @contextmanager
    def stage(self, report: StageReport) -> Iterator[None]:
        """Emit that a stage starts, and at the end that it finished or broke off."""
        self._report = report
        self.emit(StageStarted(report))
        is_whole = False
        try:
            yield
            is_whole = True
        finally:
            report.end()
            self._report = None
            self.emit(StageFinished(report, is_whole))

    def progress(self, report: StageReport) -> None:
        """Emit that a stage has advanced; call it after each committed answer."""
        report.mark()
        self.emit(Progressed(report))

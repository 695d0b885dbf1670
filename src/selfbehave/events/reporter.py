"""The receiver of a run's events: it counts them for the stage and passes every event on."""

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
        self._report: StageReport | None = None  # of the running stage

    def emit(self, event: Event) -> None:
        """Pass an event on; count an engine's events for the running stage."""
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
        """Emit an event when a stage starts, and another when it finishes or breaks off."""
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
        """Emit a stage's progress; call it after each committed answer."""
        report.mark()
        self.emit(Progressed(report))

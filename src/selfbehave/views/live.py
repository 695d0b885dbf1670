"""The view for a terminal: a picture of the running stage, redrawn in place below messages."""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from ..bdd.fences import GHERKIN, PYTHON, first_block
from ..core.printable import printable
from ..events.events import (
    Accepted,
    Event,
    Retry,
    RunFinished,
    ServerBack,
    ServerGone,
    StageFinished,
    StageStarted,
)
from ..events.stage_report import StageReport
from .lines import Lines
from .words import clock, describe_retry, describe_rungs, pace, plural, reasons

__all__ = ["LivePicture"]

_REDRAWN = 4  # times a second
_TROUBLES = 3  # shown at most
_TROUBLE_SHOWN = 30.0  # seconds
_MOST_LINES = 24  # of the panel with the last accepted text
_LEAST_BAR, _WIDEST_BAR, _BESIDE_BAR = 4, 40, 42  # characters
_OTHER_LINES = 10  # of the picture besides the panel, and of the prompt below it
_LONGEST = 4_000  # characters of an answer that the panel considers


class LivePicture(Lines):
    """Draws on a terminal (see `View`)."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._live: Live | None = None
        self._report: StageReport | None = None
        self._accepted: Accepted | None = None
        self._troubles: deque[tuple[float, str]] = deque(maxlen=_TROUBLES)
        self._gone: ServerGone | None = None

    def show(self, event: Event) -> None:
        match event:
            case StageStarted(report):
                self._start(report)
            case StageFinished() | RunFinished():
                self._stop()
            case Accepted():
                self._accepted = event
            case ServerGone():
                self._gone = event
            case ServerBack():
                self._gone = None
                self._troubles.clear()
        super().show(event)

    def progress(self, report: StageReport) -> None:
        pass  # the picture is redrawn anyway

    def retry(self, retry: Retry) -> None:
        when = datetime.now().strftime("%H:%M:%S")
        self._troubles.append((time.monotonic(), f"{when} {describe_retry(retry)}"))

    def _start(self, report: StageReport) -> None:
        self._stop()
        self._report = report
        self._live = Live(
            get_renderable=self._picture,
            console=self.console,
            refresh_per_second=_REDRAWN,
            transient=True,
        )
        self._live.start()

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
        self._live = self._report = self._accepted = None

    def _picture(self) -> RenderableType:
        report, accepted = self._report, self._accepted
        if report is None:
            return Text()
        parts: list[RenderableType] = [
            _bar(report, self.console.width),
            *_figures(report),
        ]
        if self._gone is not None:
            gone_for = (datetime.now(UTC) - self._gone.since).total_seconds()
            parts.append(_line(f"waiting for the server: {clock(gone_for)}", "bold yellow"))
        oldest = time.monotonic() - _TROUBLE_SHOWN
        parts += [_line(text, "yellow") for at, text in list(self._troubles) if at > oldest]
        if accepted is not None:
            room = min(_MOST_LINES, self.console.height - _OTHER_LINES)
            if room > 0:
                parts.append(_panel(accepted, room))
        return Group(*parts)


def _bar(report: StageReport, width: int) -> RenderableType:
    row = Table.grid(padding=(0, 2))
    bar = ProgressBar(
        total=max(1, report.goal),
        completed=report.done,
        width=max(_LEAST_BAR, min(_WIDEST_BAR, width - _BESIDE_BAR)),
        complete_style="cyan",
        finished_style="cyan",
    )
    row.add_row(
        Text(report.stage, style="bold", no_wrap=True),
        bar,
        Text(f"{report.done:,}/{report.goal:,} {report.unit}", no_wrap=True),
    )
    return row


def _figures(report: StageReport) -> list[RenderableType]:
    """The stage's pace, and its losses."""
    left = report.seconds_left
    pace_parts = [clock(report.seconds) + (f", about {clock(left)} left" if left else "")]
    if report.per_second:
        pace_parts.append(pace(report))
    if report.requests or report.in_flight:
        pace_parts.append(f"{plural(report.requests, 'request')}, {report.in_flight} in flight")
    if report.replayed:
        pace_parts.append(f"{report.replayed} from the journal")
    if report.new_tokens:
        pace_parts.append(f"{report.tokens_per_second:.0f} tokens/s")
    yields = []
    if report.attempts:
        yields = [plural(report.attempts, "attempt"), describe_rungs(report)]
    losses = []
    if report.dropped:
        losses.append(f"{report.dropped.total()} dropped ({reasons(report.dropped)})")
    if report.retried:
        retries = plural(report.retries, "retry", "retries")
        losses.append(f"{retries} ({reasons(report.retried)})")
    return [_line(" · ".join(parts), "dim") for parts in (pace_parts, yields, losses) if parts]


def _line(text: str, style: str) -> Text:
    return Text(" ".join(printable(text).split()), style=style, overflow="ellipsis", no_wrap=True)


def _panel(accepted: Accepted, room: int) -> RenderableType:
    """The last accepted text in colours: a scenario, or its step functions."""
    text, language = accepted.instruction[:_LONGEST], "text"
    if block := first_block(text, GHERKIN):
        text, language = block.body, "gherkin"
    if block := first_block((accepted.output or "")[:_LONGEST], PYTHON):
        text, language = block.body, "python"
    lines = printable(text).strip("\n").split("\n")
    if len(lines) > room:
        lines = [*lines[: room - 1], "…"]
    syntax = Syntax(
        "\n".join(lines), language, theme="ansi_dark", background_color="default", word_wrap=False
    )
    return Panel(syntax, title="accepted last", title_align="left", border_style="dim")

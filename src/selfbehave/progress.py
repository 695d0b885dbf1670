"""What a user sees while stages work and when they are done."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .printable import printable
from .records import Example
from .stages.report import StageReport

__all__ = ["Display", "describe", "printable"]

_PLAIN_EVERY = 10.0  # seconds between lines where the output is not a terminal


class Display:
    """Shows stages on a console: live on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._plain_at = 0.0

    def say(self, text: str) -> None:
        self.console.print(escape(printable(text)), soft_wrap=True)

    @contextmanager
    def showing(self, report: StageReport) -> Iterator[None]:
        """Show a stage while it works, and a line of what it did at the end."""
        self._plain_at = time.monotonic()
        try:
            if self.console.is_terminal:
                with Live(
                    get_renderable=lambda: _live_view(report),
                    console=self.console,
                    refresh_per_second=4,
                    transient=True,
                ):
                    yield
            else:
                yield
        finally:
            report.end()
            self.say(describe(report))
            for note in report.notes:
                self.say(f"  {note}")

    def update(self, report: StageReport) -> None:
        """Called after each committed answer."""
        if self.console.is_terminal or report.done >= report.goal:
            return
        now = time.monotonic()
        if now - self._plain_at >= _PLAIN_EVERY:
            self._plain_at = now
            self.say(describe(report))

    def summary(self, reports: Sequence[StageReport]) -> None:
        """The summary table of a run."""
        table = Table(title="Summary", title_justify="left")
        table.add_column("stage")
        for heading in ("requests", "replayed", "kept", "dropped", "tokens", "tok/s", "time"):
            table.add_column(heading, justify="right")
        for report in reports:
            table.add_row(
                report.stage,
                str(report.requests),
                str(report.replayed),
                str(report.accepted),
                str(report.dropped.total()),
                f"{report.completion_tokens:,}",
                f"{report.tokens_per_second:.0f}" if report.new_tokens else "",
                _clock(report.seconds),
            )
        self.console.print()
        self.console.print(table)
        for report in reports:
            if report.dropped:
                self.say(f"dropped by {report.stage}: {_reasons(report)}")

    def example(self, example: Example) -> None:
        """One generated pair, whole."""
        self.console.rule("one of the generated pairs")
        self.say(example.instruction)
        if example.input:
            self.say(f"\nInput:\n{example.input}")
        self.say(f"\n{example.output}")

    def files(self, paths: Sequence[str]) -> None:
        """Where the files of a run are."""
        self.console.rule("files")
        for path in paths:
            self.say(path)


def describe(report: StageReport) -> str:
    """A stage in one line."""
    parts = [f"{report.stage}: {report.done}/{report.goal} {report.unit}"]
    if report.requests:
        answered = _plural(report.requests, "request")
        if report.replayed:
            answered += f" ({report.replayed} from the journal)"
        parts.append(answered)
    if report.retries:
        parts.append(_plural(report.retries, "retry", "retries"))
    if report.done != report.accepted:
        parts.append(f"{report.accepted} kept")
    if report.dropped:
        parts.append(f"{report.dropped.total()} dropped ({_reasons(report)})")
    if report.new_tokens:
        parts.append(f"{report.tokens_per_second:.0f} tokens/s")
    left = report.seconds_left
    if report.done < report.goal and left is not None and report.requests:
        parts.append(f"about {_clock(left)} left")
    else:
        parts.append(_clock(report.seconds))
    return " · ".join(parts)


def _live_view(report: StageReport) -> RenderableType:
    bar = ProgressBar(total=max(1, report.goal), completed=report.done, width=40)
    return Group(Text(describe(report), overflow="ellipsis", no_wrap=True), bar)


def _reasons(report: StageReport) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in report.dropped.most_common())


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _clock(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    return str(timedelta(seconds=round(seconds))).removeprefix("0:")

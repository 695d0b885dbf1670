"""The view for logs and pipes: a line for each important event, and progress at intervals."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..core.printable import printable
from ..core.records import Example
from ..events.events import (
    BatchMoved,
    BatchOver,
    EngineOpened,
    Estimated,
    Event,
    Grown,
    ParameterRefused,
    Progressed,
    Retry,
    RunFinished,
    Said,
    ServerBack,
    ServerGone,
    Spent,
    StageFinished,
    StageStarted,
    Stopping,
)
from ..events.stage_report import StageReport
from .words import (
    clock,
    describe,
    describe_back,
    describe_batch,
    describe_batch_over,
    describe_budget_end,
    describe_estimated,
    describe_figure,
    describe_gone,
    describe_grown,
    describe_not_there_yet,
    describe_refused,
    describe_retry,
    describe_spent,
    describe_stopping,
    plural,
    reasons,
)

__all__ = ["Lines"]

_PROGRESS_EVERY = 10.0  # seconds
_RETRY_EVERY = 10.0  # seconds; progress lines count the retries in between


class Lines:
    """Prints lines to a console (see `View`)."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress_at = self._retry_at = float("-inf")
        self._spent: Spent | None = None
        self._estimated: Estimated | None = None

    def show(self, event: Event) -> None:
        match event:
            case Said(text):
                self.say(text)
            case EngineOpened(identity, _, notice):
                self.say(f"engine: {notice or identity}")
            case StageStarted():
                self._progress_at = time.monotonic()
            case Progressed(report):
                self.progress(report)
            case StageFinished(report):
                self.say(describe(report))
                for note in report.notes:
                    self.say(f"  {note}")
                if report.budget_end is not None:
                    self.say(f"  {describe_not_there_yet(report)}", "yellow")
            case BatchMoved():
                self.say(describe_batch(event))
            case BatchOver():
                self.say(describe_batch_over(event))
            case Estimated():
                self._estimated = event
            case Spent():
                self._spent = event
            case Retry():
                self.retry(event)
            case Grown():
                self.say(describe_grown(event), "bold")
            case ParameterRefused():
                self.say(describe_refused(event))
            case ServerGone():
                self.say(describe_gone(event), "yellow")
            case ServerBack():
                self.say(describe_back(event), "green")
            case Stopping():
                self.say(describe_stopping(event))
            case RunFinished():
                self._finish(event)

    def say(self, text: str, style: str | None = None) -> None:
        self.console.print(escape(printable(text)), soft_wrap=True, style=style)

    def progress(self, report: StageReport) -> None:
        """Print how far a stage is."""
        now = time.monotonic()
        if report.done < report.goal and now - self._progress_at >= _PROGRESS_EVERY:
            self._progress_at = now
            self.say(describe(report))

    def retry(self, retry: Retry) -> None:
        """Print a failed attempt that will be retried."""
        now = time.monotonic()
        if now - self._retry_at >= _RETRY_EVERY:
            self._retry_at = now
            self.say(describe_retry(retry))

    def _finish(self, finished: RunFinished) -> None:
        if len(finished.reports) > 1:
            self._summary(finished.reports)
        if self._spent is not None:
            self.say(describe_spent(self._spent))
            if self._spent.end is not None:
                self.say(describe_budget_end(self._spent.end), "yellow")
        if self._estimated is not None:
            self._estimate(self._estimated)
        if finished.example is not None:
            self._example(finished.example)
        if len(finished.reports) > 1:
            self.console.rule("files")
            for report in finished.reports:
                for file in report.files:
                    self.say(file)
        if finished.advice is not None:
            self.say(finished.advice)

    def _summary(self, reports: Sequence[StageReport]) -> None:
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
                clock(report.seconds),
            )
        self.console.print()
        self.console.print(table)
        if thoughts := sum(report.reasoning_tokens for report in reports):
            self.say(f"{thoughts:,} of the tokens went into thoughts")
        for report in reports:
            if report.dropped:
                self.say(f"dropped by {report.stage}: {reasons(report.dropped)}")
        for report in reports:
            if report.retried:
                retries = plural(report.retries, "retry", "retries")
                self.say(f"{retries} in {report.stage}: {reasons(report.retried)}")

    def _estimate(self, estimated: Estimated) -> None:
        """Print what a whole run will take."""
        table = Table(title="Estimate of the whole run", title_justify="left")
        table.add_column("stage")
        has_cost = estimated.whole.cost is not None
        headings = ["requests", "tokens read", "tokens written", *["cost"] * has_cost, "time"]
        for heading in headings:
            table.add_column(heading, justify="right")
        for one in (*estimated.stages, estimated.whole):
            counts = [one.requests, one.prompt_tokens, one.completion_tokens]
            figures = [describe_figure(figure, "{:,.0f}".format) for figure in counts]
            if has_cost:
                figures.append(describe_figure(one.cost, "{:,.4g}".format))
            table.add_row(one.stage, *figures, describe_figure(one.seconds, clock))
        self.console.print()
        self.console.print(table)
        for line in describe_estimated(estimated):
            self.say(line)

    def _example(self, example: Example) -> None:
        """Print one generated pair completely."""
        self.console.rule("one of the generated pairs")
        self.say(example.instruction)
        if example.input:
            self.say(f"\nInput:\n{example.input}")
        self.say(f"\n{example.output}")

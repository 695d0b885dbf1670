"""Events of a run in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from ..core.rungs import RUNGS
from ..core.spending import BudgetEnd
from ..events.events import (
    BatchMoved,
    BatchOver,
    Estimated,
    Figure,
    Grown,
    ParameterRefused,
    Retry,
    ServerBack,
    ServerGone,
    Spent,
    Stopping,
)
from ..events.stage_report import StageReport

__all__ = [
    "clock",
    "describe",
    "describe_back",
    "describe_batch",
    "describe_batch_over",
    "describe_budget_end",
    "describe_estimated",
    "describe_figure",
    "describe_gone",
    "describe_grown",
    "describe_not_there_yet",
    "describe_retry",
    "describe_rungs",
    "describe_spent",
    "describe_stopping",
    "pace",
    "plural",
    "reasons",
]


def describe(report: StageReport) -> str:
    """A stage in one line."""
    parts = [f"{report.stage}: {report.done}/{report.goal} {report.unit}"]
    if report.requests:
        answered = plural(report.requests, "request")
        if report.replayed:
            answered += f" ({report.replayed} from the journal)"
        parts.append(answered)
    if report.attempts:
        parts.append(plural(report.attempts, "attempt"))
    if report.reached:
        parts.append(describe_rungs(report))
    if report.retries:
        parts.append(plural(report.retries, "retry", "retries"))
    if report.done != report.accepted:
        parts.append(f"{report.accepted} kept")
    if report.dropped:
        parts.append(f"{report.dropped.total()} dropped ({reasons(report.dropped)})")
    if report.new_tokens:
        parts.append(f"{report.tokens_per_second:.0f} tokens/s")
    left = report.seconds_left
    if report.done < report.goal and left is not None:
        parts += [pace(report), f"about {clock(left)} left"]
    else:
        parts.append(clock(report.seconds))
    return " · ".join(parts)


def describe_rungs(report: StageReport) -> str:
    """How many scenarios are proven, and at which rungs the others are."""
    rungs = ", ".join(
        f"{report.reached[rung]} {rung}" for rung in reversed(RUNGS) if report.reached[rung]
    )
    words = f"{report.proven} proven"
    if rungs:
        words += f" (reached: {rungs})"
    if report.completion_tokens:
        words += f", {1000 * report.proven / report.completion_tokens:.1f} per 1,000 answer tokens"
    return words


def describe_grown(grown: Grown) -> str:
    """How far a run is that grows until enough rows are proven, in one line."""
    return (
        f"{grown.proven} of {plural(grown.wanted, 'row')} proven so far, "
        f"from {plural(grown.instructions, 'instruction')}"
    )


def pace(report: StageReport) -> str:
    """A stage's pace: items a minute, or a second if it is fast."""
    rate = report.per_second or 0.0
    if rate >= 10:
        return f"{rate:.0f}/s"
    per_minute = rate * 60
    return f"{per_minute:.0f}/min" if per_minute >= 10 else f"{per_minute:.1f}/min"


def describe_retry(retry: Retry) -> str:
    """A retry in one line."""
    when = f"in {clock(retry.wait)}" if retry.wait >= 0.1 else "at once"
    words = f" ({retry.words})" if retry.words else ""
    return f"{retry.reason}, trying again {when}{words}"


def describe_refused(refused: ParameterRefused) -> str:
    """A parameter that the server refuses, and what is sent instead."""
    if refused.instead:
        deed = f"its value is sent as {refused.instead} from now on"
    else:
        deed = "it is left out from now on, so the server's default holds"
    return f"{refused.address} refuses the parameter {refused.name}: {deed}"


def describe_gone(gone: ServerGone) -> str:
    """A server stopped answering, in one line."""
    since = gone.since.astimezone().strftime("%H:%M:%S")
    words = f" ({gone.words})" if gone.words else ""
    return f"the server is gone, waiting since {since}: {gone.address}: {gone.reason}{words}"


def describe_back(back: ServerBack) -> str:
    """A server answers again, in one line."""
    return f"the server is back after {clock(back.seconds)}"


def describe_batch(moved: BatchMoved) -> str:
    """How far a batch is, in one line."""
    words = f"batch {moved.batch}: {moved.status}, {plural(moved.requests, 'request')}"
    if moved.completed or moved.failed:
        words += f", {moved.completed} answered"
    if moved.failed:
        words += f", {moved.failed} failed"
    return words


def describe_batch_over(over: BatchOver) -> str:
    """What a batch gave, in one line."""
    words = f"batch {over.batch}: {over.status}, {plural(over.answered, 'answer')} kept"
    if over.asked_again:
        words += f", {over.asked_again} without an answer: asked again"
    if over.ignored:
        words += f", {plural(over.ignored, 'line')} ignored that belong to no request or repeat one"
    return words


def describe_figure(figure: Figure | None, shown: Callable[[float], str]) -> str:
    """An estimate with its interval below it."""
    if figure is None:
        return "unknown"
    if figure.low is None or figure.high is None or figure.low == figure.high:
        return shown(figure.value)
    return f"{shown(figure.value)}\n{shown(figure.low)} to {shown(figure.high)}"


def describe_estimated(estimated: Estimated) -> list[str]:
    """What an estimate rests on, in lines."""
    spent = f"{plural(estimated.spent.requests, 'request')} of it spent so far"
    if estimated.cost is not None:
        spent += f", cost {estimated.cost:,.4g}"
    return [
        f"from {plural(estimated.items, 'item')}, with 95% intervals by Student's t, "
        "as if the rest went like these",
        f"{spent}; the answers are kept, and the run without --estimate goes on from them",
    ]


def describe_spent(spent: Spent) -> str:
    """What a run has spent, in one line."""
    of = spent.spent
    tokens = f"{of.prompt_tokens:,} tokens read"
    if of.cached_tokens:
        tokens += f" ({of.cached_tokens:,} of them cached)"
    tokens += f" and {of.completion_tokens:,} written"
    if of.reasoning_tokens:
        tokens += f" ({of.reasoning_tokens:,} of them reasoning)"
    parts = [f"spent in all: {plural(of.requests, 'request')}, {tokens}"]
    if of.uncounted:
        parts.append(f"estimated for {plural(of.uncounted, 'answer')} whose tokens nobody counted")
    if spent.cost is not None:
        parts.append(f"cost {spent.cost:,.4g}")
    return ", ".join(parts)


def describe_budget_end(end: BudgetEnd) -> str:
    """Why a run ended before its goals, and how it goes on, in one line."""
    return (
        f"the budget ended the run: --{end.limit} {end.most:g} allows no further request; "
        f"the same command with a larger --{end.limit} goes on"
    )


def describe_not_there_yet(report: StageReport) -> str:
    """What a stage lacks that the budget ended, in one line."""
    assert report.budget_end is not None, "no budget ended the stage"
    left = max(0, report.goal - report.done)
    if report.budget_end.limit == "estimate":
        return f"a sample: {left} of {report.goal} {report.unit} are left to the run"
    return (
        f"--{report.budget_end.limit} {report.budget_end.most:g} ended it: "
        f"{left} of {report.goal} {report.unit} are not there yet"
    )


def describe_stopping(stopping: Stopping) -> str:
    """What an interrupted run waits for, in one line."""
    answers = plural(stopping.awaited, "answer")
    return f"stopping: waiting for {answers} in flight (Ctrl-C: at once)"


def reasons(counts: Counter[str]) -> str:
    """Counts by reason, the largest first."""
    return ", ".join(f"{reason} {count}" for reason, count in counts.most_common())


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def clock(seconds: float) -> str:
    """A duration."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return str(timedelta(seconds=round(seconds))).removeprefix("0:")

"""The report's tables as text: an overview, and the usage of each stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean

from ..figures.vega import label
from ..stats.number_text import UNKNOWN, cost_text, duration_text, number_text, rate_text
from ..stats.tables import Table
from .counts import Prices, StageUse, funnel, rungs_reached, uses
from .diversity import ORDERS, distinct, domain_counts, words_of
from .facts import ReportRow, RunFacts

__all__ = ["main_table", "stage_tables", "variety_table"]

_LONGEST_NAME = 40
_MOST_REASONS = 4


def main_table(runs: Sequence[RunFacts], prices: Prices) -> Table:
    """The overview table: the results of the requests, and their costs."""
    steps = [{step.name: step for step in funnel(run)} for run in runs]
    names = list(
        dict.fromkeys(name for one in sorted(steps, key=lambda one: -len(one)) for name in one)
    )
    shares = [{share.name: share for share in rungs_reached(run)} for run in runs]
    rows = []
    for name in names:
        meaning = next(one[name].meaning for one in steps if name in one)
        cells = []
        for of_run, of_ladder in zip(steps, shares, strict=True):
            count = of_run[name].count if name in of_run else None
            cell = UNKNOWN if count is None else f"{count:,}"
            share = of_ladder.get(name)
            if count is not None and share is not None and share.estimate.value is not None:
                cell += f" ({100 * share.estimate.value:.0f}%)"
            cells.append(cell)
        rows.append((f"{name}: {meaning}", *cells))
    rows += _work_rows(runs, prices)
    rows += [
        ("mean of highest ROUGE-L", *(_mean_likeness(run) for run in runs)),
        ("distinct-2", *(_distinct(run.kept, 2) for run in runs)),
        ("domains", *(f"{len(domain_counts(run.rows)):,}" for run in runs)),
    ]
    return Table(
        "main",
        "All in one table",
        ("measure", *(label(run.name, _LONGEST_NAME) for run in runs)),
        tuple(rows),
        caption=f"Cost in {prices.currency}, by the prices given."
        if prices.cost(0, 0) is not None
        else "Cost: give --price_in and --price_out, per million tokens.",
    )


def stage_tables(run: RunFacts, prices: Prices) -> list[Table]:
    """The usage of each stage of a run: requests, tokens and time."""
    found = uses(run.answers)
    if not found:
        return []
    headings = (
        "stage", "answers", "retries", "prompt tokens", "answer tokens",
        f"cost, {prices.currency}", "time at work", "tokens/s", "answers/min",
        "median wait", "95% wait", "finish reasons",
    )  # fmt: skip
    rows = tuple(
        (
            use.stage,
            f"{use.answers:,}",
            f"{use.retries:,}",
            f"{use.prompt_tokens:,}",
            f"{use.completion_tokens:,}",
            cost_text(prices.cost(use.prompt_tokens, use.completion_tokens)),
            duration_text(use.seconds),
            rate_text(use.tokens_per_second),
            rate_text(use.answers_per_minute),
            duration_text(use.median_latency),
            duration_text(use.high_latency),
            _reasons(use),
        )
        for use in found
    )
    return [
        Table(
            "work",
            label(run.name, _LONGEST_NAME),
            headings,
            rows,
            words=(0, len(headings) - 1),
            caption="Time at work is with a request in flight; a wait is from asking to the "
            "answer, retries included.",
        )
    ]


def variety_table(runs: Sequence[RunFacts]) -> Table | None:
    """Lengths and distinct-n of the kept scenarios; None if no run has any."""
    if not any(row.finished.scenario for run in runs for row in run.kept):
        return None
    measures: tuple[tuple[str, Callable[[ReportRow], int | None]], ...] = (
        ("steps of a scenario, mean", lambda row: row.steps),
        ("words of a scenario, mean", words_of),
        ("tokens of an answer, mean", lambda row: row.tokens),
    )
    rows = [
        (name, *(_mean([measure(row) for row in run.kept]) for run in runs))
        for name, measure in measures
    ]
    rows += [
        (f"distinct-{order}", *(_distinct(run.kept, order) for run in runs)) for order in ORDERS
    ]
    return Table(
        "variety",
        "Lengths and distinct n-grams of the rows kept",
        ("measure", *(label(run.name, _LONGEST_NAME) for run in runs)),
        tuple(rows),
        caption="distinct-n: distinct n-grams of the scenarios over all of them. It falls as rows "
        "are added, so compare runs of a size.",
    )


def _work_rows(runs: Sequence[RunFacts], prices: Prices) -> list[tuple[str, ...]]:
    totals = [uses(run.answers)[-1] if run.answers else None for run in runs]

    reasons: Counter[str] = Counter()
    for total in totals:
        reasons.update(total.finish_reasons if total else {})

    def row(name: str, of: Callable[[StageUse], str]) -> tuple[str, ...]:
        return (name, *(UNKNOWN if total is None else of(total) for total in totals))

    def cost(use: StageUse) -> str:
        return cost_text(prices.cost(use.prompt_tokens, use.completion_tokens))

    return [
        row("prompt tokens", lambda one: f"{one.prompt_tokens:,}"),
        row("answer tokens", lambda one: f"{one.completion_tokens:,}"),
        row(f"cost, {prices.currency}", cost),
        row("time at work", lambda one: duration_text(one.seconds)),
        row("tokens per second", lambda one: rate_text(one.tokens_per_second)),
        row("retries", lambda one: f"{one.retries:,}"),
        *(
            row(f"ended by {label(reason, 20)}", partial(_ended_by, reason))
            for reason, _ in reasons.most_common(_MOST_REASONS)
        ),
    ]


def _ended_by(reason: str, use: StageUse) -> str:
    return f"{use.finish_reasons[reason]:,}"


def _reasons(use: StageUse) -> str:
    return ", ".join(
        f"{label(reason)} {count:,}"
        for reason, count in use.finish_reasons.most_common(_MOST_REASONS)
    )


def _mean_likeness(run: RunFacts) -> str:
    values = [one.highest for one in run.accepted if one.highest is not None]
    return number_text(fmean(values)) if values else UNKNOWN


def _mean(values: Sequence[int | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{fmean(known):,.1f}" if known else UNKNOWN


def _distinct(rows: Sequence[ReportRow], order: int) -> str:
    share = distinct((row.finished.scenario for row in rows if row.finished.scenario), order)
    if share is None:
        return UNKNOWN
    return number_text(share, 3) if share >= 0.01 else f"{share:.1g}"

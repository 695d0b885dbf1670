"""The report's tables of attempts as text: yield, what repairs mend, the cost of a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..core.rungs import RUNGS
from ..figures.vega import label
from ..stats.number_text import cost_text
from ..stats.tables import Table
from .attempts import costs_of_rows, reached_after, repairs_by_fault, rung_changes
from .counts import Prices
from .facts import RunFacts

__all__ = ["attempt_tables"]

_LONGEST_NAME = 40
_MOST_BECAME = 3  # faults named in a cell
_MOST_ATTEMPTS = 12  # columns
_MOST_FAULTS = 20  # rows


def attempt_tables(run: RunFacts, prices: Prices) -> list[Table]:
    """The tables of a run's attempts; empty if there was none at a scenario."""
    if not run.attempts:
        return []
    tables = [_yield_table(run), _cost_table(run, prices), _repair_table(run)]
    return [table for table in tables if table is not None]


def _yield_table(run: RunFacts) -> Table:
    reached = reached_after(run.attempts)
    scenarios = len({one.task for one in run.attempts})
    most = len(reached[RUNGS[0]])
    # Of very many attempts, the first ones and the last.
    shown = range(most) if most <= _MOST_ATTEMPTS else [*range(_MOST_ATTEMPTS - 1), most - 1]
    made = Counter(one.attempt for one in run.attempts)
    rows = [("attempts made", *(f"{made[at]:,}" for at in shown))]
    rows += [
        (rung, *(f"{counts[at]:,} ({100 * counts[at] / scenarios:.0f}%)" for at in shown))
        for rung, counts in reached.items()
    ]
    return Table(
        "attempts",
        f"Rows at each rung, by attempt: {label(run.name, _LONGEST_NAME)}",
        ("rung", *(f"after {at + 1}" for at in shown)),
        tuple(rows),
        caption=f"Of {scenarios:,} scenarios, how many reached a rung with one of their first "
        "attempts. A scenario that reached the aim is not attempted again.",
    )


def _cost_table(run: RunFacts, prices: Prices) -> Table | None:
    costs = costs_of_rows(run.attempts, run.answers)
    if not costs:
        return None
    rows = tuple(
        (
            cost.rung,
            f"{cost.rows:,}",
            f"{cost.prompt_tokens:,.0f}",
            f"{cost.completion_tokens:,.0f}",
            cost_text(prices.cost(cost.prompt_tokens, cost.completion_tokens)),
        )
        for cost in costs
    )
    counted = (
        "All answers of the run count, those for scenarios and those that failed too."
        if run.answers
        else "There is no journal: only the answers with step functions count."
    )
    return Table(
        "attempts",
        f"The cost of a row: {label(run.name, _LONGEST_NAME)}",
        ("reached", "rows", "prompt tokens a row", "answer tokens a row",
         f"cost a row, {prices.currency}"),
        rows,
        caption=counted,
    )  # fmt: skip


def _repair_table(run: RunFacts) -> Table | None:
    mended = repairs_by_fault(run.attempts)
    if not mended:
        return None
    rows = tuple(
        (
            one.fault,
            f"{one.repairs:,}",
            f"{one.gone:,}",
            f"{one.higher:,}",
            f"{one.lower:,}",
            _became(one.became),
        )
        for one in mended[:_MOST_FAULTS]
    )
    changes = rung_changes(run.attempts)
    return Table(
        "attempts",
        f"What repairs mend: {label(run.name, _LONGEST_NAME)}",
        ("fault of the repaired attempt", "repairs", "gone", "higher rung", "lower rung",
         "first fault of the repair"),
        rows,
        words=(0, 5),
        caption=f"{changes.total():,} repairs; a repair counts for each of the faults before it. "
        f"Rungs from and to: {', '.join(_changes(list(changes.items())))}.",
    )  # fmt: skip


def _became(became: Counter[str]) -> str:
    shown = [f"{fault} {count:,}" for fault, count in became.most_common(_MOST_BECAME)]
    others = became.total() - sum(count for _, count in became.most_common(_MOST_BECAME))
    return ", ".join([*shown, *([f"others {others:,}"] if others else [])])


def _changes(changes: Sequence[tuple[tuple[str, str], int]]) -> Iterator[str]:
    by_count = sorted(changes, key=lambda change: (-change[1], change[0]))
    return (f"{before} → {after} {count:,}" for (before, after), count in by_count)

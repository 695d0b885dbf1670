"""The benchmark's figures: rows at each rung after each attempt, and what a row costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from selfbehave.bdd.ladder import Rung

from ..tables import Table
from .policies import Policy
from .solving import Attempt, Cost, Posed

__all__ = ["RUNGS", "print_scenarios", "reached", "yield_table"]

RUNGS = (Rung.BOUND, Rung.PASSING, Rung.DISCRIMINATING, Rung.CAUSAL)


def reached(attempts: Sequence[Attempt]) -> tuple[Rung, bool]:
    """The highest rung of some attempts, and whether one of them is clean."""
    rungs = [Rung.named(attempt.verdict.rung) for attempt in attempts]
    return max(rungs, default=Rung.NONE), any(a.verdict.is_clean for a in attempts)


def print_scenarios(posed: Sequence[Posed]) -> None:
    """Print how many cells became scenarios, and why the others did not."""
    passed = sum(one.scenario_text is not None for one in posed)
    at_once = sum(one.scenario_text is not None and not one.faults for one in posed)
    print(f"\n{len(posed)} cells: {passed} scenarios passed the screen, {at_once} at once")
    codes = Counter(fault.code for one in posed for fault in one.faults)
    for code, count in codes.most_common():
        print(f"  {code}: {count}")


def yield_table(
    posed: Sequence[Posed], attempts_of: Sequence[tuple[Policy, Sequence[Sequence[Attempt]]]]
) -> Table:
    """The table, a line for each policy and number of attempts.

    Args:
        posed: all cells, those dropped too: their scenarios were paid for.
        attempts_of: for each policy, the attempts at each scenario.
    """
    table = Table(
        "rows after so many attempts (at a rung or above), and the cost of a clean row",
        "policy", "attempts", "scenarios", *map(str, RUNGS), "clean", "answer tokens/row",
        "prompt tokens/row", "from cache", "rows/min",
    )  # fmt: skip
    scenarios = sum((one.cost for one in posed), start=Cost())
    for policy, solved in attempts_of:
        for most in range(1, len(policy.temperatures) + 1):
            first = [attempts[:most] for attempts in solved]
            found = [reached(attempts) for attempts in first]
            clean = sum(is_clean for _, is_clean in found)
            cost = sum((a.cost for attempts in first for a in attempts), start=scenarios)
            table.row(
                policy.name,
                most,
                len(solved),
                *(sum(rung >= wanted for rung, _ in found) for wanted in RUNGS),
                clean,
                _each(cost.answer_tokens, clean),
                _each(cost.prompt_tokens, clean),
                f"{cost.cached_tokens / cost.prompt_tokens:.0%}" if cost.prompt_tokens else "-",
                f"{60 * clean / cost.seconds:.2f}" if cost.seconds else "-",
            )
    return table


def _each(total: int, rows: int) -> str:
    return f"{total / rows:,.0f}" if rows else "-"

"""The quality figures of a release: shares of its rows with their intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from ..bdd.faults import FaultCode, blocks, label
from ..core.four_criteria import CRITERIA, HIGH_QUALITY
from ..runs.finished import FinishedRow
from ..stats.proportions import Share
from .judgements import AUTOMATIC

__all__ = [
    "Spread",
    "criteria_shares",
    "most_faults",
    "novelty",
    "poor_practice",
]


@dataclass(frozen=True)
class Spread:
    """The spread of a value over some rows."""

    rows: int
    lowest: float
    median: float
    mean: float
    highest: float


def criteria_shares(rows: Sequence[FinishedRow], *, automatic: bool) -> list[Share]:
    """For each criterion, the share of rows that meet it, of those judged by rules or by people."""
    judged = [
        row.verdicts
        for row in rows
        if row.verdicts is not None and (row.verdicts.by == AUTOMATIC) == automatic
    ]
    shares = []
    for name in (*CRITERIA, HIGH_QUALITY):
        answers = [answer for one in judged if (answer := getattr(one, name)) is not None]
        shares.append(Share(name.replace("_", " "), sum(answers), len(answers)))
    return shares if judged else []


def novelty(rows: Sequence[FinishedRow]) -> Spread | None:
    """The spread of the rows' novelty; None if no run recorded it."""
    values = [row.novelty for row in rows if row.novelty is not None]
    if not values:
        return None
    mean = sum(values) / len(values)
    return Spread(len(values), min(values), median(values), mean, max(values))


def most_faults(rows: Sequence[FinishedRow], most: int = 5) -> list[tuple[str, int]]:
    """The most common kinds of faults that keep rows from the next rung, with numbers of rows."""
    return _counted(rows, blocks)[:most]


def poor_practice(rows: Sequence[FinishedRow]) -> list[tuple[str, int]]:
    """The kinds of faults that do not affect the rung, with the number of rows of each."""
    return _counted(rows, lambda code: not blocks(code))


def _counted(
    rows: Sequence[FinishedRow], is_counted: Callable[[FaultCode], bool]
) -> list[tuple[str, int]]:
    """The labels of faults with the number of rows of each, the most common first."""
    codes = (code for row in rows for code in set(row.fault_codes) if is_counted(code))
    return sorted(Counter(map(label, codes)).items(), key=lambda pair: (-pair[1], pair[0]))

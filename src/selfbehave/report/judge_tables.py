"""The verdicts of a run's judge beside those of the rules, on the same scenarios."""

from __future__ import annotations

from collections.abc import Sequence

from ..bdd.criteria import judge_row
from ..core.four_criteria import CRITERIA, HIGH_QUALITY, all_hold
from ..figures.vega import label
from ..runs.finished import FinishedRow
from ..stats.coefficients import cohen_kappa, confusion_of
from ..stats.number_text import UNKNOWN, interval_text, number_text
from ..stats.tables import Table
from .facts import RunFacts

__all__ = ["judge_tables"]

_LONGEST_NAME = 40
_HEADINGS = (
    "criterion",
    "scenarios",
    "met by the judge",
    "met by the rules",
    "agreement",
    "kappa",
    "95% interval",
)

_Pair = tuple[bool | None, bool | None]


def judge_tables(run: RunFacts) -> list[Table]:
    """How often judge and rules agree on a run's rows; none if no judge was asked."""
    rows = [row.finished for row in run.rows if row.finished.judged is not None]
    by_task = {(row.instruction, row.input): row for row in rows}
    if not by_task:
        return []
    pairs = _pairs(list(by_task.values()))
    judges = dict.fromkeys(row.judged.by for row in rows if row.judged is not None)
    return [
        Table(
            "judge",
            f"{label(run.name, _LONGEST_NAME)}: judge {label(', '.join(judges), _LONGEST_NAME)}",
            _HEADINGS,
            tuple(_row(name, pairs[name]) for name in pairs),
            caption="Scenarios on which both have a verdict, kept and dropped rows. Agreement: the "
            "share with the same verdict; kappa: Cohen's, the agreement beyond chance.",
        )
    ]


def _pairs(rows: Sequence[FinishedRow]) -> dict[str, list[_Pair]]:
    """The verdicts of judge and rules by criterion, then whether all four are met."""
    pairs: dict[str, list[_Pair]] = {name: [] for name in (*CRITERIA, HIGH_QUALITY)}
    for row in rows:
        rules = judge_row(row.instruction, row.input, row.output, idle_steps=row.idle_steps)
        of_judge = {name: getattr(row.judged, name) for name in CRITERIA}
        for name, verdict in of_judge.items():
            pairs[name].append((verdict, getattr(rules, name).holds))
        pairs[HIGH_QUALITY].append((all_hold(of_judge.values()), rules.high_quality))
    return pairs


def _row(name: str, pairs: Sequence[_Pair]) -> tuple[str, ...]:
    cells = confusion_of(pairs)
    kappa = cohen_kappa(cells)

    def share(count: int) -> str:
        return f"{100 * count / cells.total:.0f}%" if cells.total else UNKNOWN

    return (
        name.replace("_", " "),
        f"{cells.total:,}",
        share(cells.yes_yes + cells.yes_no),
        share(cells.yes_yes + cells.no_yes),
        share(cells.agreed),
        number_text(kappa.value),
        UNKNOWN if kappa.value is None else interval_text(kappa),
    )

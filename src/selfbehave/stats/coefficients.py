"""Coefficients of agreement on a yes/no question, each with its interval.

One coefficient is not enough. Cohen's kappa is low if nearly all verdicts are the same, even if the
raters often agree (Feinstein & Cicchetti 1990). Raw agreement, Gwet's AC1 and Krippendorff's alpha
therefore complement it. This module computes only what no library provides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan, sqrt

import krippendorff

from .estimates import Estimate, Z, undefined

__all__ = [
    "BANDS",
    "Confusion",
    "cohen_kappa",
    "confusion_of",
    "gwet_ac1",
    "interpretation",
    "krippendorff_alpha",
]

# J. R. Landis, G. G. Koch, "The measurement of observer agreement for categorical data",
# Biometrics 33 (1977): the upper end of each band.
BANDS = (
    (0.20, "slight"),
    (0.40, "fair"),
    (0.60, "moderate"),
    (0.80, "substantial"),
    (1.00, "almost perfect"),
)


@dataclass(frozen=True)
class Confusion:
    """How often each pair of verdicts of two raters occurs on the same scenarios."""

    yes_yes: int
    yes_no: int
    no_yes: int
    no_no: int

    @property
    def total(self) -> int:
        return self.yes_yes + self.yes_no + self.no_yes + self.no_no

    @property
    def agreed(self) -> int:
        return self.yes_yes + self.no_no


def confusion_of(pairs: Iterable[tuple[bool | None, bool | None]]) -> Confusion:
    """Count each pair of verdicts, ignoring pairs with a None."""
    counted = list(pairs)
    cells = ((True, True), (True, False), (False, True), (False, False))
    return Confusion(*(counted.count(cell) for cell in cells))


def cohen_kappa(cells: Confusion) -> Estimate:
    """Cohen's kappa with the interval of Cohen (1960): kappa ± 1.96·sqrt(po(1−po)/(n(1−pe)²)).

    The published figures use this standard error, which no library computes. The interval is
    clipped to −1 and 1.
    """
    n = cells.total
    if n == 0:
        return undefined("no scenario answered by both")
    first, second = cells.yes_yes + cells.yes_no, cells.yes_yes + cells.no_yes
    if first == second and first in (0, n):
        return undefined(f"both always say {_word(first == n)}")
    observed = cells.agreed / n
    by_chance = (first * second + (n - first) * (n - second)) / n**2
    value = (observed - by_chance) / (1 - by_chance)
    error = sqrt(observed * (1 - observed) / (n * (1 - by_chance) ** 2))
    remark = ""
    if first in (0, n) or second in (0, n):
        constant, verdict = ("first", first) if first in (0, n) else ("second", second)
        remark = f"the {constant} always says {_word(verdict == n)}, so kappa can only be 0"
    elif error == 0:
        remark = "they always agree" if observed else "they never agree"
    return Estimate(value, *_interval(value, error), remark)


def gwet_ac1(cells: Confusion) -> Estimate:
    """Gwet's AC1 with an interval from its variance over scenarios.

    K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of high
    agreement", BJMSP 61 (2008): chance agreement is 2π(1−π), where π is the mean share of yes. The
    variance is that of the scenarios' linearised contributions; the quantiles are normal.
    """
    n = cells.total
    if n == 0:
        return undefined("no scenario answered by both")
    yes = (2 * cells.yes_yes + cells.yes_no + cells.no_yes) / (2 * n)
    by_chance = 2 * yes * (1 - yes)
    value = (cells.agreed / n - by_chance) / (1 - by_chance)
    if n == 1:
        return Estimate(value, remark="one scenario: no interval")
    squares = 0.0
    for count, agree, said_yes in (
        (cells.yes_yes, 1, 1.0),
        (cells.yes_no + cells.no_yes, 0, 0.5),
        (cells.no_no, 1, 0.0),
    ):
        chance = said_yes * (1 - yes) + (1 - said_yes) * yes
        own = (agree - by_chance) / (1 - by_chance)
        contribution = own - 2 * (1 - value) * (chance - by_chance) / (1 - by_chance)
        squares += count * (contribution - value) ** 2
    return Estimate(value, *_interval(value, sqrt(squares / (n * (n - 1)))))


def krippendorff_alpha(raters: Sequence[Sequence[bool | None]]) -> Estimate:
    """Krippendorff's alpha of nominal data for any number of raters, gaps allowed; no interval.

    Args:
        raters: each rater's verdicts, on the same scenarios in the same order; None for a gap.
    """
    paired = [
        answers
        for column in zip(*raters, strict=True)
        if len(answers := [verdict for verdict in column if verdict is not None]) > 1
    ]
    values = {verdict for answers in paired for verdict in answers}
    if not values:
        return undefined("no scenario answered by two")
    if len(values) == 1:
        return undefined(f"all always say {_word(values.pop())}")
    data = [[nan if verdict is None else float(verdict) for verdict in row] for row in raters]
    return Estimate(float(krippendorff.alpha(data, level_of_measurement="nominal")))


def interpretation(kappa: float) -> str:
    """The customary word for a kappa, by Landis & Koch (1977); the bands are a convention."""
    if kappa < 0:
        return "poor"
    return next(word for upper, word in BANDS if kappa <= upper)


def _interval(value: float, error: float) -> tuple[float, float]:
    return max(-1.0, value - Z * error), min(1.0, value + Z * error)


def _word(verdict: bool) -> str:
    return "yes" if verdict else "no"

"""What each rater says, how far raters agree two by two, and where a consensus overrules them.

One coefficient is not enough: Cohen's kappa is low where nearly all verdicts are alike, however
often the raters agree (Feinstein & Cicchetti 1990), so raw agreement, Gwet's AC1 and Krippendorff's
alpha stand beside it. Only what no library has is computed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan, sqrt

import krippendorff
from statsmodels.stats.proportion import proportion_confint

from ..stats.estimates import CONFIDENCE, Estimate, Z, undefined
from .ratings import AUTOMATIC, CONSENSUS, CRITERIA, HIGH_QUALITY, Rating

__all__ = [
    "MEASURES",
    "Agreement",
    "Confusion",
    "GroupAgreement",
    "Overruling",
    "Proportion",
    "agreements",
    "cohen_kappa",
    "group_agreements",
    "gwet_ac1",
    "krippendorff_alpha",
    "overrulings",
    "proportions",
    "share",
    "verdicts_by_rater",
]

MEASURES = (*CRITERIA, HIGH_QUALITY)

Verdicts = Mapping[str, bool | None]
"""One rater's verdicts on one measure, by scenario."""


@dataclass(frozen=True)
class Proportion:
    """How many scenarios one rater says yes to, of those answered."""

    dataset: str
    rater: str
    measure: str
    yes: int
    answered: int
    unanswered: int
    share: Estimate


@dataclass(frozen=True)
class Confusion:
    """Verdicts of two raters on the same scenarios: how often each pair of them occurs."""

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


@dataclass(frozen=True)
class Agreement:
    """How far two raters agree on one measure in one dataset.

    Attributes:
        unpaired: scenarios that only one of them, or neither, has answered.
    """

    dataset: str
    raters: tuple[str, str]
    measure: str
    confusion: Confusion
    unpaired: int
    raw: Estimate
    kappa: Estimate
    ac1: Estimate
    alpha: Estimate


@dataclass(frozen=True)
class GroupAgreement:
    """How far all people agree on one measure: Krippendorff's alpha over all of them."""

    dataset: str
    raters: tuple[str, ...]
    measure: str
    alpha: Estimate


@dataclass(frozen=True)
class Overruling:
    """A scenario on which all people agreed, and the consensus says otherwise."""

    dataset: str
    scenario_id: str
    measure: str
    raters: tuple[str, ...]
    raters_say: bool
    note: str


def proportions(ratings: Sequence[Rating]) -> list[Proportion]:
    """The share each rater says yes to, with Wilson's interval, by dataset and measure."""
    found = []
    for dataset, measure, by_rater in _by_measure(ratings):
        for rater, verdicts in by_rater.items():
            answers = [verdict for verdict in verdicts.values() if verdict is not None]
            yes, answered = sum(answers), len(answers)
            unanswered = len(verdicts) - answered
            found.append(
                Proportion(dataset, rater, measure, yes, answered, unanswered, share(yes, answered))
            )
    return found


def agreements(ratings: Sequence[Rating]) -> list[Agreement]:
    """The agreement of every two raters, the consensus among them, by dataset and measure."""
    found = []
    for dataset, measure, by_rater in _by_measure(ratings):
        for first, second in combinations(by_rater, 2):
            one, other = by_rater[first], by_rater[second]
            cells, unpaired = _confusion(one, other)
            found.append(
                Agreement(
                    dataset,
                    (first, second),
                    measure,
                    cells,
                    unpaired,
                    share(cells.agreed, cells.total),
                    cohen_kappa(cells),
                    gwet_ac1(cells),
                    krippendorff_alpha([one, other]),
                )
            )
    return found


def group_agreements(ratings: Sequence[Rating]) -> list[GroupAgreement]:
    """Krippendorff's alpha over all people, where there are more than two."""
    found = []
    for dataset, measure, by_rater in _by_measure(ratings):
        people = _people(by_rater)
        if len(people) > 2:
            alpha = krippendorff_alpha([by_rater[rater] for rater in people])
            found.append(GroupAgreement(dataset, people, measure, alpha))
    return found


def overrulings(ratings: Sequence[Rating]) -> list[Overruling]:
    """Where two or more people gave the same verdict and the consensus another."""
    notes = {
        (rating.dataset, rating.scenario_id): rating.note
        for rating in ratings
        if rating.rater == CONSENSUS
    }
    found = []
    for dataset, measure, by_rater in _by_measure(ratings):
        for scenario, settled in by_rater.get(CONSENSUS, {}).items():
            said = {
                rater: by_rater[rater][scenario]
                for rater in _people(by_rater)
                if by_rater[rater].get(scenario) is not None
            }
            if len(said) > 1 and settled is not None and set(said.values()) == {not settled}:
                note = notes[dataset, scenario]
                found.append(Overruling(dataset, scenario, measure, tuple(said), not settled, note))
    return found


def verdicts_by_rater(
    ratings: Iterable[Rating], dataset: str, measure: str
) -> dict[str, dict[str, bool | None]]:
    """The verdicts on one measure in one dataset, by rater and scenario."""
    by_rater: dict[str, dict[str, bool | None]] = {}
    for rating in ratings:
        if rating.dataset == dataset:
            verdicts = by_rater.setdefault(rating.rater, {})
            verdicts[rating.scenario_id] = getattr(rating, measure)
    return by_rater


def share(count: int, total: int) -> Estimate:
    """A proportion with its interval by Wilson (1927)."""
    if total == 0:
        return undefined("nothing answered")
    low, high = proportion_confint(count, total, alpha=1 - CONFIDENCE, method="wilson")
    return Estimate(count / total, float(low), float(high))


def cohen_kappa(cells: Confusion) -> Estimate:
    """Cohen's kappa with the interval of Cohen (1960): kappa ± 1.96·sqrt(po(1−po)/(n(1−pe)²)).

    The published figures have this standard error, which no library computes. The interval is cut
    off at −1 and 1.
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
    return Estimate(value, max(-1.0, value - Z * error), min(1.0, value + Z * error), remark)


def gwet_ac1(cells: Confusion) -> Estimate:
    """Gwet's AC1 with an interval from its variance over scenarios.

    K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of high
    agreement", BJMSP 61 (2008): chance agreement is 2π(1−π), where π is the mean share of yes. The
    variance is that of the linearised contributions of the scenarios; normal quantiles.
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
    error = sqrt(squares / (n * (n - 1)))
    return Estimate(value, max(-1.0, value - Z * error), min(1.0, value + Z * error))


def krippendorff_alpha(raters: Sequence[Verdicts]) -> Estimate:
    """Krippendorff's alpha of nominal data for any number of raters, gaps allowed; no interval."""
    scenarios = dict.fromkeys(scenario for verdicts in raters for scenario in verdicts)
    rows = [[verdicts.get(scenario) for scenario in scenarios] for verdicts in raters]
    paired = [
        answers
        for column in zip(*rows, strict=True)
        if len(answers := [verdict for verdict in column if verdict is not None]) > 1
    ]
    values = {verdict for answers in paired for verdict in answers}
    if not values:
        return undefined("no scenario answered by two")
    if len(values) == 1:
        return undefined(f"all always say {_word(values.pop())}")
    data = [[nan if verdict is None else float(verdict) for verdict in row] for row in rows]
    return Estimate(float(krippendorff.alpha(data, level_of_measurement="nominal")))


def _by_measure(
    ratings: Sequence[Rating],
) -> Iterable[tuple[str, str, dict[str, dict[str, bool | None]]]]:
    for dataset in dict.fromkeys(rating.dataset for rating in ratings):
        for measure in MEASURES:
            yield dataset, measure, verdicts_by_rater(ratings, dataset, measure)


def _people(raters: Iterable[str]) -> tuple[str, ...]:
    return tuple(rater for rater in raters if rater != CONSENSUS and rater not in AUTOMATIC)


def _confusion(first: Verdicts, second: Verdicts) -> tuple[Confusion, int]:
    scenarios = first.keys() | second.keys()
    pairs = [(first.get(scenario), second.get(scenario)) for scenario in scenarios]
    cells = Confusion(
        *(
            pairs.count(cell)
            for cell in ((True, True), (True, False), (False, True), (False, False))
        )
    )
    return cells, len(scenarios) - cells.total


def _word(verdict: bool) -> str:
    return "yes" if verdict else "no"

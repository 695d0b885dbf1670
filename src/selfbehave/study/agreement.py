"""Each rater's share of yes, how far raters agree, and where the consensus overrules them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..core.four_criteria import CRITERIA, HIGH_QUALITY
from ..stats.coefficients import Confusion, cohen_kappa, confusion_of, gwet_ac1, krippendorff_alpha
from ..stats.estimates import Estimate
from ..stats.proportions import proportion
from .ratings import AUTOMATIC, CONSENSUS, Rating

__all__ = [
    "MEASURES",
    "Agreement",
    "GroupAgreement",
    "Overruling",
    "Proportion",
    "agreements",
    "group_agreements",
    "overrulings",
    "proportions",
    "verdicts_by_rater",
]

MEASURES = (*CRITERIA, HIGH_QUALITY)


@dataclass(frozen=True)
class Proportion:
    """How many of the scenarios they answered a rater says yes to."""

    dataset: str
    rater: str
    measure: str
    yes: int
    answered: int
    unanswered: int
    share: Estimate


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
    """A scenario on which all people agree but the consensus differs."""

    dataset: str
    scenario_id: str
    measure: str
    raters: tuple[str, ...]
    raters_say: bool
    note: str


def proportions(ratings: Sequence[Rating]) -> list[Proportion]:
    """Each rater's share of yes with its Wilson interval, by dataset and measure."""
    found = []
    for dataset, measure, by_rater in _by_measure(ratings):
        for rater, verdicts in by_rater.items():
            answers = [verdict for verdict in verdicts.values() if verdict is not None]
            yes, answered = sum(answers), len(answers)
            unanswered = len(verdicts) - answered
            found.append(
                Proportion(
                    dataset, rater, measure, yes, answered, unanswered, proportion(yes, answered)
                )
            )
    return found


def agreements(ratings: Sequence[Rating]) -> list[Agreement]:
    """The agreement of each pair of raters, consensus included, by dataset and measure."""
    found = []
    for dataset, measure, by_rater in _by_measure(ratings):
        for first, second in combinations(by_rater, 2):
            one, other = aligned = _aligned([by_rater[first], by_rater[second]])
            cells = confusion_of(zip(one, other, strict=True))
            found.append(
                Agreement(
                    dataset,
                    (first, second),
                    measure,
                    cells,
                    len(one) - cells.total,
                    proportion(cells.agreed, cells.total),
                    cohen_kappa(cells),
                    gwet_ac1(cells),
                    krippendorff_alpha(aligned),
                )
            )
    return found


def group_agreements(ratings: Sequence[Rating]) -> list[GroupAgreement]:
    """Krippendorff's alpha over all people, if there are more than two."""
    found = []
    for dataset, measure, by_rater in _by_measure(ratings):
        people = _people(by_rater)
        if len(people) > 2:
            alpha = krippendorff_alpha(_aligned([by_rater[rater] for rater in people]))
            found.append(GroupAgreement(dataset, people, measure, alpha))
    return found


def overrulings(ratings: Sequence[Rating]) -> list[Overruling]:
    """The scenarios where two or more people give one verdict and the consensus another."""
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


def _by_measure(
    ratings: Sequence[Rating],
) -> Iterable[tuple[str, str, dict[str, dict[str, bool | None]]]]:
    for dataset in dict.fromkeys(rating.dataset for rating in ratings):
        for measure in MEASURES:
            yield dataset, measure, verdicts_by_rater(ratings, dataset, measure)


def _people(raters: Iterable[str]) -> tuple[str, ...]:
    return tuple(rater for rater in raters if rater != CONSENSUS and rater not in AUTOMATIC)


def _aligned(raters: Sequence[Mapping[str, bool | None]]) -> list[list[bool | None]]:
    """Each rater's verdicts as a list, with the same scenarios in the same order for all."""
    scenarios = dict.fromkeys(scenario for verdicts in raters for scenario in verdicts)
    return [[verdicts.get(scenario) for scenario in scenarios] for verdicts in raters]

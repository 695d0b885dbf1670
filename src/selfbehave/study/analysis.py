"""The analysis of a study: everything a report shows, computed once from the ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import EXIT_USAGE, SelfBehaveError
from .agreement import (
    Agreement,
    GroupAgreement,
    Overruling,
    Proportion,
    agreements,
    group_agreements,
    overrulings,
    proportions,
)
from .comparison import Comparison, Region, compare, regions
from .ratings import AUTOMATIC, CONSENSUS, CRITERIA, Rating

__all__ = ["Analysis", "Coverage", "analyse"]


@dataclass(frozen=True)
class Coverage:
    """How much of a dataset's sample was rated.

    Attributes:
        scenarios: the number of scenarios with ratings, including empty ratings.
        raters: the raters with ratings in this dataset.
        by_nobody, by_one: the scenarios that no rater has answered, and those that exactly one has.
            The consensus and automatic raters do not count.
        incomplete: ratings with some, but not all, of the criteria answered.
        ill_formed: scenarios flagged by the reference rater.
    """

    dataset: str
    scenarios: int
    raters: tuple[str, ...]
    by_nobody: int
    by_one: int
    incomplete: int
    ill_formed: int


@dataclass(frozen=True)
class Analysis:
    """All figures of a study.

    Attributes:
        reference: the rater whose verdicts are used to compare datasets; None if there is none.
        notices: gaps in the data that a reader must know about, one sentence each.
    """

    coverage: tuple[Coverage, ...]
    raters: tuple[str, ...]
    reference: str | None
    proportions: tuple[Proportion, ...]
    agreements: tuple[Agreement, ...]
    group_agreements: tuple[GroupAgreement, ...]
    overrulings: tuple[Overruling, ...]
    comparisons: tuple[Comparison, ...]
    regions: tuple[Region, ...]
    notices: tuple[str, ...]

    @property
    def datasets(self) -> tuple[str, ...]:
        return tuple(coverage.dataset for coverage in self.coverage)


def analyse(ratings: Sequence[Rating], reference: str | None = None) -> Analysis:
    """Analyse the ratings of a study.

    Args:
        ratings: ratings of any datasets and raters, in any order. Datasets are compared in order
            of first appearance.
        reference: the rater whose verdicts are used to compare datasets and count regions. The
            default is the consensus, or the only rater.

    Raises:
        SelfBehaveError: there are no ratings, or `reference` has none.
    """
    if not ratings:
        raise SelfBehaveError("there are no ratings yet", mend="rate some scenarios first")
    raters = tuple(sorted(dict.fromkeys(rating.rater for rating in ratings), key=_standing))
    if reference is None:
        reference = CONSENSUS if CONSENSUS in raters else raters[0] if len(raters) == 1 else None
    elif reference not in raters:
        raise SelfBehaveError(
            f"there is no rater named '{reference}'",
            mend=f"the raters are {', '.join(raters)}",
            exit_code=EXIT_USAGE,
        )
    # Group by rater, so that pairs come in the order people, automatic raters, consensus.
    ordered = sorted(ratings, key=lambda rating: raters.index(rating.rater))
    datasets = list(dict.fromkeys(rating.dataset for rating in ratings))
    ordered.sort(key=lambda rating: datasets.index(rating.dataset))
    coverage = tuple(_coverage(ordered, dataset, reference) for dataset in datasets)
    return Analysis(
        coverage,
        raters,
        reference,
        tuple(proportions(ordered)),
        tuple(agreements(ordered)),
        tuple(group_agreements(ordered)),
        tuple(overrulings(ordered)),
        tuple(compare(ordered, reference)) if reference else (),
        tuple(regions(ordered, reference)) if reference else (),
        tuple(_notices(coverage, raters, reference)),
    )


def _standing(rater: str) -> int:
    return 2 if rater == CONSENSUS else 1 if rater in AUTOMATIC else 0


def _coverage(ratings: Sequence[Rating], dataset: str, reference: str | None) -> Coverage:
    raters: dict[str, None] = {}
    answered: dict[str, int] = {}
    incomplete = 0
    ill_formed = set()
    for rating in ratings:
        if rating.dataset != dataset:
            continue
        raters[rating.rater] = None
        count = sum(getattr(rating, name) is not None for name in CRITERIA)
        incomplete += 0 < count < len(CRITERIA)
        answered.setdefault(rating.scenario_id, 0)
        if _standing(rating.rater) == 0 and count:
            answered[rating.scenario_id] += 1
        if rating.ill_formed and rating.rater == reference:
            ill_formed.add(rating.scenario_id)
    counts = list(answered.values())
    return Coverage(
        dataset,
        len(answered),
        tuple(raters),
        counts.count(0),
        counts.count(1),
        incomplete,
        len(ill_formed),
    )


def _notices(
    coverage: Sequence[Coverage], raters: Sequence[str], reference: str | None
) -> list[str]:
    notices = []
    people = [rater for rater in raters if _standing(rater) == 0]
    for part in coverage:
        if part.by_nobody:
            notices.append(f"{part.dataset}: {_scenarios(part.by_nobody)} nobody has rated.")
        if part.by_one and len(people) > 1:
            notices.append(
                f"{part.dataset}: {_scenarios(part.by_one)} only one rater has rated; they count "
                "in proportions, not in agreement."
            )
        if part.incomplete:
            some = part.incomplete
            lacking = "1 rating lacks" if some == 1 else f"{some} ratings lack"
            notices.append(
                f"{part.dataset}: {lacking} an answer to some criterion; each criterion counts "
                "where it is answered."
            )
    if len(raters) == 1:
        notices.append(f"Only {raters[0]} has rated: there is no agreement to measure.")
    if reference is None:
        notices.append(
            "There is no consensus among the raters, so datasets are not compared and regions not "
            "counted; name the rater to go by."
        )
    elif len(coverage) == 1:
        notices.append("There is one dataset only: nothing to compare it with.")
    return notices


def _scenarios(count: int) -> str:
    return "1 scenario that" if count == 1 else f"{count} scenarios that"

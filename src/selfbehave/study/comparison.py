"""Comparing datasets by one rater's verdicts, and counting which criteria hold together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from ..stats.estimates import Estimate, undefined
from ..stats.significance import fisher, holm
from .agreement import MEASURES, verdicts_by_rater
from .ratings import CRITERIA, Rating

__all__ = ["Comparison", "Region", "compare", "regions"]


@dataclass(frozen=True)
class Comparison:
    """Fisher's exact test of one measure between two datasets.

    Attributes:
        yes: the number of scenarios with a yes in the first and the second dataset.
        answered: the number of answered scenarios in each.
        odds_ratio: the odds of the first against the second; may be infinite.
        p: the two-sided p-value; None if there is nothing to test.
        p_holm: the p-value with Holm's correction over all tests of the analysis.
    """

    datasets: tuple[str, str]
    measure: str
    yes: tuple[int, int]
    answered: tuple[int, int]
    odds_ratio: Estimate
    p: float | None
    p_holm: float | None


@dataclass(frozen=True)
class Region:
    """A region of the four criteria's Venn diagram: how many scenarios meet exactly these."""

    dataset: str
    holds: tuple[str, ...]
    count: int


def compare(ratings: Sequence[Rating], rater: str) -> list[Comparison]:
    """Compare each pair of datasets on each measure, using one rater's verdicts.

    Use Fisher's exact test, with Holm's correction over all of these tests.
    """
    datasets = list(dict.fromkeys(rating.dataset for rating in ratings))
    found = []
    for pair in combinations(datasets, 2):
        for measure in MEASURES:
            answers = [
                [
                    verdict
                    for verdict in verdicts_by_rater(ratings, dataset, measure)
                    .get(rater, {})
                    .values()
                    if verdict is not None
                ]
                for dataset in pair
            ]
            yes = (sum(answers[0]), sum(answers[1]))
            answered = (len(answers[0]), len(answers[1]))
            found.append((pair, measure, yes, answered, *_tested(yes, answered)))
    corrected = holm([p for *_, p in found])
    return [Comparison(*test, p_holm=p) for test, p in zip(found, corrected, strict=True)]


def regions(ratings: Sequence[Rating], rater: str) -> list[Region]:
    """Count the scenarios for each combination of criteria, by one rater, largest first.

    Only scenarios with all four criteria answered count.
    """
    counts: dict[str, Counter[tuple[str, ...]]] = {}
    for rating in ratings:
        if rating.rater == rater and all(getattr(rating, name) is not None for name in CRITERIA):
            holds = tuple(name for name in CRITERIA if getattr(rating, name))
            counts.setdefault(rating.dataset, Counter())[holds] += 1
    return [
        Region(dataset, holds, count)
        for dataset, by_region in counts.items()
        for holds, count in by_region.most_common()
    ]


def _tested(yes: tuple[int, int], answered: tuple[int, int]) -> tuple[Estimate, float | None]:
    if 0 in answered:
        return undefined("not rated in both datasets"), None
    if sum(yes) in (0, sum(answered)):
        word = "yes" if sum(yes) else "no"
        return undefined(f"always {word} in both datasets"), None
    return fisher(yes, answered)

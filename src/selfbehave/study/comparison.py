"""Datasets against each other by one rater's verdicts, and which criteria hold together."""

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
        yes: how many scenarios of the first and the second dataset have a yes.
        answered: how many are answered.
        odds_ratio: of the first against the second; may be infinite.
        p: two-sided; None where there is nothing to test.
        p_holm: the same by Holm's correction over all tests of the analysis.
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
    """A region of the Venn diagram of the four criteria: how many scenarios hold just these."""

    dataset: str
    holds: tuple[str, ...]
    count: int


def compare(ratings: Sequence[Rating], rater: str) -> list[Comparison]:
    """Every two datasets against each other on every measure, by one rater's verdicts.

    By Fisher's exact test, corrected by Holm over all of these tests.
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
    """How many scenarios hold which of the four criteria, by one rater; the largest first.

    Only scenarios of which all four are answered count.
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

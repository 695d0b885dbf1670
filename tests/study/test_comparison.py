"""Datasets against each other, and the regions of the criteria."""

from __future__ import annotations

from math import inf

import pytest

from selfbehave.study.comparison import Comparison, compare, regions
from selfbehave.study.ratings import CONSENSUS, Rating


def settled(dataset: str, yes: int, no: int, rater: str = CONSENSUS) -> list[Rating]:
    """Ratings of which so many are yes, and no, on every criterion."""
    verdicts = [True] * yes + [False] * no
    return [
        Rating(dataset, str(number), rater, verdict, verdict, verdict, verdict)
        for number, verdict in enumerate(verdicts)
    ]


def first(ratings: list[Rating]) -> Comparison:
    return compare(ratings, CONSENSUS)[0]


def test_the_odds_ratio_is_the_conditional_estimate_of_fishers_tea_tasting() -> None:
    # R's fisher.test(matrix(c(3, 1, 1, 3), 2)): p 0.4857, odds ratio 6.408, from 0.2117. The
    # upper end by hand: 1 − x⁴ / (1 + 16x + 36x² + 16x³ + x⁴) = 0.025 at x = 626.24.
    found = first([*settled("milk first", 3, 1), *settled("tea first", 1, 3)])
    assert found.p == pytest.approx(0.4857, abs=5e-5)
    ratio = found.odds_ratio
    assert (ratio.value, ratio.low) == pytest.approx((6.408, 0.2117), abs=5e-4)
    assert ratio.high == pytest.approx(626.24, abs=0.01)


def test_holms_correction_is_over_all_measures_and_never_below_the_p_itself() -> None:
    ratings = [*settled("a", 30, 10), *settled("b", 15, 25)]
    found = compare(ratings, CONSENSUS)
    assert len(found) == 5
    assert found[0].p is not None
    assert found[0].p_holm == pytest.approx(5 * found[0].p)


def test_a_criterion_that_never_varies_has_no_test_and_no_odds_ratio() -> None:
    found = first([*settled("a", 4, 0), *settled("b", 5, 0)])
    assert (found.p, found.p_holm, found.odds_ratio.value) == (None, None, None)
    assert found.odds_ratio.remark == "always yes in both datasets"


def test_an_infinite_odds_ratio_is_infinite_with_a_finite_lower_end() -> None:
    ratio = first([*settled("a", 6, 0), *settled("b", 2, 4)]).odds_ratio
    assert (ratio.value, ratio.high) == (inf, inf)
    assert ratio.low is not None
    assert 0 < ratio.low < inf
    assert ratio.remark.startswith("infinite")


def test_a_dataset_the_rater_has_not_rated_cannot_be_compared() -> None:
    found = first([*settled("a", 3, 3), *settled("b", 3, 3, rater="ann")])
    assert found.odds_ratio.remark == "not rated in both datasets"
    assert found.p is None


def test_every_two_datasets_are_compared_in_the_order_they_come_in() -> None:
    ratings = [*settled("c", 2, 1), *settled("a", 1, 2), *settled("b", 2, 2)]
    pairs = dict.fromkeys(one.datasets for one in compare(ratings, CONSENSUS))
    assert list(pairs) == [("c", "a"), ("c", "b"), ("a", "b")]


def test_regions_count_scenarios_with_all_four_criteria_answered_by_the_rater() -> None:
    ratings = [
        Rating("HG", "1", CONSENSUS, True, False, True, False),
        Rating("HG", "2", CONSENSUS, True, False, True, False),
        Rating("HG", "3", CONSENSUS, False, False, False, False),
        Rating("HG", "4", CONSENSUS, True, True, True, None),
        Rating("HG", "4", "ann", True, True, True, True),
    ]
    assert [(one.holds, one.count) for one in regions(ratings, CONSENSUS)] == [
        (("essential", "complete"), 2),
        ((), 1),
    ]

"""A total is estimated from a few items, with an interval that holds as often as it says."""

import random

import pytest

from selfbehave.stats.sample_totals import SampleTotal, sample_total, student_quantile, sum_of


@pytest.mark.parametrize(
    ("freedom", "quantile"),  # as printed in tables
    [(1, 12.706), (2, 4.303), (4, 2.776), (7, 2.365), (30, 2.042), (1000, 1.962)],
)
def test_quantiles_are_those_of_tables(freedom: int, quantile: float) -> None:
    assert student_quantile(0.975, freedom) == pytest.approx(quantile, abs=5e-4)


def test_items_that_are_all_alike_leave_no_doubt() -> None:
    whole = sum_of([sample_total([10.0] * 4, [2.0] * 4, goal=100)])
    assert (whole.value, whole.low, whole.high) == (500.0, 500.0, 500.0)


def test_what_is_reached_already_is_known_exactly() -> None:
    whole = sum_of([sample_total([3.0, 9.0], [1, 1], goal=2)])
    assert (whole.value, whole.low, whole.high) == (12.0, 12.0, 12.0)


def test_one_item_gives_no_interval() -> None:
    whole = sum_of([sample_total([3.0], [1], goal=10)])
    assert (whole.value, whole.low, whole.high) == (30.0, None, None)
    assert "single item" in whole.remark


def test_the_interval_of_a_sum_is_narrower_than_the_sum_of_intervals() -> None:
    part = SampleTotal(100.0, 25.0, 7)
    alone, both = sum_of([part]), sum_of([part, part])
    assert both.value == 200.0
    assert None not in (alone.low, alone.high, both.low, both.high)
    assert (both.high or 0) - (both.low or 0) < 2 * ((alone.high or 0) - (alone.low or 0))


def test_the_interval_holds_the_total_about_as_often_as_it_says() -> None:
    chance = random.Random(7)
    held = 0
    trials = 600
    for _ in range(trials):
        effects = [chance.choice([0, 1, 1, 2]) for _ in range(400)]
        sizes = [effect * 50 + chance.gauss(200, 40) for effect in effects]
        goal = sum(effects)
        if not sum(effects[:8]):
            continue
        whole = sum_of([sample_total(sizes[:8], effects[:8], goal)])
        held += (whole.low or 0) <= sum(sizes) <= (whole.high or 0)
    assert 0.88 < held / trials < 0.99

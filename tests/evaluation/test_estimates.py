"""rung@k is estimated without bias, and its interval comes from resampled scenarios."""

from __future__ import annotations

from itertools import combinations

import pytest

from selfbehave.evaluation.estimates import at_k, mean_at_k


@pytest.mark.parametrize(
    ("n", "good", "k"), [(5, 2, 1), (5, 2, 3), (6, 0, 4), (6, 6, 2), (4, 3, 2)]
)
def test_at_k_is_the_share_of_draws_with_a_good_answer(n: int, good: int, k: int) -> None:
    draws = list(combinations(range(n), k))
    share = sum(min(draw) < good for draw in draws) / len(draws)

    assert at_k(n, good, k) == pytest.approx(share)


@pytest.mark.parametrize(("n", "good", "k"), [(3, 1, 4), (3, 1, 0), (3, 4, 1), (3, -1, 1)])
def test_impossible_numbers_are_refused(n: int, good: int, k: int) -> None:
    with pytest.raises(ValueError, match="answers"):
        at_k(n, good, k)


def test_the_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    answers = [(4, 4)] * 30 + [(4, 0)] * 70

    first, again = mean_at_k(answers, 1), mean_at_k(answers, 1)

    assert first == again
    assert first.value == pytest.approx(0.3)
    # The normal approximation gives 0.3 ± 0.09.
    assert first.low == pytest.approx(0.21, abs=0.02)
    assert first.high == pytest.approx(0.39, abs=0.02)


def test_scenarios_that_all_score_alike_leave_no_doubt() -> None:
    estimate = mean_at_k([(2, 2), (5, 5)], 1)

    assert (estimate.low, estimate.high) == (1.0, 1.0)


def test_a_single_scenario_has_no_interval() -> None:
    estimate = mean_at_k([(4, 1)], 1)

    assert (estimate.value, estimate.low, estimate.high) == (0.25, None, None)


def test_no_scenarios_are_refused() -> None:
    with pytest.raises(ValueError, match="no scenarios"):
        mean_at_k([], 1)

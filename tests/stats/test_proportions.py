"""Proportions and their intervals."""

import pytest

from selfbehave.stats.proportions import proportion


def test_a_share_has_wilsons_interval_and_none_where_nothing_is_answered() -> None:
    # Newcombe (1998), table I: 81 of 263, score method without continuity correction.
    found = proportion(81, 263)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert proportion(0, 0).value is None

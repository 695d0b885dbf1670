"""Corrections of several tests at once."""

from __future__ import annotations

import pytest

from selfbehave.stats.significance import holm


def test_holm_corrects_over_the_tests_that_were_made_and_leaves_the_gaps() -> None:
    # The smallest by 3, the next by 2, and never below the one before it.
    assert holm([0.04, None, 0.01, 0.03]) == [
        pytest.approx(0.06),
        None,
        pytest.approx(0.03),
        pytest.approx(0.06),
    ]
    assert holm([None]) == [None]

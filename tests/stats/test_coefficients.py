"""Coefficients of agreement against other libraries, and what is undefined."""

from __future__ import annotations

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from selfbehave.stats.coefficients import (
    Confusion,
    cohen_kappa,
    gwet_ac1,
    interpretation,
    krippendorff_alpha,
)

counts = st.integers(0, 60)
confusions = st.builds(Confusion, counts, counts, counts, counts)


@given(confusions)
def test_kappa_is_that_of_statsmodels_and_lies_in_its_interval(cells: Confusion) -> None:
    found = cohen_kappa(cells)
    if found.value is None:
        assert cells.total in (0, cells.yes_yes, cells.no_no)
        return
    table = [[cells.yes_yes, cells.yes_no], [cells.no_yes, cells.no_no]]
    assert found.value == pytest.approx(cohens_kappa(table, return_results=False))
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


@given(confusions)
def test_no_coefficient_is_ever_nan(cells: Confusion) -> None:
    for estimate in (cohen_kappa(cells), gwet_ac1(cells)):
        if estimate.value is None:
            assert estimate.remark
        for figure in (estimate.value, estimate.low, estimate.high):
            assert figure is None or isfinite(figure)


@pytest.mark.parametrize(
    ("cells", "value", "error"),
    [
        # By irrCAC 0.4.4: Gwet's coefficient and its standard error.
        ((193, 33, 17, 43), 0.72578, 0.03964),
        ((100, 10, 5, 3), 0.84828, 0.04130),
    ],
)
def test_ac1_and_its_interval_are_those_of_irrcac(
    cells: tuple[int, int, int, int], value: float, error: float
) -> None:
    found = gwet_ac1(Confusion(*cells))
    assert found.value == pytest.approx(value, abs=5e-6)
    assert found.high == pytest.approx(value + 1.96 * error, abs=2e-5)


def test_where_nearly_all_say_yes_kappa_is_low_and_ac1_high() -> None:
    # Feinstein & Cicchetti's paradox: the same 90 % of agreement, with and without balance.
    skewed, balanced = Confusion(90, 5, 5, 0), Confusion(45, 5, 5, 45)
    low, high = cohen_kappa(skewed).value, gwet_ac1(skewed).value
    assert low is not None
    assert high is not None
    assert low < 0 < 0.85 < high
    assert cohen_kappa(balanced).value == pytest.approx(0.8)


def test_alpha_of_three_raters_with_gaps_is_krippendorffs_own() -> None:
    # Krippendorff (2011), "Computing Krippendorff's alpha-reliability", part A: two observers,
    # ten units, binary: alpha = 0.095.
    first = [bool(int(value)) for value in "0100000000"]
    second = [bool(int(value)) for value in "1110010010"]
    found = krippendorff_alpha([[*first, None], [*second, None], [*[None] * len(first), True]])
    assert found.value == pytest.approx(0.095, abs=5e-4)


@pytest.mark.parametrize(
    ("kappa", "word"),
    [
        (-0.01, "poor"),
        (0, "slight"),
        (0.2, "slight"),
        (0.21, "fair"),
        (0.6, "moderate"),
        (0.61, "substantial"),
        (0.81, "almost perfect"),
        (1, "almost perfect"),
    ],
)
def test_words_for_kappa_are_those_of_landis_and_koch(kappa: float, word: str) -> None:
    assert interpretation(kappa) == word

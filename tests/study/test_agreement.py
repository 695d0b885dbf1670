"""Agreement of raters: coefficients against other libraries, and what is undefined."""

from __future__ import annotations

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from selfbehave.study.agreement import (
    Agreement,
    Confusion,
    agreements,
    cohen_kappa,
    group_agreements,
    gwet_ac1,
    krippendorff_alpha,
    overrulings,
    proportions,
    share,
)
from selfbehave.study.analysis import interpretation
from selfbehave.study.ratings import CONSENSUS, Rating

counts = st.integers(0, 60)
confusions = st.builds(Confusion, counts, counts, counts, counts)


def rated(rater: str, *verdicts: bool | None, dataset: str = "HG", note: str = "") -> list[Rating]:
    """Ratings of scenarios 1, 2, … that say the same of every criterion."""
    return [
        Rating(dataset, str(number), rater, verdict, verdict, verdict, verdict, note=note)
        for number, verdict in enumerate(verdicts, start=1)
    ]


def essential(ratings: list[Rating]) -> Agreement:
    (found,) = [one for one in agreements(ratings) if one.measure == "essential"]
    return found


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


@pytest.mark.parametrize(
    ("verdicts", "reason"),
    [(True, "both always say yes"), (False, "both always say no"), (None, "no scenario answered")],
)
def test_kappa_of_a_criterion_that_never_varies_is_undefined_in_words(
    verdicts: bool | None, reason: str
) -> None:
    found = essential(rated("ann", *[verdicts] * 5) + rated("bob", *[verdicts] * 5))
    assert found.kappa.value is None
    assert reason in found.kappa.remark
    assert found.alpha.value is None


def test_where_one_rater_never_varies_kappa_says_that_it_can_only_be_0() -> None:
    found = essential(rated("ann", True, True, True) + rated("bob", True, False, True)).kappa
    assert found.value == 0
    assert found.remark == "the first always says yes, so kappa can only be 0"


def test_scenarios_not_answered_by_both_are_counted_apart() -> None:
    found = essential(rated("ann", True, False, None, True) + rated("bob", True, True, True))
    assert found.confusion == Confusion(1, 0, 1, 0)
    assert found.unpaired == 2


def test_every_two_raters_are_a_pair_and_more_than_two_a_group() -> None:
    ratings = [
        rating
        for rater in ("ann", "bob", "cid", "auto", CONSENSUS)
        for rating in rated(rater, True, False)
    ]
    assert len({one.raters for one in agreements(ratings)}) == 10
    assert {one.raters for one in group_agreements(ratings)} == {("ann", "bob", "cid")}
    assert group_agreements(rated("ann", True) + rated("bob", True)) == []


def test_alpha_of_three_raters_with_gaps_is_krippendorffs_own() -> None:
    # Krippendorff (2011), "Computing Krippendorff's alpha-reliability", part A: two observers,
    # ten units, binary: alpha = 0.095.
    first = [bool(int(value)) for value in "0100000000"]
    second = [bool(int(value)) for value in "1110010010"]
    found = krippendorff_alpha(
        [{str(n): verdict for n, verdict in enumerate(verdicts)} for verdicts in (first, second)]
        + [{"99": True}]
    )
    assert found.value == pytest.approx(0.095, abs=5e-4)


def test_a_share_has_wilsons_interval_and_none_where_nothing_is_answered() -> None:
    # Newcombe (1998), table I: 81 of 263, score method without continuity correction.
    found = share(81, 263)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    (empty, *_) = proportions(rated("ann", None, None))
    assert (empty.share.value, empty.unanswered) == (None, 2)


def test_the_consensus_overrules_only_people_that_agreed() -> None:
    ratings = [
        *rated("ann", True, True, False, True),
        *rated("bob", True, False, False, None),
        *rated("auto", False, False, False, False),
        *rated(CONSENSUS, False, False, True, False, note="a reason"),
    ]
    found = [one for one in overrulings(ratings) if one.measure == "singular"]
    assert [(one.scenario_id, one.raters, one.raters_say) for one in found] == [
        ("1", ("ann", "bob"), True),
        ("3", ("ann", "bob"), False),
    ]
    assert {one.note for one in found} == {"a reason"}


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

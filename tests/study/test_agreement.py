"""Agreement of raters: pairs and groups of them, and where a consensus overrules them."""

from __future__ import annotations

import pytest

from selfbehave.stats.coefficients import Confusion
from selfbehave.study.agreement import (
    Agreement,
    agreements,
    group_agreements,
    overrulings,
    proportions,
)
from selfbehave.study.ratings import CONSENSUS, Rating


def rated(rater: str, *verdicts: bool | None, dataset: str = "HG", note: str = "") -> list[Rating]:
    """Ratings of scenarios 1, 2, … that say the same of every criterion."""
    return [
        Rating(dataset, str(number), rater, verdict, verdict, verdict, verdict, note=note)
        for number, verdict in enumerate(verdicts, start=1)
    ]


def essential(ratings: list[Rating]) -> Agreement:
    (found,) = [one for one in agreements(ratings) if one.measure == "essential"]
    return found


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


def test_what_nobody_answered_has_no_share() -> None:
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

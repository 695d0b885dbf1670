"""The analysis gives every published figure, to the digits they are printed with."""

from __future__ import annotations

from functools import cache

import pytest

from selfbehave.study.analysis import Analysis, analyse
from selfbehave.study.exchange import read_ratings
from selfbehave.study.ratings import CONSENSUS
from tests.helpers.published import PUBLISHED, needs_published

pytestmark = needs_published

MEASURES = ("essential", "singular", "complete", "integrous", "high_quality")


@cache
def published() -> Analysis:
    return analyse(read_ratings(PUBLISHED / "Annotation.xlsx"))


def printed(figure: float | None, digits: int) -> str:
    """A figure as the publication prints it, without the zero before the point."""
    assert figure is not None
    return f"{figure:.{digits}f}".replace("0.", ".", 1)


def test_the_annotation_sheet_has_two_datasets_of_286_scenarios_each_rated_by_three() -> None:
    analysis = published()
    assert [(part.dataset, part.scenarios, part.raters) for part in analysis.coverage] == [
        ("HG", 286, ("1", "2", CONSENSUS)),
        ("MG", 286, ("1", "2", CONSENSUS)),
    ]
    assert {one.answered for one in analysis.proportions} == {286}
    assert analysis.notices == ()


@pytest.mark.parametrize(
    ("measure", "hg", "mg"),
    [
        ("essential", (226, 210, 242), (241, 154, 234)),
        ("singular", (198, 235, 218), (173, 214, 163)),
        ("complete", (256, 272, 257), (269, 266, 262)),
        ("integrous", (259, 235, 233), (136, 182, 136)),
        ("high_quality", (182, 178, 184), (125, 116, 117)),
    ],
)
def test_each_rater_says_yes_as_often_as_published(
    measure: str, hg: tuple[int, ...], mg: tuple[int, ...]
) -> None:
    counts = {
        (one.dataset, one.rater): one.yes
        for one in published().proportions
        if one.measure == measure
    }
    assert tuple(counts["HG", rater] for rater in ("1", "2", CONSENSUS)) == hg
    assert tuple(counts["MG", rater] for rater in ("1", "2", CONSENSUS)) == mg


@pytest.mark.parametrize(
    ("dataset", "measure", "kappa", "low", "high"),
    [
        ("HG", "essential", ".4621", ".34", ".59"),
        ("HG", "singular", ".4703", ".35", ".59"),
        ("HG", "complete", ".3668", ".13", ".60"),
        ("HG", "integrous", ".1517", "-.04", ".35"),
        ("HG", "high_quality", ".6703", ".58", ".76"),
        ("MG", "essential", ".2692", ".15", ".39"),
        ("MG", "singular", ".5238", ".42", ".63"),
        ("MG", "complete", ".4512", ".21", ".69"),
        ("MG", "integrous", ".5307", ".43", ".63"),
        ("MG", "high_quality", ".6920", ".61", ".78"),
    ],
)
def test_kappa_and_its_interval_are_as_published(
    dataset: str, measure: str, kappa: str, low: str, high: str
) -> None:
    (found,) = [
        one.kappa
        for one in published().agreements
        if (one.dataset, one.measure, one.raters) == (dataset, measure, ("1", "2"))
    ]
    assert printed(found.value, 4) == kappa
    assert (printed(found.low, 2), printed(found.high, 2)) == (low, high)


@pytest.mark.parametrize(
    ("measure", "odds_ratio", "p"),
    [
        ("essential", "1.2218", ".434"),
        ("singular", "2.4154", "1.50e-06"),
        ("complete", ".8121", ".564"),
        ("integrous", "4.8344", "1.67e-17"),
        ("high_quality", "2.6011", "2.83e-08"),
    ],
)
def test_fishers_test_on_the_consensus_is_as_published(
    measure: str, odds_ratio: str, p: str
) -> None:
    (found,) = [one for one in published().comparisons if one.measure == measure]
    assert found.datasets == ("HG", "MG")
    assert printed(found.odds_ratio.value, 4) == odds_ratio
    assert found.p is not None
    assert (f"{found.p:.2e}" if "e" in p else printed(found.p, 3)) == p


@pytest.mark.parametrize(
    ("dataset", "regions"),
    [
        (
            "HG",
            "ESCI 184, ECI 23, ESC 12, SCI 11, EC 10, CI 6, C 6, SC 5, EI 5, ESI 4, E 2, ES 2, "
            "none 16",
        ),
        (
            "MG",
            "ESCI 117, EC 74, C 26, ESC 26, SC 7, SCI 6, ESI 5, ECI 5, E 3, ES 2, EI 2, CI 1, "
            "none 12",
        ),
    ],
)
def test_the_venn_regions_of_the_consensus_are_as_published(dataset: str, regions: str) -> None:
    wanted = dict(region.split(" ") for region in regions.split(", "))
    found = {
        "".join(name[0].upper() for name in one.holds) or "none": str(one.count)
        for one in published().regions
        if one.dataset == dataset
    }
    assert found == wanted

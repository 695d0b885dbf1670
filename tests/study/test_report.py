"""The analysis as tables, CSV files, figures and a page, with whatever the ratings lack."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from selfbehave.core.errors import SelfBehaveError
from selfbehave.study.analysis import analyse
from selfbehave.study.ratings import CONSENSUS, Rating
from selfbehave.study.report_page import write_page
from selfbehave.study.study_figures import write_figures
from selfbehave.study.study_tables import print_tables, write_csv

HOSTILE = "<script>alert(1)</script> $x$ =1+1 \x1b[31m"


def varied(dataset: str, rater: str, seed: int = 0, scenarios: int = 12) -> list[Rating]:
    ratings = []
    for number in range(scenarios):
        one, two, three, four = ((number * step + seed) % 3 != 0 for step in (1, 2, 4, 5))
        ratings.append(Rating(dataset, str(number), rater, one, two, three, four))
    return ratings


def a_study(first: str = "HG", second: str = "MG", rater: str = "ann") -> list[Rating]:
    return [
        *varied(first, rater),
        *varied(first, "bob", 1),
        *varied(first, CONSENSUS),
        *varied(second, rater, 2),
        *varied(second, "bob", 2),
        *varied(second, CONSENSUS, 1),
    ]


ALWAYS_YES = [
    Rating("HG", str(number), rater, True, True, True, True)
    for rater in ("ann", "bob", CONSENSUS)
    for number in range(4)
]
STUDIES = {
    "whole": a_study(),
    "one rater": varied("HG", "ann"),
    "no consensus": [*varied("HG", "ann"), *varied("HG", "bob", 1)],
    "nobody rated": [Rating("HG", "1", "ann"), Rating("HG", "2", "bob")],
    "always yes": ALWAYS_YES,
    "one scenario": ALWAYS_YES[::4],
    "always yes against varied": [*ALWAYS_YES, *varied("MG", CONSENSUS)],
    "half answered": [*varied("HG", "ann"), Rating("HG", "20", "bob", True, None, False, None)],
    "three people and two programs": [
        rating
        for seed, rater in enumerate(("ann", "bob", "cid", "auto", "llm", CONSENSUS))
        for rating in varied("HG", rater, seed)
    ],
    "four datasets": [
        rating for number in range(4) for rating in varied(f"set {number}", CONSENSUS, number)
    ],
    "hostile names": a_study(HOSTILE, "'=" + HOSTILE, HOSTILE),
}


class _Page(HTMLParser):
    """What a page refers to, which tags it has, and whether its tags are paired."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "link", "br", "img", "mspace"):
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href"):
                self.references.append(value or "")
            self.references += re.findall(r"url\(([^)]*)\)", value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def printed(ratings: list[Rating], width: int = 120) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False)
    print_tables(analyse(ratings), console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@given(
    st.lists(
        st.builds(
            Rating,
            st.sampled_from(["HG", "MG", "XG"]),
            st.sampled_from("1234"),
            st.sampled_from(["ann", "bob", "auto", CONSENSUS]),
            *[st.none() | st.booleans()] * 4,
        ),
        min_size=1,
        max_size=30,
        unique_by=lambda rating: (rating.dataset, rating.scenario_id, rating.rater),
    )
)
@settings(max_examples=30)
def test_whatever_the_ratings_the_tables_have_no_nan(ratings: list[Rating]) -> None:
    assert not re.search(r"\bnan\b|\bNone\b", printed(ratings))


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_can_be_reported_and_no_figure_is_nan(name: str, tmp_path: Path) -> None:
    analysis = analyse(STUDIES[name])
    write_page(analysis, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    texts = [path.read_text() for path in write_csv(analysis, tmp_path)]
    for text in (printed(STUDIES[name]), page, *texts):
        assert not re.search(r"\bnan\b|\bNone\b", text)
    assert _Page(page).open == []


def test_figures_are_png_and_svg_and_the_same_each_time(tmp_path: Path) -> None:
    analysis = analyse(STUDIES["hostile names"])
    first, second = (write_figures(analysis, tmp_path / folder) for folder in "ab")
    assert len(first) == 10
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        if one.suffix == ".svg":
            ElementTree.parse(one)
        else:
            assert one.read_bytes().startswith(b"\x89PNG")


def test_datasets_whose_names_are_cut_to_the_same_are_drawn_apart(tmp_path: Path) -> None:
    long = "a dataset with a long name, and the"
    analysis = analyse(a_study(f"{long} first", f"{long} second"))
    drawing = next(one for one in write_figures(analysis, tmp_path) if one.name == "criteria.svg")
    assert "a dataset with a lo…" in drawing.read_text()
    assert "a dataset with a lo… (2)" in drawing.read_text()


def test_the_page_stands_alone_and_its_parts_refer_to_each_other(tmp_path: Path) -> None:
    write_page(analyse(STUDIES["whole"]), tmp_path / "report.html")
    page = _Page((tmp_path / "report.html").read_text())
    assert "script" not in page.tags
    assert len(page.ids) == len(set(page.ids))
    assert {reference.removeprefix("#") for reference in page.references} <= set(page.ids)


def test_names_are_text_wherever_they_are_shown(tmp_path: Path) -> None:
    analysis = analyse(STUDIES["hostile names"])
    write_page(analysis, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in printed(STUDIES["hostile names"])
    for path in write_csv(analysis, tmp_path):
        for row in csv.reader(StringIO(path.read_text(), newline="")):
            assert not [cell for cell in row if cell.startswith(("=", "+", "@"))]


def test_the_terminal_says_in_words_why_kappa_is_undefined() -> None:
    text = printed(ALWAYS_YES)
    assert "undefined: both always say yes" in text
    assert "There is one dataset only: nothing to compare it with." in text


@pytest.mark.parametrize(
    ("name", "notice"),
    [
        ("one rater", "Only ann has rated: there is no agreement to measure."),
        ("no consensus", "There is no consensus among the raters, so datasets are not compared"),
        ("nobody rated", "HG: 2 scenarios that nobody has rated."),
        ("half answered", "HG: 13 scenarios that only one rater has rated"),
        ("half answered", "HG: 1 rating lacks an answer to some criterion"),
    ],
)
def test_what_the_ratings_lack_is_said(name: str, notice: str) -> None:
    assert any(text.startswith(notice) for text in analyse(STUDIES[name]).notices)


def test_without_a_consensus_a_rater_can_be_named_to_compare_by() -> None:
    ratings = [*varied("HG", "ann"), *varied("HG", "bob"), *varied("MG", "bob", 1)]
    assert analyse(ratings).comparisons == ()
    assert len(analyse(ratings, "bob").comparisons) == 5
    with pytest.raises(
        SelfBehaveError, match="there is no rater named 'cid' — the raters are ann, bob"
    ):
        analyse(ratings, "cid")
    with pytest.raises(SelfBehaveError, match="there are no ratings yet"):
        analyse([])


def test_csv_files_have_every_figure_in_full(tmp_path: Path) -> None:
    analysis = analyse(STUDIES["whole"])
    files = {path.stem: path for path in write_csv(analysis, tmp_path)}
    assert set(files) == {"proportions", "agreement", "overruled", "comparison", "regions"}
    rows = list(csv.DictReader(StringIO(files["agreement"].read_text(), newline="")))
    assert [float(row["kappa"]) for row in rows] == [one.kappa.value for one in analysis.agreements]

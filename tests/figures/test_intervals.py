"""Estimates as marks with intervals: what is off the scale, undefined, and in which order."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from selfbehave.figures.intervals import Mark, Series, interval_layers, rows_height
from selfbehave.figures.palette import INK, ON_PAGE, PAPER, SERIES, colour
from selfbehave.figures.vega import inline, panel_chart, side_by_side, svg
from selfbehave.stats.estimates import Estimate, undefined

X = {
    "type": "quantitative",
    "title": None,
    "scale": {"type": "linear", "domain": [0, 1], "nice": False},
    "axis": {},
}
ONE = [Series("one", INK, "circle", INK)]


def panel(*marks: Mark, rows: tuple[str, ...] = ("a",), series: list[Series] = ONE) -> Any:
    layers = interval_layers(marks, rows, series, X, {"columns": 2})
    return {"height": rows_height(len(series)), "layer": layers}


def values(panel: Any) -> list[list[dict[str, Any]]]:
    return [layer["data"]["values"] for layer in panel["layer"]]


def places(image: str) -> dict[str, float]:
    """How far down each text of a drawing stands."""
    found: dict[str, float] = {}

    def look(node: ElementTree.Element, down: float) -> None:
        for shift in re.findall(r"translate\([^,]*,([^)]*)\)", node.get("transform", "")):
            down += float(shift)
        if node.tag.endswith("text") and node.text:
            found[node.text] = down
        for inner in node:
            look(inner, down)

    look(ElementTree.fromstring(image), 0.0)
    return found


def test_a_mark_and_its_interval_are_drawn_where_they_are() -> None:
    rules, points, arrows, words = values(panel(Mark("a", "one", Estimate(0.5, 0.4, 0.7))))
    assert [(one["low"], one["high"]) for one in rules] == [(0.4, 0.7)]
    assert [(one["value"], one["words"]) for one in points] == [(0.5, "a, one: 0.50 [0.40,0.70]")]
    assert (arrows, words) == ([], [])


def test_what_is_off_the_scale_is_an_arrow_at_its_end_and_the_interval_is_cut_there() -> None:
    infinite = Estimate(float("inf"), 0.8, float("inf"))
    rules, points, arrows, _ = values(
        panel(Mark("a", "one", infinite), Mark("b", "one", Estimate(-2.0, -3.0, -1.0)))
    )
    assert [(one["low"], one["high"]) for one in rules] == [(0.8, 1), (0, 0)]
    assert points == []
    assert [(one["arrow"], one["value"]) for one in arrows] == [
        ("triangle-right", 1),
        ("triangle-left", 0),
    ]


def test_an_undefined_estimate_is_its_reason_in_words() -> None:
    *drawn, words = values(panel(Mark("a", "one", undefined("both always say yes"))))
    assert drawn == [[], [], []]
    assert [one["words"] for one in words] == ["undefined: both always say yes"]


def test_an_estimate_without_an_interval_is_a_mark_alone() -> None:
    rules, points, _, _ = values(panel(Mark("a", "one", Estimate(0.5, remark="one scenario"))))
    assert (rules, len(points)) == ([], 1)


def test_rows_stay_in_their_order_though_only_some_have_marks_of_a_kind() -> None:
    whole = panel(
        Mark("last", "one", Estimate(0.5, 0.4, 0.6)),
        Mark("a second", "one", Estimate(2.0)),
        Mark("first", "one", undefined("none")),
        rows=("first", "a second", "last"),
    )
    down = places(svg(panel_chart(whole)))
    assert down["first"] < down["a second"] < down["last"]
    assert "undefined: none" in down


def test_panels_side_by_side_have_scales_of_their_own() -> None:
    one, other = (
        panel(Mark("a", name, Estimate(0.5)), series=[Series(name, INK, "circle", INK)])
        for name in ("one", "other")
    )
    alone = re.search(r'viewBox="0 0 \S+ (\S+)"', svg(side_by_side([one], 2)))
    beside = re.search(r'viewBox="0 0 \S+ (\S+)"', svg(side_by_side([one, other], 2)))
    assert alone is not None
    assert beside is not None
    assert beside[1] == alone[1], "as high as each alone"


def test_a_figure_on_a_page_has_the_pages_colours_only() -> None:
    series = [
        Series(str(number), colour(number), "square", PAPER if number % 2 else colour(number))
        for number in range(len(SERIES))
    ]
    marks = [Mark("a", one.name, Estimate(0.5, 0.4, 0.6)) for one in series]
    image = inline(panel_chart(panel(*marks, series=series)), "in words", "figure")
    assert not [one for one in ON_PAGE if one in image]
    assert not re.search(r"#[0-9a-f]{6}\b", image.replace("&#", ""))
    assert 'aria-label="in words"' in image

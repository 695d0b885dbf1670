"""A chart of estimates with intervals: one row per question, one mark per series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..stats.estimates import Estimate
from ..stats.number_text import interval_text, number_text
from .palette import MUTED

__all__ = ["Mark", "Series", "interval_layers", "names_on_axis", "rows_height"]

_ROW = 30  # pixels of a row with up to two series
_MORE = 8  # pixels for each further series


@dataclass(frozen=True)
class Mark:
    """An estimate with the names of its row and its series."""

    row: str
    series: str
    estimate: Estimate


@dataclass(frozen=True)
class Series:
    """How the marks of a series look."""

    name: str
    colour: str
    shape: str
    fill: str


def names_on_axis(field: str, names: Sequence[str], **scale: Any) -> dict[str, Any]:
    """Return the encoding of names on an axis, in this order.

    If layers have different data, Vega-Lite ignores a `sort` but respects a domain.
    """
    return {
        "field": field,
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(names), **scale},
    }


def rows_height(series: int) -> dict[str, Any]:
    """Return the row height of a chart with the given number of series."""
    return {"step": (_ROW + _MORE * max(0, series - 2)) / series, "for": "offset"}


def interval_layers(
    marks: Sequence[Mark],
    rows: Sequence[str],
    series: Sequence[Series],
    x: Mapping[str, Any],
    legend: Mapping[str, Any] | None,
) -> list[dict[str, Any]]:
    """Return the layers of marks with intervals.

    A value outside the scale appears as an arrow at the end of the scale. For an undefined
    estimate, the chart shows the reason as text.

    Args:
        rows: the names of the rows, from top to bottom.
        x: the encoding of the x axis; its scale must have a domain.
        legend: the legend of the series, or None.
    """
    names = [one.name for one in series]
    where = {"y": names_on_axis("row", rows), "yOffset": names_on_axis("series", names)}

    def by_series(values: Sequence[str]) -> dict[str, Any]:
        return {
            "field": "series",
            "type": "nominal",
            "title": None,
            "scale": {"domain": names, "range": list(values)},
            "legend": legend,
        }

    colours = by_series([one.colour for one in series])
    look = {"stroke": colours, "fill": by_series([one.fill for one in series])}
    low, high = x["scale"]["domain"]
    values = [_values(mark, low, high) for mark in marks if mark.estimate.value is not None]
    undefined = [
        {"row": mark.row, "series": mark.series, "words": f"undefined: {mark.estimate.remark}"}
        for mark in marks
        if mark.estimate.value is None
    ]
    point = {"type": "point", "size": 62, "strokeWidth": 1.7, "opacity": 1}
    end = {"field": "high", "type": "quantitative"}
    return [
        {
            "data": {"values": [value for value in values if "low" in value]},
            "mark": {"type": "rule", "size": 2.2, "strokeCap": "round", "aria": False},
            "encoding": {**where, "x": {**x, "field": "low"}, "x2": end, "stroke": colours},
        },
        {
            "data": {"values": [value for value in values if "arrow" not in value]},
            "mark": point,
            "encoding": {
                **where,
                **look,
                "x": {**x, "field": "value"},
                "shape": by_series([one.shape for one in series]),
                "description": {"field": "words"},
            },
        },
        {
            "data": {"values": [value for value in values if "arrow" in value]},
            "mark": point,
            "encoding": {
                **where,
                **look,
                "x": {**x, "field": "value"},
                "shape": {"field": "arrow", "type": "nominal", "scale": None, "legend": None},
                "description": {"field": "words"},
            },
        },
        {
            "data": {"values": undefined},
            "mark": {
                "type": "text",
                "align": "left",
                "fontSize": 9.5,
                "fontStyle": "italic",
                "color": MUTED,
            },
            "encoding": {**where, "x": {"value": 6}, "text": {"field": "words"}},
        },
    ]


def _values(mark: Mark, low: float, high: float) -> dict[str, Any]:
    """Return the values to draw for a mark, clipped to the scale."""
    estimate = mark.estimate
    assert estimate.value is not None
    figures = f"{number_text(estimate.value)} {interval_text(estimate)}".strip()
    values: dict[str, Any] = {
        "row": mark.row,
        "series": mark.series,
        "value": min(max(estimate.value, low), high),
        "words": f"{mark.row}, {mark.series}: {figures}",
    }
    if estimate.low is not None and estimate.high is not None:
        values["low"] = min(max(estimate.low, low), high)
        values["high"] = min(max(estimate.high, low), high)
    if not low <= estimate.value <= high:
        values["arrow"] = "triangle-right" if estimate.value > high else "triangle-left"
    return values

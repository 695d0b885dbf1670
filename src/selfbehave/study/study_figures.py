"""The analysis as figures: shares of yes, agreement, odds ratios, and an UpSet plot.

Each figure is a row of narrow panels, so that a page can arrange them to fit its width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.files import write_bytes, write_text
from ..core.four_criteria import CRITERIA
from ..figures.intervals import Mark, Series, interval_layers, names_on_axis, rows_height
from ..figures.palette import BAND, GRID, INK, MUTED, PAPER, colour, shape
from ..figures.vega import label, png, quantity, side_by_side, svg, title
from ..stats.coefficients import BANDS
from ..stats.number_text import p_text
from .agreement import MEASURES, Agreement
from .analysis import Analysis
from .comparison import Comparison
from .naming import pair_title, title_of, whose
from .ratings import CONSENSUS

__all__ = ["PanelFigure", "figures", "write_figures"]

Panel = Mapping[str, Any]
"""A part of a figure: what Vega-Lite needs to know of it, beside what all figures share."""

_COLUMNS = 3  # columns of panels in a file
_LONGEST_NAME = 20  # characters
_KAPPA, _AC1 = "Cohen's κ", "Gwet's AC1"
_MATRIX_WIDTH, _BARS_WIDTH = 110, 230  # pixels
_MOST_TICKS = 8


@dataclass(frozen=True)
class PanelFigure:
    """A figure: the name for its files, a description, and its panels."""

    name: str
    text: str
    panels: tuple[Panel, ...]


def figures(analysis: Analysis) -> list[PanelFigure]:
    """The figures that have data."""
    by_reference = whose(analysis)
    found = [
        PanelFigure(
            "proportions",
            "Share of scenarios each rater says yes to, by criterion and dataset, with 95% "
            "intervals.",
            tuple(_shares(analysis, rater) for rater in analysis.raters),
        ),
        PanelFigure(
            "agreement",
            "Cohen's kappa and Gwet's AC1 of each two raters, by criterion and dataset, with 95% "
            "intervals. Where kappa is far below AC1, nearly all verdicts are alike. An arrow "
            "points to what is off the scale.",
            tuple(_agreements(analysis, with_consensus=False)),
        ),
        PanelFigure(
            "agreement_with_consensus",
            "Cohen's kappa and Gwet's AC1 of each rater with the consensus.",
            tuple(_agreements(analysis, with_consensus=True)),
        ),
        PanelFigure(
            "odds_ratios",
            f"Odds ratios of a yes between datasets by {by_reference}, with 95% intervals.",
            tuple(
                _odds(pair, [one for one in analysis.comparisons if one.datasets == pair])
                for pair in dict.fromkeys(one.datasets for one in analysis.comparisons)
            ),
        ),
        PanelFigure(
            "criteria",
            f"UpSet plot: how many scenarios hold which of the four criteria, by {by_reference}.",
            (_upset(analysis),) if analysis.regions else (),
        ),
    ]
    return [figure for figure in found if figure.panels]


def write_figures(analysis: Analysis, folder: Path) -> list[Path]:
    """Write each figure to a folder as PNG and SVG; return the files."""
    written = []
    for figure in figures(analysis):
        whole = side_by_side(figure.panels, _COLUMNS)
        image, drawing = (folder / f"{figure.name}.{kind}" for kind in ("png", "svg"))
        write_bytes(image, png(whole))
        write_text(drawing, svg(whole))
        written += [image, drawing]
    return written


def _shares(analysis: Analysis, rater: str) -> Panel:
    names = _names(analysis.datasets)
    named = "The consensus" if rater == CONSENSUS else f"Rater {_short(rater)}"
    marks = [
        Mark(title_of(one.measure), names[one.dataset], one.share)
        for one in analysis.proportions
        if one.rater == rater
    ]
    series = [
        Series(name, colour(number), shape(number), colour(number))
        for number, name in enumerate(names.values())
    ]
    x = _scale_and_axis([0, 1], _number_axis(format=".0%"))
    return {
        "title": title(f"{named} says yes"),
        "height": rows_height(len(series)),
        "layer": interval_layers(marks, _ROWS, series, x, _legend(list(names.values()))),
    }


def _agreements(analysis: Analysis, *, with_consensus: bool) -> Iterator[Panel]:
    pairs: dict[tuple[str, tuple[str, str]], list[Agreement]] = {}
    for one in analysis.agreements:
        if (CONSENSUS in one.raters) == with_consensus:
            pairs.setdefault((one.dataset, one.raters), []).append(one)
    # Order by pair first, so that a pair's datasets appear side by side.
    order = list(dict.fromkeys(raters for _, raters in pairs))
    for dataset, raters in sorted(pairs, key=lambda pair: order.index(pair[1])):
        text = f"{pair_title(tuple(map(_short, raters)))} in {_short(dataset)}"
        number = analysis.datasets.index(dataset)
        yield _agreement(pairs[dataset, raters], text, colour(number), shape(number))


def _agreement(found: Sequence[Agreement], text: str, colour: str, shape: str) -> Panel:
    lows = [one.low for each in found for one in (each.kappa, each.ac1) if one.low is not None]
    # Marks far below 0 need not be distinguishable, and the bands need the space.
    left = max(-0.25, min([-0.05, *(low - 0.03 for low in lows)]))
    marks = [
        Mark(title_of(one.measure), name, estimate)
        for one in found
        for name, estimate in ((_KAPPA, one.kappa), (_AC1, one.ac1))
    ]
    series = [Series(_KAPPA, colour, shape, colour), Series(_AC1, colour, shape, PAPER)]
    axis = _number_axis(grid=False, values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f")
    x = _scale_and_axis([left, 1.01], axis)
    legend = _legend([_KAPPA, _AC1], offset=28)
    return {
        "title": title(text),
        "height": rows_height(len(series)),
        "layer": [*_bands(x), *interval_layers(marks, _ROWS, series, x, legend)],
    }


def _bands(x: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The Landis & Koch bands behind the marks, with labels; every other band is tinted."""
    lower = [0.0, *(upper for upper, _ in BANDS)]
    values: list[dict[str, Any]] = [
        {"from": low, "to": upper, "middle": (low + upper) / 2, "words": word.split()}
        for low, (upper, word) in zip(lower, BANDS, strict=False)
    ]
    words = {
        "type": "text",
        "baseline": "line-bottom",
        "fontSize": 7.8,
        "lineHeight": 9,
        "color": MUTED,
        "aria": False,
    }
    return [
        {
            "data": {"values": values[::2]},
            "mark": {"type": "rect", "color": BAND, "aria": False},
            "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "to"}},
        },
        *(
            {
                "data": {"values": [value]},
                # Text lines extend downwards from the first.
                "mark": {**words, "dy": -5 - 9 * (len(value["words"]) - 1)},
                "encoding": {
                    "x": {**x, "field": "middle"},
                    "y": {"value": 0},
                    "text": {"field": "words"},
                },
            }
            for value in values
        ),
    ]


def _odds(pair: tuple[str, str], found: Sequence[Comparison]) -> Panel:
    low, high = _odds_range(found)
    powers = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    ticks = [2.0**power for power in powers if power % math.ceil(len(powers) / _MOST_TICKS) == 0]
    x = _scale_and_axis([low, high], _number_axis(values=ticks, format="~g"), "log") | {
        "title": f"odds ratio; above 1 favours {_short(pair[0])}"
    }
    series = [Series(f"{_short(pair[0])} against {_short(pair[1])}", INK, "circle", INK)]
    marks = [Mark(title_of(one.measure), series[0].name, one.odds_ratio) for one in found]
    p_values = [
        {"row": title_of(one.measure), "p": p_text(one.p_holm)}
        for one in found
        if one.p_holm is not None
    ]
    beside = {"type": "text", "align": "left", "dx": 10, "fontSize": 10, "color": MUTED}
    right = {"value": "width"}
    return {
        "title": title(series[0].name),
        "height": rows_height(1),
        "layer": [
            {
                "data": {"values": [{}]},
                "mark": {"type": "rule", "color": MUTED, "size": 1, "aria": False},
                "encoding": {"x": {**x, "datum": 1}},
            },
            *interval_layers(marks, _ROWS, series, x, None),
            {
                "data": {"values": [{}]},
                "mark": {**beside, "text": "p (Holm)", "dy": -12},
                "encoding": {"x": right, "y": {"value": 0}},
            },
            {
                "data": {"values": p_values},
                "mark": beside,
                "encoding": {
                    "x": right,
                    "y": names_on_axis("row", _ROWS),
                    "text": {"field": "p"},
                },
            },
        ],
    }


def _odds_range(found: Sequence[Comparison]) -> tuple[float, float]:
    ends = [
        end
        for one in found
        for end in (one.odds_ratio.low, one.odds_ratio.high, one.odds_ratio.value)
        if end is not None and 0 < end < math.inf
    ]
    return min([0.5, *ends]) / 1.2, max([2.0, *ends]) * 1.2


def _upset(analysis: Analysis) -> Panel:
    """A transposed UpSet plot: one row per region, so that it fits a narrow page."""
    totals: dict[tuple[str, ...], int] = {}
    for one in analysis.regions:
        totals[one.holds] = totals.get(one.holds, 0) + one.count
    order = sorted(totals, key=lambda holds: -totals[holds])
    names = _names(analysis.datasets)
    rows = [str(row) for row in range(len(order))]
    y = names_on_axis("row", rows, paddingInner=0, paddingOuter=0) | {"axis": None}
    tinted = {
        "data": {"values": [{"row": row} for row in rows[::2]]},
        "mark": {"type": "rect", "color": BAND, "aria": False},
        "encoding": {"y": y, "x": {"value": 0}, "x2": {"value": "width"}},
    }
    height = {"step": 12 + 10 * len(names), "for": "position"}
    return {
        "hconcat": [
            {
                "width": _MATRIX_WIDTH,
                "height": height,
                "layer": [tinted, *_matrix(order, rows, y)],
            },
            {
                "width": _BARS_WIDTH,
                "height": height,
                "layer": [tinted, *_region_bars(analysis, order, names, y)],
            },
        ],
        "spacing": 24,
        "resolve": {"legend": {"fill": "independent"}},
    }


def _matrix(
    order: Sequence[tuple[str, ...]], rows: Sequence[str], y: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A dot for each criterion of each region; a line joins the dark dots of those that hold."""
    titles = [title_of(name) for name in CRITERIA]
    held = [[title_of(name) for name in CRITERIA if name in holds] for holds in order]
    axis = {
        "orient": "top",
        "labelAngle": -40,
        "labelAlign": "left",
        "labelPadding": 4,
        "grid": False,
    }
    x = names_on_axis("criterion", titles) | {"axis": axis}
    dot = {"type": "point", "filled": True, "size": 62, "opacity": 1, "aria": False}
    return [
        {
            "data": {"values": [{"row": row, "criterion": one} for row in rows for one in titles]},
            "mark": {**dot, "color": GRID},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {
                "values": [
                    {"row": row, "criterion": some[0], "last": some[-1]}
                    for row, some in zip(rows, held, strict=True)
                    if some
                ]
            },
            "mark": {"type": "rule", "color": INK, "size": 1.8, "aria": False},
            "encoding": {"x": x, "x2": {"field": "last"}, "y": y},
        },
        {
            "data": {
                "values": [
                    {"row": row, "criterion": one}
                    for row, some in zip(rows, held, strict=True)
                    for one in some
                ]
            },
            "mark": {**dot, "color": INK},
            "encoding": {"x": x, "y": y},
        },
    ]


def _region_bars(
    analysis: Analysis,
    order: Sequence[tuple[str, ...]],
    names: Mapping[str, str],
    y: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The counts of each region by dataset, as bars with number labels."""
    counts = {(one.dataset, one.holds): one.count for one in analysis.regions}
    values: list[dict[str, Any]] = [
        {
            "row": str(row),
            "dataset": names[dataset],
            "count": counts.get((dataset, holds), 0),
            "words": f"{', '.join(map(title_of, holds)) or 'none'}, {names[dataset]}: "
            f"{counts.get((dataset, holds), 0):,}",
        }
        for row, holds in enumerate(order)
        for dataset in analysis.datasets
    ]
    # Space for the numbers to the right of the bars.
    longest = 1.14 * max(value["count"] for value in values)
    series = list(names.values())
    where: dict[str, Any] = {
        "y": y,
        "yOffset": names_on_axis("dataset", series, paddingOuter=0.35, paddingInner=0.14),
        "x": quantity("count", None, axis=None, scale={"domain": [0, longest], "nice": False}),
    }
    scale = {"domain": series, "range": [colour(number) for number in range(len(series))]}
    legend = {**_legend(series), "symbolType": "square", "symbolStrokeWidth": 0}
    fill = {"field": "dataset", "type": "nominal", "title": None, "scale": scale, "legend": legend}
    return [
        {
            "data": {"values": values},
            "mark": {"type": "bar"},
            "encoding": {**where, "fill": fill, "description": {"field": "words"}},
        },
        {
            "data": {"values": values},
            "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 10, "aria": False},
            "encoding": {**where, "text": {"field": "count", "format": ","}},
        },
    ]


_ROWS = [title_of(measure) for measure in MEASURES]


def _scale_and_axis(
    domain: Sequence[float], axis: Mapping[str, Any], type: str = "linear"
) -> dict[str, Any]:
    """The encoding of numbers on the x axis, without the field."""
    scale = {"type": type, "domain": list(domain), "nice": False}
    return {"type": "quantitative", "title": None, "scale": scale, "axis": dict(axis)}


def _number_axis(**parts: Any) -> dict[str, Any]:
    # Vega drops every other value if there are more values than requested ticks.
    count = {"tickCount": len(parts["values"])} if "values" in parts else {}
    fixed = {"labelColor": MUTED, "labelOverlap": False, "labelFlush": False, "grid": True}
    return {**fixed, **count, **parts}


def _legend(labels: Sequence[str], offset: float = 8) -> dict[str, Any]:
    """A legend that is no wider than a panel."""
    columns = max(1, 46 // (max(map(len, labels)) + 7))
    return {"columns": columns, "offset": offset}


def _names(datasets: Sequence[str]) -> dict[str, str]:
    """The short, unique name of each dataset in figures."""
    names: dict[str, str] = {}
    for dataset in datasets:
        name, number = _short(dataset), 1
        while name in names.values():
            number += 1
            name = f"{_short(dataset)} ({number})"
        names[dataset] = name
    return names


def _short(name: str) -> str:
    return label(name, _LONGEST_NAME)

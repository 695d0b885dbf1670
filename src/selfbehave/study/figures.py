"""The analysis as figures: shares of yes, agreement, odds ratios, and an UpSet plot.

Each figure is a row of narrow panels, so that a page can lay them out to its own width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure as Canvas
from matplotlib.figure import SubFigure
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from ..core.files import write_bytes
from ..figures.drawing import (
    BAND,
    GRID,
    INK,
    MUTED,
    SPREAD,
    WIDTH,
    bare,
    colour,
    heading,
    heading_height,
    mark,
    marker,
    offset,
    row_height,
    rows,
    saved,
    short,
    style,
)
from ..stats.agreement import BANDS
from ..stats.number_text import p_text
from .agreement import MEASURES, Agreement
from .analysis import Analysis
from .comparison import Comparison
from .ratings import CONSENSUS, CRITERIA
from .wording import pair_title, title_of, whose

__all__ = ["Figure", "Panel", "figures", "write_figures"]

_COEFFICIENTS = ("Cohen's κ", "Gwet's AC1")
_BAND_WORDS = 18.0  # points that the names of the bands take over the axes


@dataclass(frozen=True)
class Panel:
    """A part of a figure: how high it is, in inches, and what draws it."""

    height: float
    draw: Callable[[SubFigure | Canvas], None]

    def svg(self) -> str:
        """The panel alone, on no background."""
        with style():
            canvas = Canvas(figsize=(WIDTH, self.height))
            canvas.patch.set_visible(False)
            self.draw(canvas)
            return saved(canvas, "svg").decode("utf-8")


@dataclass(frozen=True)
class Figure:
    """A figure: a name for its files, what it shows in words, and its panels."""

    name: str
    text: str
    panels: tuple[Panel, ...]


def figures(analysis: Analysis) -> list[Figure]:
    """The figures there are data for."""
    by_reference = whose(analysis)
    found = [
        Figure(
            "proportions",
            "Share of scenarios each rater says yes to, by criterion and dataset, with 95% "
            "intervals.",
            tuple(
                _panel(
                    _shares_title(rater),
                    [short(name) for name in analysis.datasets],
                    partial(_draw_shares, analysis, rater),
                )
                for rater in analysis.raters
            ),
        ),
        Figure(
            "agreement",
            "Cohen's kappa and Gwet's AC1 of each two raters, by criterion and dataset, with 95% "
            "intervals. Where kappa is far below AC1, nearly all verdicts are alike. An arrow "
            "points to what is off the scale.",
            tuple(_agreement_panels(analysis, with_consensus=False)),
        ),
        Figure(
            "agreement_with_consensus",
            "Cohen's kappa and Gwet's AC1 of each rater with the consensus.",
            tuple(_agreement_panels(analysis, with_consensus=True)),
        ),
        Figure(
            "odds_ratios",
            f"Odds ratios of a yes between datasets by {by_reference}, with 95% intervals.",
            tuple(
                _panel(_odds_title(pair), [], partial(_draw_odds, analysis, pair))
                for pair in dict.fromkeys(one.datasets for one in analysis.comparisons)
            ),
        ),
        Figure(
            "criteria",
            f"UpSet plot: how many scenarios hold which of the four criteria, by {by_reference}.",
            _upset_panels(analysis),
        ),
    ]
    return [figure for figure in found if figure.panels]


def write_figures(analysis: Analysis, folder: Path) -> list[Path]:
    """Write each figure to a folder as PNG and SVG; return the files."""
    written = []
    for figure in figures(analysis):
        columns = min(3, len(figure.panels))
        lines = [
            figure.panels[start : start + columns]
            for start in range(0, len(figure.panels), columns)
        ]
        heights = [max(panel.height for panel in line) for line in lines]
        with style():
            canvas = Canvas(figsize=(WIDTH * columns, sum(heights)), facecolor="white")
            grid = canvas.subfigures(len(lines), columns, squeeze=False, height_ratios=heights)
            for line, parts in zip(lines, grid, strict=True):
                for panel, part in zip(line, parts, strict=False):
                    panel.draw(part)
            for kind in ("png", "svg"):
                path = folder / f"{figure.name}.{kind}"
                write_bytes(path, saved(canvas, kind))
                written.append(path)
    return written


def _panel(
    title: str,
    labels: Sequence[str],
    draw: Callable[[SubFigure | Canvas], None],
    above: float = 0,
) -> Panel:
    """A panel with a row for each measure, high enough for its heading."""
    height = 1.05 + above / 72 + heading_height(title, labels)
    return Panel(height + row_height(len(labels)) * len(MEASURES), draw)


def _shares_title(rater: str) -> str:
    named = "The consensus" if rater == CONSENSUS else f"Rater {short(rater)}"
    return f"{named} says yes"


def _odds_title(pair: tuple[str, str]) -> str:
    return f"{short(pair[0])} against {short(pair[1])}"


def _draw_shares(analysis: Analysis, rater: str, part: Any) -> None:
    axes = rows(part, [title_of(measure) for measure in MEASURES])
    entries = [(short(name), index, True) for index, name in enumerate(analysis.datasets)]
    heading(axes, _shares_title(rater), entries)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol="%"))
    for row, measure in enumerate(MEASURES):
        for one in analysis.proportions:
            if (one.rater, one.measure) == (rater, measure):
                series = analysis.datasets.index(one.dataset)
                mark(
                    axes,
                    row + offset(series, len(analysis.datasets)),
                    one.share,
                    colour(series),
                    marker(series),
                )


def _agreement_panels(analysis: Analysis, *, with_consensus: bool) -> Iterator[Panel]:
    pairs: dict[tuple[str, tuple[str, str]], list[Agreement]] = {}
    for one in analysis.agreements:
        if (CONSENSUS in one.raters) == with_consensus:
            pairs.setdefault((one.dataset, one.raters), []).append(one)
    # By pair first, so that a pair's datasets stand side by side.
    order = list(dict.fromkeys(raters for _, raters in pairs))
    for dataset, raters in sorted(pairs, key=lambda pair: order.index(pair[1])):
        series = analysis.datasets.index(dataset)
        title = f"{pair_title(tuple(map(short, raters)))} in {short(dataset)}"
        draw = partial(_draw_agreement, pairs[dataset, raters], title, series)
        yield _panel(title, _COEFFICIENTS, draw, above=_BAND_WORDS)


def _draw_agreement(found: Sequence[Agreement], title: str, series: int, part: Any) -> None:
    axes = rows(part, [title_of(one.measure) for one in found])
    heading(
        axes,
        title,
        [(name, series, index == 0) for index, name in enumerate(_COEFFICIENTS)],
        above=_BAND_WORDS,
    )
    axes.grid(visible=False)
    lows = [one.low for each in found for one in (each.kappa, each.ac1) if one.low is not None]
    # Far below 0 there is nothing to tell apart, and the bands need the room.
    axes.set_xlim(max(-0.25, min([-0.05, *(low - 0.03 for low in lows)])), 1.01)
    lower = 0.0
    for index, (upper, word) in enumerate(BANDS):
        if index % 2 == 0:
            axes.axvspan(lower, upper, color=BAND, linewidth=0, zorder=0)
        axes.text(
            (lower + upper) / 2,
            1.02,
            word.replace(" ", "\n"),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=6.5,
            color=MUTED,
            linespacing=1.0,
        )
        lower = upper
    for row, one in enumerate(found):
        mark(axes, row - SPREAD, one.kappa, colour(series), marker(series))
        mark(axes, row + SPREAD, one.ac1, colour(series), marker(series), filled=False)


def _draw_odds(analysis: Analysis, pair: tuple[str, str], part: Any) -> None:
    found = [one for one in analysis.comparisons if one.datasets == pair]
    axes = rows(part, [title_of(one.measure) for one in found])
    heading(axes, _odds_title(pair), above=10)
    axes.set_xscale("log")
    low, high = _odds_range(found)
    axes.set_xlim(low, high)
    powers = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    axes.set_xticks([2.0**power for power in powers if power % math.ceil(len(powers) / 8) == 0])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.axvline(1, color=MUTED, linewidth=1, zorder=1)
    axes.set_xlabel(f"odds ratio; above 1 favours {short(pair[0])}")
    axes.annotate("p (Holm)", (1.04, 1.03), xycoords="axes fraction", fontsize=8, color=MUTED)
    for row, one in enumerate(found):
        mark(axes, row, one.odds_ratio, INK, "o")
        if one.p_holm is not None:
            axes.text(
                1.04,
                row,
                p_text(one.p_holm),
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=8,
                color=MUTED,
            )


def _odds_range(found: Sequence[Comparison]) -> tuple[float, float]:
    ends = [
        end
        for one in found
        for end in (one.odds_ratio.low, one.odds_ratio.high, one.odds_ratio.value)
        if end is not None and 0 < end < math.inf
    ]
    return min([0.5, *ends]) / 1.2, max([2.0, *ends]) * 1.2


def _upset_panels(analysis: Analysis) -> tuple[Panel, ...]:
    totals: dict[tuple[str, ...], int] = {}
    for one in analysis.regions:
        totals[one.holds] = totals.get(one.holds, 0) + one.count
    order = sorted(totals, key=lambda holds: -totals[holds])
    if not order:
        return ()
    bars = sum(0.07 + 0.13 * len(analysis.datasets) for _ in order)
    return (Panel(1.1 + bars, partial(_draw_upset, analysis, order)),)


def _draw_upset(analysis: Analysis, order: Sequence[tuple[str, ...]], part: Any) -> None:
    """An UpSet plot laid on its side: a row for each region, so that it fits a narrow page."""
    matrix, bars = part.subplots(1, 2, sharey=True, width_ratios=(1, 2.1))
    for axes in (matrix, bars):
        bare(axes)
        axes.set_ylim(len(order) - 0.4, -0.6)
        axes.set_yticks([])
    matrix.set_xlim(-0.6, len(CRITERIA) - 0.4)
    matrix.set_xticks(range(len(CRITERIA)), [title_of(name) for name in CRITERIA], rotation=40)
    matrix.xaxis.tick_top()
    for label in matrix.get_xticklabels():
        label.set(ha="left", color=INK, rotation_mode="anchor", fontsize=8.5)
    for row, holds in enumerate(order):
        if row % 2 == 0:
            for axes in (matrix, bars):
                axes.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)
        inside = [index for index, name in enumerate(CRITERIA) if name in holds]
        matrix.plot(range(len(CRITERIA)), [row] * len(CRITERIA), "o", color=GRID, markersize=6.5)
        matrix.plot(inside, [row] * len(inside), "o-", color=INK, markersize=6.5, linewidth=1.6)
    thickness = 0.8 / len(analysis.datasets)
    for series, dataset in enumerate(analysis.datasets):
        counts = {one.holds: one.count for one in analysis.regions if one.dataset == dataset}
        places = [
            row + (series - (len(analysis.datasets) - 1) / 2) * thickness
            for row in range(len(order))
        ]
        drawn = bars.barh(
            places,
            [counts.get(holds, 0) for holds in order],
            height=thickness * 0.86,
            color=colour(series),
            label=short(dataset),
            zorder=2,
        )
        bars.bar_label(drawn, padding=3, fontsize=7.5, color=INK)
    bars.set_xticks([])
    bars.set_xlim(0, max(one.count for one in analysis.regions) * 1.14)
    bars.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.01),
        ncols=3,
        borderpad=0,
        borderaxespad=0,
        handlelength=1,
        handleheight=1,
        columnspacing=1.4,
    )

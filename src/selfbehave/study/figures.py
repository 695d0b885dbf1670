"""The analysis as figures: shares of yes, agreement, odds ratios, and an UpSet plot.

Each figure is a row of narrow panels, so that a page can lay them out to its own width. Datasets
differ by colour (Okabe & Ito's, told apart in any common colour blindness) and by marker.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure as Canvas
from matplotlib.figure import SubFigure
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from ..progress import printable
from ..records import write_bytes
from .agreement import MEASURES, Agreement
from .analysis import BANDS, Analysis
from .comparison import Comparison
from .estimates import Estimate
from .ratings import CONSENSUS, CRITERIA
from .wording import p_text, pair_title, title_of, whose

__all__ = ["BAND", "GRID", "INK", "MUTED", "SERIES", "Figure", "Panel", "figures", "write_figures"]

INK, MUTED, GRID, BAND = "#1c2127", "#5c6670", "#d8dde3", "#eef1f4"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9")
_MARKERS = "osD^vP"
_WIDTH = 4.7  # inches, of a panel
_SPREAD = 0.17  # between marks of one row, where the rows are 1 apart
_LONGEST = 26  # characters of a name in a figure
_STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a rater may be called $x$
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 8.5,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 20,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": GRID,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "selfbehave",  # so that a figure is the same file each time
    "figure.constrained_layout.use": True,
}


@dataclass(frozen=True)
class Panel:
    """A part of a figure: how high it is, in inches, and what draws it."""

    height: float
    draw: Callable[[SubFigure | Canvas], None]

    def svg(self) -> str:
        """The panel alone, on no background."""
        with matplotlib.rc_context(_STYLE):
            canvas = Canvas(figsize=(_WIDTH, self.height))
            canvas.patch.set_visible(False)
            self.draw(canvas)
            return _saved(canvas, "svg").decode("utf-8")


@dataclass(frozen=True)
class Figure:
    """A figure: a name for its files, a title, what it shows in words, and its panels."""

    name: str
    title: str
    text: str
    panels: tuple[Panel, ...]


def figures(analysis: Analysis) -> list[Figure]:
    """The figures there are data for."""
    by_reference = whose(analysis)
    found = [
        Figure(
            "proportions",
            "Share of yes",
            "Share of scenarios each rater says yes to, by criterion and dataset, with 95 % "
            "intervals.",
            tuple(
                Panel(_height(len(MEASURES)), partial(_draw_shares, analysis, rater))
                for rater in analysis.raters
            ),
        ),
        Figure(
            "agreement",
            "Agreement of raters",
            "Cohen's kappa and Gwet's AC1 of each two raters, by criterion and dataset, with 95 % "
            "intervals. Where kappa is far below AC1, nearly all verdicts are alike.",
            tuple(_agreement_panels(analysis, with_consensus=False)),
        ),
        Figure(
            "agreement_with_consensus",
            "Agreement with the consensus",
            "Cohen's kappa and Gwet's AC1 of each rater with the consensus.",
            tuple(_agreement_panels(analysis, with_consensus=True)),
        ),
        Figure(
            "odds_ratios",
            "Datasets compared",
            f"Odds ratios of a yes between datasets by {by_reference}, with 95 % intervals.",
            tuple(
                Panel(_height(len(MEASURES)), partial(_draw_odds, analysis, pair))
                for pair in dict.fromkeys(one.datasets for one in analysis.comparisons)
            ),
        ),
        Figure(
            "criteria",
            "Criteria that hold together",
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
        rows = [
            figure.panels[start : start + columns]
            for start in range(0, len(figure.panels), columns)
        ]
        heights = [max(panel.height for panel in row) for row in rows]
        with matplotlib.rc_context(_STYLE):
            canvas = Canvas(figsize=(_WIDTH * columns, sum(heights)), facecolor="white")
            grid = canvas.subfigures(len(rows), columns, squeeze=False, height_ratios=heights)
            for row, parts in zip(rows, grid, strict=True):
                for panel, part in zip(row, parts, strict=False):
                    panel.draw(part)
            for kind in ("png", "svg"):
                path = folder / f"{figure.name}.{kind}"
                write_bytes(path, _saved(canvas, kind))
                written.append(path)
    return written


def _saved(canvas: Canvas, kind: str) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Names may be in any script: SVG keeps them as text, PNG shows boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        metadata = {"Date": None, "Creator": None} if kind == "svg" else None
        canvas.savefig(buffer, format=kind, dpi=200, metadata=metadata)
    return buffer.getvalue()


def _height(rows: int) -> float:
    return 1.05 + 0.42 * rows


def _draw_shares(analysis: Analysis, rater: str, part: Any) -> None:
    axes = _rows(part, [title_of(measure) for measure in MEASURES])
    named = "The consensus" if rater == CONSENSUS else f"Rater {_short(rater)}"
    axes.set_title(f"{named} says yes")
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    for row, measure in enumerate(MEASURES):
        for one in analysis.proportions:
            if (one.rater, one.measure) == (rater, measure):
                series = analysis.datasets.index(one.dataset)
                _mark(
                    axes,
                    row + _offset(series, len(analysis.datasets)),
                    one.share,
                    _colour(series),
                    _marker(series),
                )
    _legend(axes, [(_short(name), index, True) for index, name in enumerate(analysis.datasets)])


def _agreement_panels(analysis: Analysis, *, with_consensus: bool) -> Iterator[Panel]:
    pairs: dict[tuple[str, tuple[str, str]], list[Agreement]] = {}
    for one in analysis.agreements:
        if (CONSENSUS in one.raters) == with_consensus:
            pairs.setdefault((one.dataset, one.raters), []).append(one)
    # By pair first, so that a pair's datasets stand side by side.
    order = list(dict.fromkeys(raters for _, raters in pairs))
    for dataset, raters in sorted(pairs, key=lambda pair: order.index(pair[1])):
        series = analysis.datasets.index(dataset)
        title = f"{pair_title(tuple(map(_short, raters)))} in {_short(dataset)}"
        draw = partial(_draw_agreement, pairs[dataset, raters], title, series)
        yield Panel(_height(len(MEASURES)) + 0.15, draw)


def _draw_agreement(found: Sequence[Agreement], title: str, series: int, part: Any) -> None:
    axes = _rows(part, [title_of(one.measure) for one in found])
    axes.set_title(title, pad=36)
    axes.grid(visible=False)
    lows = [one.low for each in found for one in (each.kappa, each.ac1) if one.low is not None]
    axes.set_xlim(min([-0.05, *(low - 0.03 for low in lows)]), 1.01)
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
        _mark(axes, row - _SPREAD, one.kappa, _colour(series), _marker(series))
        _mark(axes, row + _SPREAD, one.ac1, _colour(series), _marker(series), filled=False)
    _legend(axes, [("Cohen's κ", series, True), ("Gwet's AC1", series, False)], above=31)


def _draw_odds(analysis: Analysis, pair: tuple[str, str], part: Any) -> None:
    found = [one for one in analysis.comparisons if one.datasets == pair]
    axes = _rows(part, [title_of(one.measure) for one in found])
    axes.set_title(f"{_short(pair[0])} against {_short(pair[1])}", pad=12)
    axes.set_xscale("log")
    low, high = _odds_range(found)
    axes.set_xlim(low, high)
    powers = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    axes.set_xticks([2.0**power for power in powers if power % math.ceil(len(powers) / 8) == 0])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.axvline(1, color=MUTED, linewidth=1, zorder=1)
    axes.set_xlabel(f"odds ratio; above 1 favours {_short(pair[0])}")
    axes.annotate("p (Holm)", (1.02, 1.03), xycoords="axes fraction", fontsize=8, color=MUTED)
    for row, one in enumerate(found):
        _mark(axes, row, one.odds_ratio, INK, "o")
        if one.p_holm is not None:
            axes.text(
                1.02,
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
        _bare(axes)
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
            color=_colour(series),
            label=_short(dataset),
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


# Marks


def _rows(part: Any, labels: Sequence[str]) -> Any:
    axes = part.subplots()
    _bare(axes)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), labels)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    return axes


def _bare(axes: Any) -> None:
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _mark(
    axes: Any, row: float, estimate: Estimate, colour: str, marker: str, *, filled: bool = True
) -> None:
    """A figure and its interval; in words where it is undefined, an arrow where it is off the scale.

    The axes' limits must be set before.
    """
    left, right = axes.get_xlim()
    if estimate.value is None:
        axes.text(
            0.02,
            row,
            f"undefined: {estimate.remark}",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=7.5,
            style="italic",
            color=MUTED,
        )
        return
    if estimate.low is not None and estimate.high is not None:
        ends = [max(left, estimate.low), min(right, estimate.high)]
        axes.plot(ends, [row, row], color=colour, linewidth=2, solid_capstyle="round", zorder=2)
    if not left <= estimate.value <= right:
        marker = ">" if estimate.value > right else "<"
    axes.plot(
        min(max(estimate.value, left), right),
        row,
        marker,
        color=colour,
        markerfacecolor=colour if filled else "white",
        markeredgewidth=1.6,
        markersize=6.5,
        clip_on=False,
        zorder=3,
    )


def _legend(axes: Any, entries: Sequence[tuple[str, int, bool]], above: float = 14) -> None:
    """Markers and names in a line above the axes, `above` points from it."""
    handles = [
        matplotlib.lines.Line2D(
            [],
            [],
            color=_colour(series),
            marker=_marker(series),
            markerfacecolor=_colour(series) if filled else "white",
            markeredgewidth=1.6,
            markersize=6,
            linewidth=2,
            label=label,
        )
        for label, series, filled in entries
    ]
    height = axes.get_window_extent().height / axes.figure.dpi * 72
    axes.legend(
        handles=handles,
        ncols=len(handles),
        loc="upper left",
        bbox_to_anchor=(-0.01, 1 + above / max(height, 1)),
        borderpad=0,
        borderaxespad=0,
        handlelength=1.8,
        columnspacing=1.4,
    )


def _offset(series: int, count: int) -> float:
    return (series - (count - 1) / 2) * 2 * _SPREAD / max(1, count - 1)


def _colour(series: int) -> str:
    return SERIES[series % len(SERIES)]


def _marker(series: int) -> str:
    return _MARKERS[series % len(_MARKERS)]


def _short(name: str) -> str:
    name = re.sub(r"\s+", " ", printable(name))
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"

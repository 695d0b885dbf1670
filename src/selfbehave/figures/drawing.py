"""What every figure is drawn with: colours, type, axes of rows, marks with intervals, legends.

Datasets differ by colour (Okabe & Ito's, told apart in any common colour blindness) and by marker.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.transforms import offset_copy

from ..core.printable import printable
from ..stats.estimates import Estimate

__all__ = [
    "BAND",
    "GRID",
    "INK",
    "MUTED",
    "SERIES",
    "SPREAD",
    "WIDTH",
    "bare",
    "colour",
    "heading",
    "heading_height",
    "mark",
    "marker",
    "offset",
    "row_height",
    "rows",
    "saved",
    "short",
    "style",
]

INK, MUTED, GRID, BAND = "#1c2127", "#5c6670", "#d8dde3", "#eef1f4"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9")
_MARKERS = "osD^vP"
WIDTH = 4.2  # inches, of a panel
SPREAD = 0.17  # between marks of one row, where the rows are 1 apart
_LINE = 13.0  # points
_LONGEST = 20  # characters of a name in a figure
Entry = tuple[str, int, bool]
"""Of a legend: a label, the number of the series, and whether its marker is filled."""

_STYLE: Any = {
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


def style() -> AbstractContextManager[None]:
    """Figures made and saved within have the study's type and colours."""
    return rc_context(_STYLE)


def saved(canvas: Canvas, kind: str) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Names may be in any script: SVG keeps them as text, PNG shows boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        metadata = {"Date": None, "Creator": None} if kind == "svg" else None
        canvas.savefig(buffer, format=kind, dpi=200, metadata=metadata)
    return buffer.getvalue()


def rows(part: Any, labels: Sequence[str]) -> Any:
    axes = part.subplots()
    bare(axes)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), labels)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    return axes


def bare(axes: Any) -> None:
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def mark(
    axes: Any, row: float, estimate: Estimate, colour: str, marker: str, *, filled: bool = True
) -> None:
    """A figure and its interval; words where it is undefined, an arrow where it is off the scale.

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


def heading(axes: Any, title: str, entries: Sequence[Entry] = (), above: float = 0) -> None:
    """A title and below it a legend, `above` points over the axes."""
    columns, lines = _legend_grid([label for label, _, _ in entries])
    top = above + _LINE * lines
    axes.set_title("\n".join(_title_lines(title)), pad=top + 8)
    if not entries:
        return
    handles = [
        Line2D(
            [],
            [],
            color=colour(series),
            marker=marker(series),
            markerfacecolor=colour(series) if filled else "white",
            markeredgewidth=1.6,
            markersize=6,
            linewidth=2,
            label=label,
        )
        for label, series, filled in entries
    ]
    axes.legend(
        handles=handles,
        ncols=columns,
        loc="upper left",
        bbox_to_anchor=(0, 1),
        bbox_transform=offset_copy(axes.transAxes, axes.figure, x=-2, y=top, units="points"),
        borderpad=0,
        borderaxespad=0,
        handlelength=1.8,
        columnspacing=1.4,
    )


def heading_height(title: str, labels: Sequence[str]) -> float:
    """Inches that a heading needs beyond one line of title and one of legend."""
    return _LINE / 72 * (len(_title_lines(title)) + max(1, _legend_grid(labels)[1]) - 2)


def row_height(series: int) -> float:
    """Inches of a row with marks of so many series."""
    return 0.42 + 0.11 * max(0, series - 2)


def offset(index: int, series: int) -> float:
    """Where in its row a mark stands, so that those of all series are as far apart anywhere."""
    return (index - (series - 1) / 2) * 2 * SPREAD * row_height(2) / row_height(series)


def _title_lines(title: str) -> list[str]:
    return textwrap.wrap(title, 36)


def _legend_grid(labels: Sequence[str]) -> tuple[int, int]:
    """Columns and lines of a legend that is no wider than a panel."""
    if not labels:
        return 0, 0
    columns = max(1, 46 // (max(map(len, labels)) + 7))
    return columns, math.ceil(len(labels) / columns)


def colour(series: int) -> str:
    return SERIES[series % len(SERIES)]


def marker(series: int) -> str:
    return _MARKERS[series % len(_MARKERS)]


def short(name: str) -> str:
    name = re.sub(r"\s+", " ", printable(name))
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"

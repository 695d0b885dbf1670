"""What every figure is drawn with: Vega's configuration, and from a specification to SVG and PNG.

Figures are drawn when the report is made, so that its page needs no program to draw them: their
marks keep links and words, which the page makes tooltips and filters of.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import vl_convert
from markupsafe import Markup, escape

from ..core.printable import printable
from .palette import GRID, INK, MUTED, ON_PAGE, SERIES, colour

__all__ = [
    "AREA",
    "FACE",
    "LINE",
    "PLOT_HEIGHT",
    "Figure",
    "Values",
    "chart",
    "colours",
    "inline",
    "label",
    "panel_chart",
    "png",
    "quantity",
    "rows_link",
    "side_by_side",
    "svg",
    "title",
]

Values = list[dict[str, Any]]


_WIDTH = 360  # pixels, of a figure; a page scales it
_PLOT_WIDTH = 250  # of a panel beside others, without what stands around it
_TITLE_WIDTH = 40  # characters
PLOT_HEIGHT = 190
# Their points have no words of their own: the figure's text stands for them.
LINE: dict[str, Any] = {"size": 2.2, "aria": False}
AREA: dict[str, Any] = {"type": "area", "opacity": 0.14, "line": LINE, "aria": False}
FACE = "Liberation Sans"  # comes with vl-convert; as wide as Arial, which pages take where it lacks
_VEGA_LITE = "https://vega.github.io/schema/vega-lite/v6.json"
_LONGEST_LABEL = 28  # characters
_PNG_SCALE = 2.0
_CHANNELS = ("yOffset", "stroke", "fill", "shape")  # whose scales panels have of their own

_CONFIG: dict[str, Any] = {
    "background": None,
    "font": FACE,
    "padding": {"left": 2, "right": 6, "top": 4, "bottom": 2},
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "gridColor": GRID,
        "labelColor": INK,
        "labelFontSize": 11,
        "labelLimit": 205,
        "labelPadding": 6,
        "titleColor": MUTED,
        "titleFontSize": 10.5,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "tickCount": 5,
    },
    "axisY": {"labelPadding": 8},
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": INK,
        "labelFontSize": 11,
        "labelLimit": 170,
        "symbolType": "circle",
        "symbolSize": 90,
        "symbolStrokeWidth": 2,
        "symbolOpacity": 1,
        "columnPadding": 14,
        "offset": 6,
    },
    "text": {"color": INK, "fontSize": 10.5},
    "title": {"anchor": "start", "frame": "group", "color": INK, "fontSize": 13},
    "concat": {"spacing": 0},
    "range": {"category": list(SERIES)},
}


@dataclass(frozen=True)
class Figure:
    """A figure: a name for its files, a title, what it shows in words, and how it is drawn.

    Attributes:
        specification: of Vega-Lite, or of Vega where its `$schema` says so.
        narrow: another of the same for a narrow page; None where one suits all.
    """

    name: str
    title: str
    text: str
    specification: Mapping[str, Any]
    narrow: Mapping[str, Any] | None = None


def chart(values: Sequence[Mapping[str, Any]], **parts: Any) -> dict[str, Any]:
    """A Vega-Lite specification on some values, as wide as every figure."""
    return {
        "$schema": _VEGA_LITE,
        "data": {"values": list(values)},
        "width": _WIDTH,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": _CONFIG,
        **parts,
    }


def side_by_side(panels: Sequence[Mapping[str, Any]], columns: int) -> dict[str, Any]:
    """One specification of several panels, made for `panel_chart`."""
    return {
        "$schema": _VEGA_LITE,
        "config": _CONFIG,
        "concat": [{"width": _PLOT_WIDTH, **panel} for panel in panels],
        "columns": columns,
        "spacing": {"row": 28, "column": 30},
        "resolve": {"scale": dict.fromkeys(_CHANNELS, "independent")},
    }


def panel_chart(panel: Mapping[str, Any]) -> dict[str, Any]:
    """A Vega-Lite specification of one panel: layers with data of their own, or an `hconcat`."""
    if "hconcat" in panel:
        return {"$schema": _VEGA_LITE, "config": _CONFIG, **panel}
    return chart([], **panel)


def title(text: str, offset: float = 6) -> dict[str, Any]:
    """The title of a panel, on several lines where it is long.

    Args:
        offset: pixels to what lies below it.
    """
    return {"text": textwrap.wrap(text, _TITLE_WIDTH), "offset": offset}


def colours(names: Sequence[str], title: str | None = None) -> dict[str, Any]:
    """The colour of each run, with a legend where there are several."""
    return {
        "field": "run",
        "type": "nominal",
        "title": title,
        "scale": {
            "domain": list(names),
            "range": [colour(series) for series in range(len(names))],
        },
        **({} if len(names) > 1 else {"legend": None}),
    }


def quantity(field: str, title: str | None, **parts: Any) -> dict[str, Any]:
    """A number on an axis."""
    return {"field": field, "type": "quantitative", "title": title, **parts}


def label(text: str, longest: int = _LONGEST_LABEL) -> str:
    """A text as a label: on one line, not too long, nothing in it that is not to be seen."""
    text = " ".join(printable(text).encode("utf-8", "replace").decode("utf-8").split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def rows_link(**wanted: str) -> str:
    """A link to the rows with such properties."""
    pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted.items())
    return f"#rows?{pairs}"


def svg(specification: Mapping[str, Any]) -> str:
    """A figure as SVG of its own: without links, which lead nowhere there."""
    return re.sub(r"<a [^>]*>|</a>", "", _drawn(specification))


def png(specification: Mapping[str, Any]) -> bytes:
    """A figure as PNG, on white."""
    image = svg({**specification, "background": "white"})
    data: bytes = vl_convert.svg_to_png(image, scale=_PNG_SCALE)
    return data


def inline(specification: Mapping[str, Any], text: str, name: str) -> Markup:
    """A figure's SVG as part of a page: scalable, in the page's colours, its links within it.

    Args:
        text: what the figure shows, in words.
        name: of no other figure of the page, nor of another form of this one.
    """
    image = _drawn(specification)
    image = re.sub(
        r"<svg [^>]*?viewBox=\"([^\"]*)\"[^>]*>",
        # Not an image to assistive technology, which could not reach the links in it.
        lambda match: f'<svg viewBox="{match[1]}" role="group" aria-label="{escape(text)}">',
        image,
        count=1,
    )
    # A link that is named as its mark is; Vega puts an address of its own before a fragment.
    image = re.sub(
        r'<a xlink:href="[^"#]*(#[^"]*)"><(\w+) aria-label="([^"]*)"',
        r'<a href="\1" aria-label="\3"><\2 aria-hidden="true"',
        image,
    )
    for on_white, variable in ON_PAGE.items():
        image = image.replace(on_white, variable)
    image = re.sub(r'(?<= id=")|(?<=url\(#)', f"{name}-", image)
    return Markup(image.replace(f'font-family="{FACE}"', ""))


def _drawn(specification: Mapping[str, Any]) -> str:
    # No address is allowed: a specification holds all its data.
    if "vega-lite" in specification["$schema"]:
        image: str = vl_convert.vegalite_to_svg(dict(specification), allowed_base_urls=[])
    else:
        image = vl_convert.vega_to_svg(dict(specification), allowed_base_urls=[])
    # Vega numbers what it clips by over the life of the process.
    numbers: dict[str, int] = {}
    return re.sub(
        r"(?<=\bclip)\d+(?=[\")])",
        lambda match: str(numbers.setdefault(match[0], len(numbers) + 1)),
        image,
    )

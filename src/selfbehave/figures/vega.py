"""Shared drawing code: Vega's configuration, and rendering of specifications as SVG and PNG.

Figures are rendered when the report is made, so the page needs no drawing code. Their marks keep
links and descriptions, which the page turns into filters and tooltips.
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


_WIDTH = 360  # pixels; the width of a figure, which pages scale
_PLOT_WIDTH = 250  # the width of one of several panels, without axes and legends
_TITLE_WIDTH = 40  # characters per line
PLOT_HEIGHT = 190
# Their points have no descriptions; the figure's text describes them.
LINE: dict[str, Any] = {"size": 2.2, "aria": False}
AREA: dict[str, Any] = {"type": "area", "opacity": 0.14, "line": LINE, "aria": False}
FACE = "Liberation Sans"  # part of vl-convert; as wide as Arial, the pages' fallback
_VEGA_LITE = "https://vega.github.io/schema/vega-lite/v6.json"
_LONGEST_LABEL = 28  # characters
_PNG_SCALE = 2.0
_CHANNELS = ("yOffset", "stroke", "fill", "shape")  # each panel has its own scales for these

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
    """A figure: a name for its files, a title, a description, and its specification.

    Attributes:
        specification: in Vega-Lite, or in Vega if its `$schema` says so.
        narrow: a variant for narrow pages; None if one specification suits all.
    """

    name: str
    title: str
    text: str
    specification: Mapping[str, Any]
    narrow: Mapping[str, Any] | None = None


def chart(values: Sequence[Mapping[str, Any]], **parts: Any) -> dict[str, Any]:
    """Return a Vega-Lite specification for some values, with the width of all figures."""
    return {
        "$schema": _VEGA_LITE,
        "data": {"values": list(values)},
        "width": _WIDTH,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": _CONFIG,
        **parts,
    }


def side_by_side(panels: Sequence[Mapping[str, Any]], columns: int) -> dict[str, Any]:
    """Combine several panels, as for `panel_chart`, in one specification."""
    return {
        "$schema": _VEGA_LITE,
        "config": _CONFIG,
        "concat": [{"width": _PLOT_WIDTH, **panel} for panel in panels],
        "columns": columns,
        "spacing": {"row": 28, "column": 30},
        "resolve": {"scale": dict.fromkeys(_CHANNELS, "independent")},
    }


def panel_chart(panel: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Vega-Lite specification of one panel: layers with their data, or an `hconcat`."""
    if "hconcat" in panel:
        return {"$schema": _VEGA_LITE, "config": _CONFIG, **panel}
    return chart([], **panel)


def title(text: str, offset: float = 6) -> dict[str, Any]:
    """Return the title of a panel, wrapped if it is long.

    Args:
        offset: the distance to the content below, in pixels.
    """
    return {"text": textwrap.wrap(text, _TITLE_WIDTH), "offset": offset}


def colours(names: Sequence[str], title: str | None = None) -> dict[str, Any]:
    """Return the encoding of the runs' colours, with a legend if there are several runs."""
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
    """Return the encoding of a number on an axis."""
    return {"field": field, "type": "quantitative", "title": title, **parts}


def label(text: str, longest: int = _LONGEST_LABEL) -> str:
    """Return a text as a label: on one line, shortened, without unprintable characters."""
    text = " ".join(printable(text).encode("utf-8", "replace").decode("utf-8").split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def rows_link(**wanted: str) -> str:
    """Return a link to the rows with the given properties."""
    pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted.items())
    return f"#rows?{pairs}"


def svg(specification: Mapping[str, Any]) -> str:
    """Render a figure as a standalone SVG, without links, which only work in a page."""
    return re.sub(r"<a [^>]*>|</a>", "", _drawn(specification))


def png(specification: Mapping[str, Any]) -> bytes:
    """Render a figure as PNG on a white background."""
    image = svg({**specification, "background": "white"})
    data: bytes = vl_convert.svg_to_png(image, scale=_PNG_SCALE)
    return data


def inline(specification: Mapping[str, Any], text: str, name: str) -> Markup:
    """Render a figure as SVG for a page: scalable, in the page's colours, with links in the page.

    Args:
        text: a description of the figure.
        name: unique in the page, also among the variants of this figure.
    """
    image = _drawn(specification)
    image = re.sub(
        r"<svg [^>]*?viewBox=\"([^\"]*)\"[^>]*>",
        # Not role="img": assistive technology could not reach the links inside an image.
        lambda match: f'<svg viewBox="{match[1]}" role="group" aria-label="{escape(text)}">',
        image,
        count=1,
    )
    # Move each mark's name to its link, and remove the address that Vega puts before a fragment.
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
    # Allow no addresses: a specification contains all its data.
    if "vega-lite" in specification["$schema"]:
        image: str = vl_convert.vegalite_to_svg(dict(specification), allowed_base_urls=[])
    else:
        image = vl_convert.vega_to_svg(dict(specification), allowed_base_urls=[])
    # Vega numbers clip paths across the whole process; renumber them for stable output.
    numbers: dict[str, int] = {}
    return re.sub(
        r"(?<=\bclip)\d+(?=[\")])",
        lambda match: str(numbers.setdefault(match[0], len(numbers) + 1)),
        image,
    )

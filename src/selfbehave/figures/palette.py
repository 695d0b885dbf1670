"""One palette for all figures and pages.

Series differ by colour (Okabe & Ito's, distinct in every common colour blindness) and by shape.
"""

from __future__ import annotations

__all__ = ["BAND", "GRID", "INK", "MUTED", "ON_PAGE", "PAPER", "SERIES", "colour", "shape"]

INK, MUTED, GRID, BAND, PAPER = "#1c2127", "#5c6670", "#d8dde3", "#eef1f4", "#ffffff"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9")
_SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross")

ON_PAGE = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    BAND: "var(--band)",
    PAPER: "var(--paper)",
} | {colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, start=1)}
"""A page has its own colours for light and dark; figures on it follow them."""


def colour(series: int) -> str:
    """The colour of a series by its number from 0; after the sixth they begin again."""
    return SERIES[series % len(SERIES)]


def shape(series: int) -> str:
    """The shape of a series' marks, as Vega names it."""
    return _SHAPES[series % len(_SHAPES)]

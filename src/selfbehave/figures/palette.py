"""One palette for all figures and pages.

Series differ by shape and by colour. The colours are Okabe & Ito's, which remain distinct for all
common types of colour blindness.
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
"""The page's colour variables for light and dark mode, which its figures follow."""


def colour(series: int) -> str:
    """Return the colour of a series by its number from 0; the six colours repeat."""
    return SERIES[series % len(SERIES)]


def shape(series: int) -> str:
    """Return Vega's name for the shape of a series' marks."""
    return _SHAPES[series % len(_SHAPES)]

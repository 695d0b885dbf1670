"""The results of an evaluation as figures: what was reached, by rung and by difficulty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..figures.intervals import Mark, Series, interval_layers, rows_height
from ..figures.palette import MUTED, colour, shape
from ..figures.vega import label, panel_chart, title
from .results import Evaluation
from .scores import DIFFICULTY, EngineScores, Score

__all__ = ["Panels", "panels"]

_LONGEST_NAME = 24  # characters of an engine's name
_SHARES: dict[str, Any] = {
    "type": "quantitative",
    "title": None,
    "scale": {"type": "linear", "domain": [0, 1], "nice": False},
    "axis": {
        "format": ".0%",
        "labelColor": MUTED,
        "labelOverlap": False,
        "labelFlush": False,
        "grid": True,
    },
}


@dataclass(frozen=True)
class Panels:
    """A figure: a name, a description, and the Vega-Lite specifications of its panels."""

    name: str
    text: str
    specifications: tuple[dict[str, Any], ...]


def panels(evaluation: Evaluation) -> list[Panels]:
    """The figures that have data."""
    found = [
        Panels(
            "rungs",
            "Share of the scenarios of which at least one of k answers reached each rung, with "
            "95% intervals.",
            tuple(_by_rung(evaluation, k) for k in evaluation.ks),
        ),
        Panels(
            "difficulty",
            "The same by difficulty, of the highest measure, with 95% intervals.",
            tuple(_by_difficulty(evaluation)),
        ),
    ]
    return [one for one in found if one.specifications]


def _by_rung(evaluation: Evaluation, k: int) -> dict[str, Any]:
    return _panel(
        evaluation,
        f"rung@{k}",
        evaluation.measures,
        lambda engine, measure: engine.score(measure, k),
    )


def _by_difficulty(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    values = evaluation.groups().get(DIFFICULTY)
    if values:
        measure, k = evaluation.headline
        yield _panel(
            evaluation,
            f"{measure}@{k} by difficulty",
            list(values),
            lambda engine, value: engine.score(measure, k, DIFFICULTY, value),
        )


def _panel(
    evaluation: Evaluation,
    heading: str,
    rows: Sequence[str],
    score_of: Callable[[EngineScores, str], Score | None],
) -> dict[str, Any]:
    names = _short_names(evaluation)
    marks = [
        Mark(row, name, score.estimate)
        for engine, name in zip(evaluation.engines, names, strict=True)
        for row in rows
        if (score := score_of(engine, row)) is not None
    ]
    series = [
        Series(name, colour(number), shape(number), colour(number))
        for number, name in enumerate(names)
    ]
    legend = {"columns": 2, "offset": 8} if len(names) > 1 else None
    layers = interval_layers(marks, rows, series, _SHARES, legend)
    return panel_chart(
        {
            "title": title(heading),
            "height": rows_height(len(series)),
            # An empty layer is drawn as a group without a name, which is bad for screen readers.
            "layer": [layer for layer in layers if layer["data"]["values"]],
        }
    )


def _short_names(evaluation: Evaluation) -> list[str]:
    """The names of the engines, short and different."""
    names: list[str] = []
    for engine in evaluation.engines:
        short = label(engine.name, _LONGEST_NAME)
        names.append(short if short not in names else f"{short} ({len(names) + 1})")
    return names

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

_LONGEST_NAME = 24  # characters of the name of an engine or a row
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
    names = _labels([engine.name for engine in evaluation.engines])
    labels = _labels(rows)
    marks = [
        Mark(row_label, name, score.estimate)
        for engine, name in zip(evaluation.engines, names, strict=True)
        for row, row_label in zip(rows, labels, strict=True)
        if (score := score_of(engine, row)) is not None
    ]
    series = [
        Series(name, colour(number), shape(number), colour(number))
        for number, name in enumerate(names)
    ]
    legend = {"columns": 2, "offset": 8} if len(names) > 1 else None
    layers = interval_layers(marks, labels, series, _SHARES, legend)
    return panel_chart(
        {
            "title": title(heading),
            "height": rows_height(len(series)),
            # An empty layer is drawn as a group without a name, which is bad for screen readers.
            "layer": [layer for layer in layers if layer["data"]["values"]],
        }
    )


def _labels(names: Sequence[str]) -> list[str]:
    """Names as labels: short and different."""
    labels: list[str] = []
    for name in names:
        short = label(name, _LONGEST_NAME)
        labels.append(short if short not in labels else f"{short} ({len(labels) + 1})")
    return labels

"""Histograms of runs: the similarity of instructions and the lengths of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..figures.vega import AREA, PLOT_HEIGHT, Figure, chart, colours, quantity
from ..novelty.rule import THRESHOLD
from .diversity import words_of
from .facts import ReportRow, RunFacts

__all__ = ["lengths", "likeness"]


def likeness(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    """Draw the similarity of accepted instructions to others; None if it was not recorded."""
    samples = [[one.highest for one in run.accepted if one.highest is not None] for run in runs]
    return _histogram(
        "likeness",
        "How alike, in all",
        "The accepted instructions by their highest ROUGE-L F1.",
        "highest ROUGE-L F1",
        samples,
        names,
        np.linspace(0, THRESHOLD, 15),
    )


def lengths(runs: Sequence[RunFacts], names: Sequence[str]) -> list[Figure | None]:
    """Draw the rows by their numbers of steps, words and tokens, as far as these are known."""
    measures: tuple[tuple[str, str, str, Callable[[ReportRow], int | None]], ...] = (
        ("steps", "Steps of a scenario", "steps, as they are run", lambda row: row.steps),
        ("words", "Words of a scenario", "words", words_of),
        ("tokens", "Tokens of an answer", "tokens of the step functions", lambda row: row.tokens),
    )
    found = []
    for name, title, axis, measure in measures:
        samples = [
            [value for row in run.rows if (value := measure(row)) is not None] for run in runs
        ]
        every = [value for sample in samples for value in sample]
        if not every:
            continue
        text = f"The rows by the number of {axis}. The longest hundredth is put together."
        edges = _whole_edges(min(every), int(np.quantile(every, 0.99)))
        found.append(_histogram(name, title, text, axis, samples, names, edges))
    return found


def _whole_edges(lowest: int, highest: int, least: int = 6, most: int = 16) -> Any:
    """Return equally spaced edges between whole numbers, for `least` to `most` bins."""
    lowest = max(0, min(lowest, (lowest + highest - least) // 2))
    highest = max(highest, lowest + least - 1)
    width = max(1, -(-(highest - lowest + 1) // most))
    return np.arange(lowest, highest + width + 1, width) - 0.5


def _histogram(
    name: str,
    title: str,
    text: str,
    axis: str,
    samples: Sequence[Sequence[float]],
    names: Sequence[str],
    edges: Any,
) -> Figure | None:
    """Draw each run's values as shares per bin, so that runs of different sizes are comparable."""
    values = []
    for sample, run in zip(samples, names, strict=True):
        if not sample:
            continue
        counts, _ = np.histogram(np.clip(sample, edges[0], edges[-1]), edges)
        values += [
            {
                "run": run,
                "from": float(low),
                "to": float(high),
                "share": float(count / len(sample)),
                "words": f"{_between(low, high)} {axis}, {run}: {int(count):,}",
            }
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ]
    if not values:
        return None
    ticks = {"tickMinStep": 1} if edges[1] - edges[0] >= 1 else {}  # only whole ticks
    x = quantity("from", axis, scale={"nice": False, "zero": False}, axis=ticks)
    y = quantity("share", "share", stack=None, axis={"format": ".0%"})
    described = {"description": {"field": "words"}}
    if len(names) == 1:
        mark: dict[str, Any] = {"type": "bar", "opacity": 0.8, "binSpacing": 1}
        encoding = {"x": {**x, "bin": {"binned": True}}, "x2": {"field": "to"}, "y": y, **described}
    else:  # with several runs, bars would hide each other
        mark = {**AREA, "interpolate": "step-after"}
        encoding = {"x": x, "y": y}
        ends = {value["run"]: value for value in values}
        values += [{**value, "from": value["to"]} for value in ends.values()]
    encoding["color"] = colours(names)
    return Figure(
        name, title, text, chart(values, height=PLOT_HEIGHT, mark=mark, encoding=encoding)
    )


def _between(low: float, high: float) -> str:
    if high - low < 1:
        return f"{low:.2f} to {high:.2f}"
    first, last = round(low + 0.5), round(high - 0.5)
    return str(first) if first == last else f"{first} to {last}"

"""Figures of a run's progress over time: pace, novelty, and the share of accepted candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..figures.palette import MUTED
from ..figures.vega import AREA, LINE, PLOT_HEIGHT, Figure, Values, chart, colours, quantity
from ..novelty.rule import THRESHOLD
from .counts import accepted_share, rates, running_means
from .facts import RunFacts

__all__ = ["novelty", "pace", "yielded"]

_MOST_POINTS = 600  # the maximum number of dots in a figure; longer runs are sampled
_WIDE = 900  # pixels; the width of a full-width figure


def pace(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    """Draw the answers per minute; None if there is no journal."""
    values = [
        {"run": name, "minute": minute, "rate": rate}
        for run, name in zip(runs, names, strict=True)
        for minute, rate in rates(run.answers)
    ]
    return (
        Figure(
            "pace",
            "Answers per minute",
            "Answers per minute, over the minutes with a request in flight.",
            chart(
                values,
                height=PLOT_HEIGHT,
                mark={**AREA, "interpolate": "step-after"},
                encoding={
                    "x": quantity("minute", "minutes at work"),
                    "y": quantity("rate", "answers per minute", stack=None),
                    "color": colours(names),
                },
            ),
        )
        if values
        else None
    )


def novelty(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    """Draw each accepted instruction's similarity to earlier ones; None if it was not recorded."""
    dots, means = [], []
    for run, name in zip(runs, names, strict=True):
        accepted = [
            (at, one.highest)
            for at, one in enumerate(run.accepted, start=1)
            if one.highest is not None
        ]
        dots += [
            {"run": name, "number": at, "highest": highest}
            for at, highest in accepted[:: max(1, -(-len(accepted) * len(runs) // _MOST_POINTS))]
        ]
        means += [
            {"run": name, "number": at, "mean": mean} for at, mean in running_means(run.accepted)
        ]
    if not dots:
        return None
    return Figure(
        "novelty",
        "Likeness of each accepted instruction to those before it",
        "The highest ROUGE-L F1 of each accepted instruction to the seed tasks and to those before "
        f"it, and its running mean. Above {THRESHOLD} a candidate is dropped: a mean that climbs "
        "towards it says that the model runs dry.",
        _novelty_chart(dots, means, names) | {"width": _WIDE},
        _novelty_chart(dots, means, names),
    )


def yielded(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    """Draw the running share of accepted candidates; None if there are no candidates."""
    values = [
        {"run": name, "request": request, "share": share}
        for run, name in zip(runs, names, strict=True)
        for request, share in accepted_share(run.accepted, run.dropped)
    ]
    return (
        Figure(
            "yield",
            "Share of candidates accepted",
            "The running share of candidates that were novel and well-formed, request by request.",
            chart(
                values,
                height=PLOT_HEIGHT,
                mark={"type": "line", **LINE, "point": len(values) < 4},
                encoding={
                    "x": quantity("request", "request", scale={"nice": False, "zero": False}),
                    "y": quantity(
                        "share", "accepted", scale={"domain": [0, 1]}, axis={"format": ".0%"}
                    ),
                    "color": colours(names),
                },
            ),
        )
        if values
        else None
    )


def _novelty_chart(dots: Values, means: Values, names: Sequence[str]) -> dict[str, Any]:
    color = colours(names)
    highest = max(THRESHOLD, *(dot["highest"] for dot in dots))
    return chart(
        dots,
        height=PLOT_HEIGHT + 30,
        layer=[
            {
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 15,
                    "opacity": 0.42,
                    "aria": False,
                },
                "encoding": {
                    "x": quantity("number", "accepted instruction", scale={"nice": False}),
                    "y": quantity("highest", "ROUGE-L F1", scale={"domain": [0, highest]}),
                    "color": color,
                },
            },
            {
                "data": {"values": means},
                "mark": {"type": "line", **LINE},
                "encoding": {
                    "x": {"field": "number", "type": "quantitative"},
                    "y": {"field": "mean", "type": "quantitative"},
                    "color": color,
                },
            },
            _line_at(THRESHOLD, f"dropped above {THRESHOLD}"),
        ],
    )


def _line_at(value: float, words: str) -> dict[str, Any]:
    y = {"datum": value}
    return {
        "data": {"values": [{}]},  # draw it once, not once per value
        "layer": [
            {
                "mark": {"type": "rule", "color": MUTED, "strokeDash": [4, 3], "aria": False},
                "encoding": {"y": y},
            },
            {
                "mark": {
                    "type": "text",
                    "align": "right",
                    "dy": -6,
                    "color": MUTED,
                    "fontSize": 10.5,
                    "text": words,
                    "aria": False,
                },
                "encoding": {"y": y, "x": {"value": "width"}},
            },
        ],
    }

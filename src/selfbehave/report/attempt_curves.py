"""The figure of attempts: how many scenarios reached each rung with each further attempt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..figures.vega import Figure, chart, colours, quantity
from .attempts import reached_after
from .facts import RunFacts

__all__ = ["attempts"]

_RUNGS_SHOWN = ("bound", "passing", "discriminating", "causal")
_MOST_PARTS = 6  # of a bar; the last part has all further attempts
_FAINTEST = 0.25
_STEP = 22  # pixels per bar


def attempts(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    """Draw the share of scenarios at each rung, in parts by attempt; None without attempts."""
    values = [
        value
        for run, name in zip(runs, names, strict=True)
        for rung, counts in reached_after(run.attempts).items()
        if rung in _RUNGS_SHOWN
        for value in _parts(rung, counts, len({one.task for one in run.attempts}), name)
    ]
    if not values:
        return None
    where: dict[str, Any] = {
        "y": {"field": "rung", "type": "nominal", "sort": list(_RUNGS_SHOWN), "title": None},
        "x": quantity(
            "from",
            "share of the scenarios",
            scale={"domain": [0, 1]},
            axis={"format": ".0%"},
        ),
        "x2": {"field": "to"},
        "color": colours(names),
        "opacity": {
            "field": "attempt",
            "type": "quantitative",
            "scale": {
                "type": "sqrt",  # the first attempts differ most
                "domain": [0, _MOST_PARTS - 1],
                "range": [1, _FAINTEST],
            },
            "legend": None,
        },
        "description": {"field": "words"},
    }
    height: dict[str, Any] = {"step": _STEP}
    if len(names) > 1:
        where["yOffset"] = {"field": "run", "type": "nominal", "sort": list(names)}
        height = {"step": _STEP - 8, "for": "offset"}
    return Figure(
        "attempts",
        "What each attempt adds",
        "Share of the scenarios that reached each rung. The strongest colour is for the first "
        "attempt, each fainter one for one more.",
        chart(values, height=height, mark={"type": "bar"}, encoding=where),
    )


def _parts(rung: str, counts: Sequence[int], scenarios: int, name: str) -> list[dict[str, Any]]:
    """The parts of one bar: what each attempt adds, and all further attempts together."""
    if len(counts) > _MOST_PARTS:
        counts = [*counts[: _MOST_PARTS - 1], counts[-1]]
    found = []
    before = 0
    for attempt, count in enumerate(counts):
        if count > before or not attempt:
            found.append(
                {
                    "run": name,
                    "rung": rung,
                    "attempt": attempt,
                    "from": before / scenarios,
                    "to": count / scenarios,
                    "words": f"{rung}, {name}: {count:,} of {scenarios:,} scenarios, "
                    f"{count - before:,} of them with attempt {attempt + 1}"
                    + (" or a later one" if attempt == _MOST_PARTS - 1 else ""),
                }
            )
        before = count
    return found

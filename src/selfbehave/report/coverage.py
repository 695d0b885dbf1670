"""The heat map of a run's axes: how many scenarios each cell gave, and how many are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..axes.axes_file import packaged_axes
from ..figures.palette import INK, SERIES
from ..figures.vega import Figure, chart, label
from .facts import RunFacts

__all__ = ["cells_covered", "coverage"]

_STEP = 20  # pixels per group
_DARKEST = 0.55  # so that the numbers stay readable


def cells_covered(run: RunFacts, rows: str, columns: str) -> Counter[tuple[str, str]]:
    """Count the accepted scenarios of each pair of values of two axes."""
    return _pairs((one.axes for one in run.accepted), rows, columns)


def coverage(run: RunFacts, name: str) -> Figure | None:
    """Draw groups of systems against features of Gherkin; None if nothing steered the run.

    Args:
        name: of the figure's files.
    """
    accepted = cells_covered(run, "group", "feature")
    if not accepted:
        return None
    kept = _pairs((row.finished.axes for row in run.kept), "group", "feature")
    groups = sorted(_values("group", {group for group, _ in accepted}))
    features = _values("feature", {feature for _, feature in accepted})
    values = [
        {
            "group": group,
            "feature": feature.replace("_", " "),
            "count": accepted[group, feature],
            "number": f"{kept[group, feature]} of {accepted[group, feature]}"
            if accepted[group, feature]
            else "",
            "words": f"{group}, {feature.replace('_', ' ')}: {accepted[group, feature]:,} "
            f"scenarios, {kept[group, feature]:,} rows kept",
        }
        for group in groups
        for feature in features
    ]
    axes = [one.axes for one in run.accepted if one.axes]
    systems, kinds = ({one.get(axis) for one in axes} for axis in ("system", "kind"))
    where: dict[str, Any] = {
        "y": {"field": "group", "type": "nominal", "sort": list(groups), "title": None},
        "x": {
            "field": "feature",
            "type": "nominal",
            "sort": [one.replace("_", " ") for one in features],
            "title": None,
            "axis": {"orient": "top", "labelAngle": 0, "labelFontSize": 9.5, "labelPadding": 4},
        },
    }
    darkness = {"domain": [0, max(accepted.values())], "range": [0.04, _DARKEST]}
    return Figure(
        name,
        "Cells of the axes" if name == "cells" else f"Cells of the axes, {label(run.name)}",
        f"Scenarios by group of systems and feature of Gherkin: rows kept of scenarios accepted. "
        f"{len(systems)} systems and {len(kinds)} kinds of rules are covered; "
        f"{sum(count > 0 for count in accepted.values())} of these {len(values)} cells.",
        chart(
            values,
            height={"step": _STEP},
            layer=[
                {
                    "mark": {"type": "rect", "color": SERIES[0], "cornerRadius": 2},
                    "encoding": {
                        **where,
                        "opacity": {
                            "field": "count",
                            "type": "quantitative",
                            "scale": darkness,
                            "legend": None,
                        },
                        "description": {"field": "words"},
                    },
                },
                {
                    "mark": {"type": "text", "color": INK, "fontSize": 9, "aria": False},
                    "encoding": {**where, "text": {"field": "number"}},
                },
            ],
        ),
    )


def _pairs(axes: Iterable[Mapping[str, str]], rows: str, columns: str) -> Counter[tuple[str, str]]:
    return Counter((one[rows], one[columns]) for one in axes if rows in one and columns in one)


def _values(axis: str, seen: set[str]) -> Sequence[str]:
    """All values that could be seen: those of the packaged table, if the run was steered by it."""
    packaged = packaged_axes().values_of(axis)
    return packaged if seen <= {*packaged} else sorted(seen)

"""The figures of a report: funnel, pace, novelty, ladder, faults, lengths, domains.

Vega-Lite draws each figure from precomputed values. Each mark links to its rows, and the page uses
the link as a filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..figures.palette import MUTED
from ..figures.vega import Figure, chart, colours, label, quantity, rows_link
from . import attempt_curves, curves, histograms
from .counts import dropped_by_reason, fault_counts, funnel, rungs_reached
from .coverage import coverage
from .diversity import domain_counts
from .facts import RunFacts
from .sunburst import sunburst

__all__ = ["figures"]

_MOST_BARS = 14
_STEP = 19  # pixels per bar
_RUNGS_SHOWN = ("parsed", "bound", "passing", "discriminating", "causal")


def figures(runs: Sequence[RunFacts]) -> list[Figure]:
    """Draw the figures for which there is data."""
    names = [label(run.name) for run in runs]
    made = [
        _funnel(runs, names),
        _dropped(runs, names),
        curves.pace(runs, names),
        curves.novelty(runs, names),
        histograms.likeness(runs, names),
        curves.yielded(runs, names),
        _ladder(runs, names),
        _faults(runs, names),
        attempt_curves.attempts(runs, names),
        *histograms.lengths(runs, names),
        _domains(runs, names),
        *(
            coverage(run, f"cells_{number}" if len(runs) > 1 else "cells")
            for number, run in enumerate(runs, start=1)
        ),
        *(
            sunburst(run, f"deeds_{number}" if len(runs) > 1 else "deeds")
            for number, run in enumerate(runs, start=1)
        ),
    ]
    return [figure for figure in made if figure is not None]


def _funnel(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    values = []
    for run, name in zip(runs, names, strict=True):
        for step in funnel(run):
            if step.count is not None:
                values.append({"run": name, "step": step.name, "count": step.count})
    order = [step.name for step in max(map(funnel, runs), key=len)]
    return (
        Figure(
            "funnel",
            "Step by step",
            "How many there are at each step, from requests for new scenarios to rows of the data.",
            _bars(values, names, "step", order),
        )
        if values
        else None
    )


def _dropped(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    values = []
    for run, name in zip(runs, names, strict=True):
        for (stage, reason), count in dropped_by_reason(run).items():
            words = label(f"{stage}: {reason.replace('_', ' ')}", 34)
            values.append({"run": name, "reason": words, "count": count})
    return (
        Figure(
            "dropped",
            "Dropped, by reason",
            "How many candidates and answers were dropped, by stage and reason.",
            _bars(values, names, "reason", _largest(values, "reason")),
        )
        if values
        else None
    )


def _ladder(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    values = []
    for run, name in zip(runs, names, strict=True):
        for share in rungs_reached(run):
            value = share.estimate
            if share.name not in _RUNGS_SHOWN or value.value is None:
                continue
            values.append(
                {
                    "run": name,
                    "rung": share.name,
                    "share": value.value,
                    "low": value.low,
                    "high": value.high,
                    "link": rows_link(run=run.name, reached=share.name),
                    "words": f"{share.name}, {name}: {share.count:,} of {share.of:,} pairs, "
                    f"{100 * value.value:.1f}%",
                }
            )
    if not values:
        return None
    reached = [rung for rung in _RUNGS_SHOWN if any(value["rung"] == rung for value in values)]
    where: dict[str, Any] = {
        "y": {"field": "rung", "type": "nominal", "sort": reached, "title": None},
        "yOffset": {"field": "run", "type": "nominal", "sort": list(names)},
        "color": colours(names),
    }
    share_axis = quantity(
        "share",
        "share of the pairs, with its 95% interval",
        scale={"domain": [0, 1]},
        axis={"format": ".0%"},
    )
    return Figure(
        "ladder",
        "The BDD ladder",
        "Share of the pairs of scenario and step functions that reached each rung, with 95% "
        "intervals.",
        chart(
            values,
            height={"step": _bar_step(len(names)) + 4, "for": "offset"},
            layer=[
                {
                    "mark": {"type": "bar", "opacity": 0.3, "cornerRadiusEnd": 2, "aria": False},
                    "encoding": {**where, "x": share_axis},
                },
                {
                    "mark": {"type": "rule", "size": 2.2, "aria": False},
                    "encoding": {
                        **where,
                        "x": quantity("low", share_axis["title"]),
                        "x2": {"field": "high"},
                    },
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 62, "opacity": 1},
                    "encoding": {
                        **where,
                        "x": quantity("share", share_axis["title"]),
                        "href": {"field": "link"},
                        "description": {"field": "words"},
                    },
                },
            ],
        ),
    )


def _faults(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    values = [
        {
            "run": name,
            "fault": label(fault),
            "count": count,
            "link": rows_link(run=run.name, fault=fault),
        }
        for run, name in zip(runs, names, strict=True)
        for fault, count in fault_counts(run).items()
    ]
    return (
        Figure(
            "faults",
            "Faults of rows",
            "In how many rows there is each kind of fault. A hard-coded outcome, an idle action "
            "and an idle step keep a row from no rung; each other kind keeps it from the next.",
            _bars(values, names, "fault", _largest(values, "fault")),
        )
        if values
        else None
    )


def _domains(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    values = [
        {
            "run": name,
            "domain": label(domain, 32),
            "count": count,
            "link": rows_link(run=run.name, domain=domain),
        }
        for run, name in zip(runs, names, strict=True)
        for domain, count in domain_counts(run.rows).items()
    ]
    return (
        Figure(
            "domains",
            "What the scenarios are about",
            "Rows by domain: clusters of their words, each named by typical ones.",
            _bars(values, names, "domain", _largest(values, "domain", 20)),
        )
        if values
        else None
    )


def _bars(
    values: Sequence[Mapping[str, Any]], names: Sequence[str], field: str, order: Sequence[str]
) -> dict[str, Any]:
    """Draw horizontal bars in a given order, labelled with their counts and grouped by run."""
    shown = [
        {
            **value,
            "words": f"{value[field]}, {value['run']}: {value['count']:,}",
            "number": f"{value['count']:,}",
        }
        for value in values
        if value[field] in set(order)
    ]
    # Leave room for the numbers after the bars.
    longest = 1.18 * max(value["count"] for value in shown)
    base: dict[str, Any] = {
        "y": {"field": field, "type": "nominal", "sort": list(order), "title": None},
        "x": quantity("count", None, axis=None, scale={"domain": [0, longest], "nice": False}),
    }
    height: dict[str, Any] = {"step": _bar_step(len(names))}
    if len(names) > 1:
        base["yOffset"] = {"field": "run", "type": "nominal", "sort": list(names)}
        height["for"] = "offset"
    described = {"description": {"field": "words"}}
    if any("link" in value for value in shown):
        described["href"] = {"field": "link"}
    return chart(
        shown,
        height=height,
        layer=[
            {
                "mark": {"type": "bar", "cornerRadiusEnd": 3},
                "encoding": {**base, "color": colours(names), **described},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "color": MUTED, "aria": False},
                "encoding": {**base, "text": {"field": "number"}},
            },
        ],
    )


def _bar_step(runs: int) -> int:
    return _STEP + 5 if runs == 1 else _STEP - 4


def _largest(values: Iterable[Mapping[str, Any]], field: str, most: int = _MOST_BARS) -> list[str]:
    totals: dict[str, int] = {}
    for value in values:
        totals[value[field]] = totals.get(value[field], 0) + value["count"]
    return sorted(totals, key=lambda name: (-totals[name], name))[:most]

"""The figures of a report: funnel, pace, novelty, ladder, faults, lengths, domains.

Each is drawn by Vega-Lite from values that are counted already. Links lead to the rows behind a
mark: the page filters by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from ..novelty import THRESHOLD
from .counts import (
    accepted_share,
    dropped_by_reason,
    fault_counts,
    funnel,
    rates,
    rungs_reached,
    running_means,
)
from .diversity import domain_counts, words_of
from .drawing import MUTED, Figure, chart, colours, label
from .facts import Row, RunFacts
from .sunburst import sunburst

__all__ = ["figures", "rows_link"]

Values = list[dict[str, Any]]

_MOST_POINTS = 600  # dots of a figure; of a longer run every so many
_MOST_BARS = 14
_STEP = 19  # pixels, of a bar
_PLOT_HEIGHT = 190
_RUNGS_SHOWN = ("parsed", "bound", "passing", "discriminating")


def figures(runs: Sequence[RunFacts]) -> list[Figure]:
    """The figures that there are data for."""
    names = [label(run.name) for run in runs]
    made = [
        _funnel(runs, names),
        _dropped(runs, names),
        _pace(runs, names),
        _novelty(runs, names),
        _highest(runs, names),
        _yield(runs, names),
        _ladder(runs, names),
        _faults(runs, names),
        *_lengths(runs, names),
        _domains(runs, names),
        *(
            sunburst(run, f"deeds_{number}" if len(runs) > 1 else "deeds")
            for number, run in enumerate(runs, start=1)
        ),
    ]
    return [figure for figure in made if figure is not None]


def rows_link(**wanted: str) -> str:
    """A link to the rows with such properties."""
    pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted.items())
    # Vega takes a fragment for a path of its own, which the page takes away again.
    return f"#rows?{pairs}"


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
            "From asking to data",
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


def _pace(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
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
                height=_PLOT_HEIGHT,
                mark={
                    "type": "area",
                    "interpolate": "step",
                    "opacity": 0.22,
                    "line": {"size": 1.8},
                },
                encoding={
                    "x": _quantity("minute", "minutes at work"),
                    "y": _quantity("rate", "answers per minute", stack=None),
                    "color": colours(names),
                },
            ),
        )
        if values
        else None
    )


def _novelty(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
    dots, means = [], []
    for run, name in zip(runs, names, strict=True):
        told = [
            (at, one.highest)
            for at, one in enumerate(run.accepted, start=1)
            if one.highest is not None
        ]
        dots += [
            {"run": name, "number": at, "highest": highest}
            for at, highest in told[:: max(1, -(-len(told) * len(runs) // _MOST_POINTS))]
        ]
        means += [
            {"run": name, "number": at, "mean": mean} for at, mean in running_means(run.accepted)
        ]
    if not dots:
        return None
    y = {"scale": {"domain": [0, max(THRESHOLD, *(dot["highest"] for dot in dots))]}}
    return Figure(
        "novelty",
        "Likeness of each accepted instruction",
        "The highest ROUGE-L F1 of each accepted instruction to the seed tasks and those before "
        f"it, and its running mean. Above {THRESHOLD} a candidate is dropped: a mean that climbs "
        "there says that the model runs dry.",
        chart(
            dots,
            height=_PLOT_HEIGHT,
            layer=[
                {
                    "mark": {
                        "type": "point",
                        "filled": True,
                        "size": 14,
                        "opacity": 0.38,
                        "aria": False,
                    },
                    "encoding": {
                        "x": _quantity("number", "accepted instruction", scale={"nice": False}),
                        "y": _quantity("highest", "highest ROUGE-L F1", **y),
                        "color": colours(names),
                    },
                },
                {
                    "data": {"values": means},
                    "mark": {"type": "line", "size": 2.4},
                    "encoding": {
                        "x": {"field": "number", "type": "quantitative"},
                        "y": {"field": "mean", "type": "quantitative"},
                        "color": colours(names),
                    },
                },
                _line_at(THRESHOLD, f"dropped above {THRESHOLD}"),
            ],
        ),
    )


def _line_at(value: float, words: str) -> dict[str, Any]:
    y = {"datum": value}
    return {
        "layer": [
            {"mark": {"type": "rule", "color": MUTED, "strokeDash": [4, 3]}, "encoding": {"y": y}},
            {
                "mark": {
                    "type": "text",
                    "align": "right",
                    "dy": -6,
                    "color": MUTED,
                    "fontSize": 10.5,
                    "text": words,
                },
                "encoding": {"y": y, "x": {"value": "width"}},
            },
        ]
    }


def _highest(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
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


def _yield(runs: Sequence[RunFacts], names: Sequence[str]) -> Figure | None:
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
                height=_PLOT_HEIGHT,
                mark={"type": "line", "size": 2.4, "point": len(values) < 4},
                encoding={
                    "x": _quantity("request", "request", scale={"nice": False, "zero": False}),
                    "y": _quantity(
                        "share", "accepted", scale={"domain": [0, 1]}, axis={"format": ".0%"}
                    ),
                    "color": colours(names),
                },
            ),
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
    share_axis = _quantity(
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
                        "x": _quantity("low", share_axis["title"]),
                        "x2": {"field": "high"},
                    },
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 62, "opacity": 1},
                    "encoding": {
                        **where,
                        "x": _quantity("share", share_axis["title"]),
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
            "What kept rows from the next rung",
            "In how many rows there is each kind of fault.",
            _bars(values, names, "fault", _largest(values, "fault")),
        )
        if values
        else None
    )


def _lengths(runs: Sequence[RunFacts], names: Sequence[str]) -> list[Figure | None]:
    measures: tuple[tuple[str, str, str, Callable[[Row], int | None]], ...] = (
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


def _whole_edges(lowest: int, highest: int, most: int = 16) -> Any:
    """Edges between whole numbers, equally far apart, for no more than so many bins."""
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
    """Shares of each run's values by bins, so that runs of different sizes compare."""
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
    several = len(names) > 1
    return Figure(
        name,
        title,
        text,
        chart(
            values,
            height=_PLOT_HEIGHT,
            mark={"type": "bar", "opacity": 0.45 if several else 0.8, "binSpacing": 1},
            encoding={
                "x": _quantity(
                    "from", axis, scale={"nice": False, "zero": False}, bin={"binned": True}
                ),
                "x2": {"field": "to"},
                "y": _quantity("share", "share", stack=None, axis={"format": ".0%"}),
                "color": colours(names),
                "description": {"field": "words"},
            },
        ),
    )


def _between(low: float, high: float) -> str:
    if high - low < 1:
        return f"{low:.2f} to {high:.2f}"
    first, last = round(low + 0.5), round(high - 0.5)
    return str(first) if first == last else f"{first} to {last}"


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
    """Bars from the left, in an order, each with its number; those of several runs together."""
    shown = [
        {
            **value,
            "words": f"{value[field]}, {value['run']}: {value['count']:,}",
            "number": f"{value['count']:,}",
        }
        for value in values
        if value[field] in set(order)
    ]
    base: dict[str, Any] = {
        "y": {"field": field, "type": "nominal", "sort": list(order), "title": None},
        "x": _quantity("count", None, axis=None, scale={"padding": 34, "zero": True}),
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


def _quantity(field: str, title: str | None, **parts: Any) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "title": title, **parts}

"""The deeds of a run as a sunburst: actors in the centre, then verbs, then objects.

It follows Self-Instruct's figure of root verbs and their nouns (Wang et al., figure 3) and uses
Vega's partition layout.
"""

from __future__ import annotations

from typing import Any

from ..figures.palette import INK, MUTED, SERIES
from ..figures.vega import FACE, Figure, label, rows_link
from .diversity import OTHERS, Branch, deed_tree
from .facts import RunFacts

__all__ = ["sunburst"]

_VEGA = "https://vega.github.io/schema/vega/v6.json"
_WIDE, _NARROW = 600, 380  # pixels across
_ROOT = "all"
_OF_RING = ("actor", "verb", "object")


def sunburst(run: RunFacts, name: str) -> Figure | None:
    """Draw a run's deeds; None if the rules found none."""
    deeds = [row.deed for row in run.rows if row.deed is not None]
    if not deeds:
        return None
    branches = deed_tree(deeds)
    with_scenario = sum(row.finished.scenario is not None for row in run.rows)
    return Figure(
        name,
        f"Who does what, in {label(run.name)}",
        "The actor, the verb and the object of each scenario's first When: "
        f"{len(deeds):,} of {with_scenario:,} scenarios have one that the rules read.",
        _specification(run.name, branches, len(deeds), _WIDE),
        _specification(run.name, branches, len(deeds), _NARROW),
    )


def _specification(run: str, branches: list[Branch], total: int, size: int) -> dict[str, Any]:
    radius = size / 2
    font = 10.5 if size == _WIDE else 9.5
    return {
        "$schema": _VEGA,
        "width": size,
        "height": size,
        "padding": 0,
        "background": None,
        "data": [
            {
                "name": "tree",
                "values": _nodes(run, branches, total),
                "transform": [
                    {"type": "stratify", "key": "id", "parentKey": "parent"},
                    {
                        "type": "partition",
                        "field": "own",
                        "sort": {"field": "rank"},
                        "size": [{"signal": "2 * PI"}, radius],
                        "as": ["a0", "r0", "a1", "r1", "depth", "children"],
                    },
                    {"type": "filter", "expr": "datum.depth > 0"},
                    # A narrower hole than the layout's leaves room for the labels.
                    {
                        "type": "formula",
                        "as": "inner",
                        "expr": f"{radius} * (0.14 + 0.86 * (datum.depth - 1) / 3)",
                    },
                    {
                        "type": "formula",
                        "as": "outer",
                        "expr": f"{radius} * (0.14 + 0.86 * datum.depth / 3)",
                    },
                    {"type": "formula", "as": "middle", "expr": "(datum.a0 + datum.a1) / 2"},
                    {
                        "type": "formula",
                        "as": "arc",
                        "expr": "(datum.a1 - datum.a0) * (datum.inner + datum.outer) / 2",
                    },
                    {
                        "type": "formula",
                        "as": "turned",
                        "expr": "datum.middle > PI",
                    },
                ],
            }
        ],
        "marks": [
            {
                "type": "arc",
                "from": {"data": "tree"},
                "encode": {
                    "enter": {
                        "x": {"value": radius},
                        "y": {"value": radius},
                        "startAngle": {"field": "a0"},
                        "endAngle": {"field": "a1"},
                        "innerRadius": {"field": "inner"},
                        "outerRadius": {"signal": "datum.outer - 1"},
                        "padAngle": {"signal": "min(0.006, (datum.a1 - datum.a0) / 5)"},
                        "fill": {"field": "colour"},
                        "fillOpacity": {"signal": "[0, 0.5, 0.34, 0.2][datum.depth]"},
                        "href": {"field": "link"},
                        "description": {"field": "words"},
                    }
                },
            },
            {
                "type": "text",
                "from": {"data": "tree"},
                "aria": False,
                "interactive": False,
                "encode": {
                    "enter": {
                        "x": {
                            "signal": f"{radius} + sin(datum.middle) * "
                            "(datum.inner + datum.outer) / 2"
                        },
                        "y": {
                            "signal": f"{radius} - cos(datum.middle) * "
                            "(datum.inner + datum.outer) / 2"
                        },
                        "angle": {"signal": "datum.middle * 180 / PI + (datum.turned ? 90 : -90)"},
                        "align": {"value": "center"},
                        "baseline": {"value": "middle"},
                        "font": {"value": FACE},
                        "fontSize": {"value": font},
                        "fontWeight": {"signal": "datum.depth == 1 ? 600 : 400"},
                        "fill": {"value": INK},
                        "text": {"signal": f"datum.arc > {font} ? datum.name : ''"},
                        "limit": {"signal": "datum.outer - datum.inner - 8"},
                    }
                },
            },
        ],
    }


def _nodes(run: str, branches: list[Branch], total: int) -> list[dict[str, Any]]:
    """Convert the tree for Vega; a node's `own` is its count minus the counts of its children."""
    beneath: dict[tuple[str, ...], int] = {}
    for branch in branches:
        beneath[branch.path[:-1]] = beneath.get(branch.path[:-1], 0) + branch.count
    actors = list(dict.fromkeys(branch.path[0] for branch in branches))
    nodes: list[dict[str, Any]] = [{"id": _ROOT, "own": 0, "rank": 0}]
    for rank, branch in enumerate(branches):
        at = actors.index(branch.path[0])
        nodes.append(
            {
                "id": "\n".join((_ROOT, *branch.path)),
                "parent": "\n".join((_ROOT, *branch.path[:-1])),
                "own": branch.count - beneath.get(branch.path, 0),
                "rank": rank,
                "name": label(branch.path[-1], 18),
                "colour": MUTED if branch.path[0] == OTHERS else SERIES[at % len(SERIES)],
                "words": f"{' · '.join(branch.path)}: {branch.count:,} of {total:,}",
                "link": _link(run, branch.path),
            }
        )
    return nodes


def _link(run: str, path: tuple[str, ...]) -> str:
    """Return the link to a branch's rows, filtered by its names other than `OTHERS`."""
    named = {ring: word for ring, word in zip(_OF_RING, path, strict=False) if word != OTHERS}
    return rows_link(run=run, **named)

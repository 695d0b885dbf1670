"""Verdicts of the ladder to keep: their keys, their JSON, and climbing that asks twice."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from itertools import islice
from typing import Any

from .faults import Detail, Fault, FaultCode, fault_from_dict, fault_to_dict
from .ladder import RULES_VERSION, Ladder, Rung, climb_each
from .sandbox import Limits

__all__ = ["Row", "climb_settled", "judges", "ladder_from", "ladder_to", "verdict_key"]

Row = tuple[str, str, str]  # instruction, input, output

_AT_ONCE = 32  # rows that climb before the first of them is settled
_DECIDED_BY = ("selfbehave", "behave", "gherkin-official")


def verdict_key(row: Row, top: Rung) -> str:
    """A digest of everything that determines a verdict: row, target rung and judges."""
    text = json.dumps([*row, str(top), *judges()])
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@functools.cache
def judges() -> tuple[str, ...]:
    """What determines a verdict besides the pair: rules and packages with their versions."""
    rules = f"ladder rules {RULES_VERSION}"
    return (rules, *(f"{name} {version(name)}" for name in _DECIDED_BY))


def ladder_to(ladder: Ladder) -> dict[str, Any]:
    """A ladder as a JSON object."""
    return {
        "rung": str(ladder.rung),
        "scenario_parses": ladder.scenario_parses,
        "python_compiles": ladder.python_compiles,
        "faults": [fault_to_dict(fault) for fault in ladder.faults],
        "change": ladder.change,
        "input_change": ladder.input_change,
    }


def ladder_from(fields: Mapping[str, Any]) -> Ladder:
    """The ladder from an object that `ladder_to` made."""
    faults = tuple(fault_from_dict(fault) for fault in fields["faults"])
    known = dict(fields) | {"rung": Rung.named(fields["rung"]), "faults": faults}
    return Ladder(**known)


def climb_settled(
    rows: Iterable[Row],
    top: Rung,
    workers: int | None = None,
    limits: Limits | None = None,
) -> Iterator[Ladder]:
    """Like `climb_each`, but a row that passes climbs twice.

    Generated code may depend on the clock, on chance or on the order of a set. If the two rungs
    differ, the verdict is the lower one, with the fault `unstable`.
    """
    waiting = iter(rows)
    # In blocks, so that verdicts are known, shown and kept long before the last one is.
    while block := list(islice(waiting, _AT_ONCE)):
        first = list(climb_each(block, top, workers, limits))
        again = climb_each(
            [row for row, ladder in zip(block, first, strict=True) if _runs(ladder)],
            top,
            workers,
            limits,
        )
        for ladder in first:
            yield _settled(ladder, next(again)) if _runs(ladder) else ladder


def _runs(ladder: Ladder) -> bool:
    return ladder.rung >= Rung.PASSING


def _settled(one: Ladder, other: Ladder) -> Ladder:
    if one.rung == other.rung:
        return one
    lower, higher = sorted((one, other), key=lambda ladder: ladder.rung)
    detail = Detail(words=f"{higher.rung}, then {lower.rung}")
    if one is lower:
        detail = Detail(words=f"{lower.rung}, then {higher.rung}")
    return replace(lower, faults=(*lower.faults, Fault(FaultCode.UNSTABLE, detail=detail)))

"""Climb the ladder with rows whose verdicts a journal does not have yet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Protocol

from ..bdd.ladder import Climbing, Ladder, Rung
from ..bdd.verdicts import Row, ladder_from, ladder_to, verdict_key

__all__ = ["VerdictKeeper", "climb_once"]


class VerdictKeeper(Protocol):
    """Stores verdicts under keys, like `Journal`."""

    def find_verdict(self, key: str) -> str | None: ...

    def keep_verdict(self, key: str, verdict: str) -> None: ...


def climb_once(
    rows: Iterable[Row], top: Rung, climbing: Climbing, keeper: VerdictKeeper
) -> Iterator[Ladder]:
    """The ladders of rows, in order; those without a stored verdict climb, and are stored."""
    rows = list(rows)
    keys = [verdict_key(row, top) for row in rows]
    known = [keeper.find_verdict(key) for key in keys]
    missing = [row for row, verdict in zip(rows, known, strict=True) if verdict is None]
    climbed = iter(climbing(missing, top))
    for key, verdict in zip(keys, known, strict=True):
        if verdict is not None:
            yield ladder_from(json.loads(verdict))
            continue
        ladder = next(climbed)
        keeper.keep_verdict(key, json.dumps(ladder_to(ladder)))
        yield ladder

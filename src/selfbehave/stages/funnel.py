"""The funnel of a run, from requests to rows: what is counted, and the steps that stages add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FunnelStep", "RunCounts"]


@dataclass(frozen=True)
class RunCounts:
    """What the files of a run hold, counted.

    Attributes:
        answers: in the journal, by stage.
        records: by file; only files that exist are there.
        dropped: candidates, by stage and reason.
        pairs: of a scenario and step functions that climbed the ladder.
        reached: by rung, how many pairs reached it; None for a rung that no pair tried.
    """

    answers: Mapping[str, int]
    records: Mapping[str, int]
    dropped: Mapping[tuple[str, str], int]
    pairs: int
    reached: Mapping[str, int | None]


@dataclass(frozen=True)
class FunnelStep:
    """A step on the way from requests to data; `count` is None where the run's files lack it."""

    name: str
    count: int | None
    meaning: str

"""The funnel of a run, from requests to rows: its counts, and the steps that stages add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FunnelStep", "RunCounts"]


@dataclass(frozen=True)
class RunCounts:
    """Counts from the files of a run.

    Attributes:
        answers: the number of answers in the journal, by stage.
        records: the number of records, by file; missing files are left out.
        dropped: the number of dropped candidates, by stage and reason.
        pairs: the number of pairs of scenario and step functions checked on the ladder.
        reached: the number of pairs that reached each rung; None for a rung that was not checked.
    """

    answers: Mapping[str, int]
    records: Mapping[str, int]
    dropped: Mapping[tuple[str, str], int]
    pairs: int
    reached: Mapping[str, int | None]


@dataclass(frozen=True)
class FunnelStep:
    """A step from requests to data; `count` is None if the run's files do not contain it."""

    name: str
    count: int | None
    meaning: str

"""Count the rows of runs that reached each rung of the BDD ladder."""

from __future__ import annotations

from collections.abc import Sequence

from ..bdd.faults import blocks
from ..bdd.ladder import Rung
from ..core.rungs import RUNGS
from ..stats.proportions import Share
from .finished import FinishedRow

__all__ = ["rung_shares"]


def rung_shares(rows: Sequence[FinishedRow]) -> list[Share]:
    """The number of rows with a scenario that reached each rung or a higher one.

    If a run did not climb as far as a rung, its rows do not count for that rung.
    """
    with_rung = [(row, Rung.named(row.rung)) for row in rows if row.rung is not None]
    climbed: dict[str, int] = {}
    for row, rung in with_rung:
        # A blocking fault kept the row from the next rung, so the run tried that rung.
        tried = rung + 1 if any(map(blocks, row.fault_codes)) else rung
        climbed[row.run] = max(tried, climbed.get(row.run, tried))
    shares = []
    for name in RUNGS:
        wanted = Rung.named(name)
        reached = [rung >= wanted for row, rung in with_rung if climbed[row.run] >= wanted]
        shares.append(Share(name, sum(reached), len(reached)))
    return shares if with_rung else []

"""How many rows of runs reached each rung of the BDD ladder."""

from __future__ import annotations

from collections.abc import Sequence

from ..bdd.faults import blocks
from ..bdd.ladder import Rung
from ..core.rungs import RUNGS
from ..stats.proportions import Share
from .finished import FinishedRow

__all__ = ["rung_shares"]


def rung_shares(rows: Sequence[FinishedRow]) -> list[Share]:
    """Of the rows with a scenario, how many reached each rung or one above it.

    Rows of a run that did not climb as far as a rung say nothing of it, and do not count there.
    """
    with_rung = [(row, Rung.named(row.rung)) for row in rows if row.rung is not None]
    climbed: dict[str, int] = {}
    for row, rung in with_rung:
        # A blocking fault is what kept the row from the next rung, so that one was tried.
        tried = rung + 1 if any(map(blocks, row.fault_codes)) else rung
        climbed[row.run] = max(tried, climbed.get(row.run, tried))
    shares = []
    for name in RUNGS:
        wanted = Rung.named(name)
        reached = [rung >= wanted for row, rung in with_rung if climbed[row.run] >= wanted]
        shares.append(Share(name, sum(reached), len(reached)))
    return shares if with_rung else []

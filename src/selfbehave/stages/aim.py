"""The aim of a run: the rung that a row must reach, and the faults that it must not have."""

from __future__ import annotations

from dataclasses import dataclass

from ..bdd.faults import FaultCode
from ..bdd.ladder import Ladder, Rung, reachable

__all__ = ["BOUND_ROWS", "Aim", "Checking", "checking_for"]

# A row with one of these can be causal and still teach something wrong.
_UNWANTED = (
    FaultCode.HARD_CODED_OUTCOME,
    FaultCode.IDLE_ACTION,
    FaultCode.IDLE_STEP,
    FaultCode.IGNORED_VALUE,
)


@dataclass(frozen=True)
class Aim:
    """What a row must be.

    Attributes:
        rung: the rung that it must reach.
        takes_idle: whether a causal row may have idle steps, ignored values or hard-coded
            outcomes. Rows below `causal` may always have them.
    """

    rung: Rung
    takes_idle: bool = False

    def lack(self, ladder: Ladder) -> str | None:
        """The reason to drop a row, or None if it is what the aim wants."""
        if ladder.rung < self.rung:
            return f"below_{self.rung}"
        codes = {fault.code for fault in ladder.faults}
        if FaultCode.UNSTABLE in codes:
            return str(FaultCode.UNSTABLE)
        if self.rung == Rung.CAUSAL and not self.takes_idle:
            return next((str(code) for code in _UNWANTED if code in codes), None)
        return None

    def rank(self, ladder: Ladder) -> tuple[int, int]:
        """How good an attempt is: the best one of several has the highest rank."""
        return int(ladder.rung), -len(ladder.faults)


BOUND_ROWS = Aim(Rung.BOUND)


@dataclass(frozen=True)
class Checking:
    """How far rows are checked on this machine.

    Attributes:
        top: the highest rung that is checked.
        unchecked: the names of the rungs above it.
        reason: why these are left out.
    """

    top: Rung
    unchecked: tuple[str, ...]
    reason: str


def checking_for(aim: Aim, top_rung: Rung) -> Checking:
    """How far rows are checked: to `top_rung`, and at least to the aim.

    Without a sandbox the highest rung is `bound`, unless the aim is above it: then climbing fails
    with a clear message.
    """
    wanted = max(top_rung, aim.rung)
    top, lack = (wanted, None) if aim.rung > Rung.BOUND else reachable(wanted)
    reason = f"not available ({lack})" if lack else "not asked for"
    above = (rung for rung in Rung if rung > max(top, Rung.BOUND))
    return Checking(top, tuple(map(str, above)), reason)

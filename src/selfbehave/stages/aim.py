"""The aim of a run: the rung that a row must reach, and the faults that it must not have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from ..bdd.faults import FaultCode
from ..bdd.ladder import Ladder, Rung, reachable
from ..core.errors import SelfBehaveError
from ..engines.base import Api
from ..prompts.bdd import has_scenario
from .base import AimSettings

__all__ = [
    "BOUND_ROWS",
    "RUNG_BY_API",
    "Aim",
    "Checking",
    "aim_of",
    "check_sandbox",
    "checking_for",
    "with_aim",
]

Aiming = TypeVar("Aiming", bound=AimSettings)

# What rows must reach by default. A base model would hardly give a row that goes so far.
RUNG_BY_API: Mapping[Api, Rung] = {"chat": Rung.CAUSAL, "completions": Rung.BOUND}

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


class _Settings(Protocol):
    """The fields of `AimSettings`."""

    @property
    def min_rung(self) -> str | None: ...
    @property
    def top_rung(self) -> str: ...
    @property
    def allow_idle(self) -> bool: ...


def aim_of(settings: _Settings, default: Rung) -> Aim:
    """The aim that settings give.

    Args:
        default: the rung without `min_rung`. `top_rung` lowers it, but not below `bound`: whoever
            wants no generated code to run need not say so twice.
    """
    if settings.min_rung is not None:
        return Aim(Rung.named(settings.min_rung), settings.allow_idle)
    top = max(Rung.named(settings.top_rung), Rung.BOUND)
    return Aim(min(default, top), settings.allow_idle)


def with_aim(settings: Aiming, aim: Aim) -> Aiming:
    """Settings that name the rung of an aim, for `run.toml`."""
    return replace(settings, min_rung=str(aim.rung))


def check_sandbox(aim: Aim, instructions: Iterable[str]) -> None:
    """Refuse an aim that this machine cannot check, before anything is paid for.

    Raises:
        SelfBehaveError: the aim is above `bound`, an instruction holds a scenario, and this machine
            has no sandbox.
    """
    _, lack = reachable(aim.rung)
    if lack is not None and any(map(has_scenario, instructions)):
        raise SelfBehaveError(
            f"rows must be {aim.rung}, and generated code cannot be run safely here ({lack})",
            mend="mend that, or give --min_rung bound, which runs no generated code",
        )


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

"""From what is known about an answer to its score: a number from 0 to 1."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from ..bdd.faults import FaultCode
from ..bdd.ladder import Rung
from ..core.errors import SelfBehaveError

__all__ = ["RUNG_WEIGHTS", "Evidence", "Weights", "score"]

RUNG_WEIGHTS: Mapping[Rung, float] = MappingProxyType(
    {
        Rung.NONE: 0.0,
        Rung.TEXT: 0.0,
        Rung.PARSED: 0.1,
        Rung.BOUND: 0.2,
        Rung.PASSING: 0.2,
        Rung.DISCRIMINATING: 0.5,
        Rung.CAUSAL: 1.0,
    }
)
"""The default score of each rung. Being green alone is worth nothing: a `pass` in each function is
green, and a policy would stay there."""

# Faults of answers that pass for another reason than that they are right, or that waste a sandbox.
_SUSPECT = frozenset(
    {
        FaultCode.HARD_CODED_OUTCOME,
        FaultCode.IDLE_ACTION,
        FaultCode.UNSTABLE,
        FaultCode.RUN_TIME_LIMIT,
        FaultCode.RUN_CPU_LIMIT,
        FaultCode.RUN_OUTPUT_LIMIT,
        FaultCode.RUN_FILE_SIZE_LIMIT,
        FaultCode.RUN_KILLED,
    }
)
# Faults of an outcome that does not follow from all that was given.
_LACKING_CAUSES = (FaultCode.IDLE_STEP, FaultCode.IGNORED_VALUE)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What makes up a score.

    Attributes:
        rungs: the score of each rung, from 0 to 1, no rung below the one before it.
        suspect: the most that an answer earns with a sign of cheating: a hard-coded outcome, an
            idle action, a memorised outcome, a failed hidden check, a verdict that changes from
            run to run, or a limit of the sandbox. 1 gives signs no effect.
        causal_evidence: what a causal answer loses, half of it for each, if a Given step changes
            nothing or a value of a step is ignored.
        length: what an answer loses for each thousand characters of code above `free_length`.
        free_length: characters of code that cost nothing.

    Raises:
        SelfBehaveError: a weight is out of its range.
    """

    rungs: Mapping[Rung, float] = field(default_factory=lambda: RUNG_WEIGHTS)
    suspect: float = 0.1
    causal_evidence: float = 0.1
    length: float = 0.0
    free_length: int = 4_000

    def __post_init__(self) -> None:
        lacking = [str(rung) for rung in Rung if rung not in self.rungs]
        if lacking:
            raise SelfBehaveError(
                f"no weight for the rung {', '.join(lacking)}", mend="give one for each rung"
            )
        in_order = [self.rungs[rung] for rung in sorted(Rung)]
        if in_order != sorted(in_order):
            raise SelfBehaveError(
                f"a rung weighs less than the one below it: {in_order}",
                mend="give weights that rise from none to causal",
            )
        numbers = {f"the weight of {rung}": self.rungs[rung] for rung in Rung}
        numbers |= {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name not in ("rungs", "free_length")
        }
        for name, value in numbers.items():
            if not 0 <= value <= 1:
                raise SelfBehaveError(f"{name} must be from 0 to 1, not {value}")
        if self.free_length < 0:
            raise SelfBehaveError(f"free_length must be at least 0, not {self.free_length}")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known about an answer.

    Attributes:
        rung: the rung that it reached.
        fault_codes: the codes of its faults.
        characters: the length of its code.
        tampering: what in its code reaches for more than a step needs; None if nothing does.
        is_memorised: whether its code knows the outcome's number without computing it.
        fails_check: whether a hidden check is red.
    """

    rung: Rung
    fault_codes: Collection[str] = ()
    characters: int = 0
    tampering: str | None = None
    is_memorised: bool = False
    fails_check: bool = False

    @property
    def is_suspect(self) -> bool:
        """Whether there is a sign that the answer passes without being right."""
        return (
            self.is_memorised
            or self.fails_check
            or any(code in _SUSPECT for code in self.fault_codes)
        )


_PLAIN = Weights()


def score(evidence: Evidence, weights: Weights = _PLAIN) -> float:
    """The score of an answer, from 0 to 1. Forgery and tampering score 0."""
    if evidence.tampering or FaultCode.RUN_FORGED_RESULT in evidence.fault_codes:
        return 0.0
    value = weights.rungs[evidence.rung]
    if evidence.rung == Rung.CAUSAL:
        lacking = sum(code in evidence.fault_codes for code in _LACKING_CAUSES)
        value -= weights.causal_evidence * lacking / len(_LACKING_CAUSES)
    if evidence.is_suspect:
        value = min(value, weights.suspect)
    value -= weights.length * max(0, evidence.characters - weights.free_length) / 1_000
    return max(0.0, value)

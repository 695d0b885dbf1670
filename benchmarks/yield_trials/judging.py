"""Verdicts on a pair, by the ladder; each is kept, so that a pair is run once."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from selfbehave.bdd.faults import Fault, FaultCode
from selfbehave.bdd.ladder import RULES_VERSION, Ladder, Rung, climb_pairs
from selfbehave.stages.aim import Aim

from .kept import KeptRecords, digest

__all__ = ["Judge", "Verdict"]

_CLEAN = Aim(Rung.CAUSAL)


@dataclass(frozen=True)
class Verdict:
    """How far a pair is proven.

    Attributes:
        rung: its name.
        faults: codes, in order.
        seconds: that the ladder took.
    """

    rung: str
    faults: tuple[str, ...]
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether a run with the aim `causal` keeps it."""
        faults = tuple(Fault(FaultCode(code)) for code in self.faults)
        return _CLEAN.lack(Ladder(Rung.named(self.rung), True, True, faults)) is None


class Judge:
    """Climbs the ladder with what is not judged yet.

    Args:
        kept: the verdicts so far.
    """

    def __init__(self, kept: KeptRecords) -> None:
        self._kept = kept

    def judge(self, scenario_text: str, code: str) -> Verdict:
        """The verdict on a scenario and its step functions."""
        key = digest(RULES_VERSION, scenario_text, code)
        record = self._kept.get(key)
        if record is None:
            began = time.monotonic()
            (ladder,) = climb_pairs([(scenario_text, code)], workers=1)
            codes = tuple(str(fault.code) for fault in ladder.faults)
            verdict = Verdict(str(ladder.rung), codes, time.monotonic() - began)
            self._kept.add(key, asdict(verdict))
            return verdict
        return Verdict(record["rung"], tuple(record["faults"]), record["seconds"])

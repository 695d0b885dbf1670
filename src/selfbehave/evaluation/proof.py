"""What is proven about answers to a benchmark: the rung of each, and whether it is general."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..bdd.fences import PYTHON, first_block
from ..bdd.ladder import Ladder, Rung, climb_pairs
from .benchmark import Problem

__all__ = ["Proof", "prove"]

_NO_CODE = Ladder(Rung.NONE, True, False, ())


@dataclass(frozen=True)
class Proof:
    """What is proven about an answer.

    Attributes:
        ladder: how far it climbs with the scenario that was asked.
        is_general: it passes with this scenario and with all of its hidden checks. Never true for
            a scenario without checks.
    """

    ladder: Ladder
    is_general: bool


def prove(
    answers: Sequence[tuple[Problem, str]], top: Rung = Rung.CAUSAL, workers: int | None = None
) -> list[Proof]:
    """Climb with the code of each answer, and run it with the hidden checks, in order.

    Args:
        answers: problems, each with the text of an answer to it.

    Raises:
        SelfBehaveError: this machine has no sandbox.
    """
    codes = [_code_of(answer) for _, answer in answers]
    pairs = [
        (problem.scenario, code)
        for (problem, _), code in zip(answers, codes, strict=True)
        if code is not None
    ]
    climbed = iter(climb_pairs(pairs, top, workers))
    ladders = [_NO_CODE if code is None else next(climbed) for code in codes]
    checks = [
        (at, check, code)
        for at, ((problem, _), code, ladder) in enumerate(zip(answers, codes, ladders, strict=True))
        if code is not None and ladder.rung >= Rung.PASSING
        for check in problem.checks
    ]
    checked = climb_pairs([(check, code) for _, check, code in checks], Rung.PASSING, workers)
    failed = {
        at for (at, _, _), ladder in zip(checks, checked, strict=True) if ladder.rung < Rung.PASSING
    }
    tried = {at for at, _, _ in checks}
    return [Proof(ladder, at in tried and at not in failed) for at, ladder in enumerate(ladders)]


def _code_of(answer: str) -> str | None:
    block = first_block(answer, PYTHON)
    return block.body if block is not None and block.is_closed else None

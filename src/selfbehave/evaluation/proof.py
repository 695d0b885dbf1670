"""What is proven about answers to a benchmark: the rung of each, and whether it is general."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ..bdd.ladder import Climbing, Ladder, Rung, climb_rows
from ..bdd.verdicts import Row
from ..prompts.bdd import instruction_for
from .benchmark import Problem

__all__ = ["Judge", "Proof", "prove", "prove_one"]

# Climbs with rows as far as a rung, beside the engine, like `stages.base.Session.judge`.
Judge = Callable[[Sequence[Row], Rung], Awaitable[list[Ladder]]]


@dataclass(frozen=True)
class Proof:
    """What is proven about an answer.

    Attributes:
        ladder: how far it climbs with the scenario that was asked.
        is_general: it reaches the highest rung that was checked, and it passes with all hidden
            checks. So what asserts nothing is not general. Never true without checks.
    """

    ladder: Ladder
    is_general: bool


def prove(
    answers: Sequence[tuple[Problem, str]],
    top: Rung = Rung.CAUSAL,
    climbing: Climbing = climb_rows,
) -> list[Proof]:
    """Climb with the first block of Python of each answer, and run it with the hidden checks.

    Args:
        answers: problems, each with the text of an answer to it.
        climbing: climbs with rows.

    Raises:
        SelfBehaveError: this machine has no sandbox.
    """
    ladders = list(climbing([_asked_row(*one) for one in answers], top))
    checks = [
        _check_rows(*one) if ladder.rung >= top else []
        for one, ladder in zip(answers, ladders, strict=True)
    ]
    checked = iter(climbing([row for rows in checks for row in rows], Rung.PASSING))
    return [
        Proof(ladder, _is_general([next(checked) for _ in rows]))
        for ladder, rows in zip(ladders, checks, strict=True)
    ]


async def prove_one(problem: Problem, answer: str, judge: Judge) -> Proof:
    """Prove one answer, as far as `causal`, while others are being answered.

    Raises:
        SelfBehaveError: this machine has no sandbox.
    """
    (ladder,) = await judge([_asked_row(problem, answer)], Rung.CAUSAL)
    rows = _check_rows(problem, answer) if ladder.rung >= Rung.CAUSAL else []
    return Proof(ladder, _is_general(await judge(rows, Rung.PASSING) if rows else []))


def _asked_row(problem: Problem, answer: str) -> Row:
    return problem.task.instruction, "", answer


def _check_rows(problem: Problem, answer: str) -> list[Row]:
    return [(instruction_for(check), "", answer) for check in problem.checks]


def _is_general(checked: Sequence[Ladder]) -> bool:
    return bool(checked) and all(ladder.rung >= Rung.PASSING for ladder in checked)

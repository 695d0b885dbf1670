"""Verdicts by the four criteria that also use the results of running each row's pair."""

from __future__ import annotations

from collections.abc import Iterable

from .criteria import Judgement, judge_row
from .ladder import Rung, climb_rows
from .row_repair import repair

__all__ = ["judge_rows_by_running"]


def judge_rows_by_running(
    rows: Iterable[tuple[str, str, str]], workers: int | None = None
) -> list[Judgement]:
    """Judge rows of (instruction, input, output) as `judge_row` does, and use their idle steps.

    The code runs in the sandbox: the ladder checks each distinct row once, after its formatting is
    repaired. A pair that does not pass is judged by its text alone.

    Args:
        workers: the number of pairs in the sandbox at a time; by default one for each core.

    Raises:
        SelfBehaveError: this machine has no sandbox.
    """
    rows = list(rows)
    distinct = list(dict.fromkeys(rows))
    ladders = climb_rows(map(_laid_out, distinct), Rung.CAUSAL, workers)
    idle_steps = dict(zip(distinct, (ladder.idle_steps for ladder in ladders), strict=True))
    return [judge_row(*row, idle_steps=idle_steps[row]) for row in rows]


def _laid_out(row: tuple[str, str, str]) -> tuple[str, str, str]:
    instruction, input, output = row
    mended = repair(instruction, output)
    return mended.instruction, input, mended.output

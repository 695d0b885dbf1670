"""The policies: the ways in which a scenario is solved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from selfbehave.stages.solving import TEMPERATURE

__all__ = ["POLICIES", "Mode", "Policy"]


class Mode(StrEnum):
    """How an answer is written.

    Each has a slot of the server's prompt cache, since its prompts share their beginning.
    """

    PRESENT = "present"  # one block, asked for as the stage `instances` does
    TURNS = "turns"  # one block, examples as turns, heads shown
    SEEDS = "seeds"  # the same, with seed tasks as examples, as `bdd_turns` asks
    GLUE = "glue"  # segments: the program writes what follows from the scenario


@dataclass(frozen=True)
class Policy:
    """A way of solving a scenario.

    Attributes:
        name: of the policy.
        means: what it is, in a phrase.
        mode: how each answer is written.
        temperatures: of the attempts, each made afresh, until one is clean.
        shows_sum_from: the first attempt, from 0, that is given the program's own sum; None where
            none is.
        repairs: the attempts, from 0, that are shown the one before and its faults.
    """

    name: str
    means: str
    mode: Mode
    temperatures: tuple[float, ...]
    shows_sum_from: int | None = None
    repairs: tuple[int, ...] = ()

    def shows_sum(self, attempt: int) -> bool:
        return self.shows_sum_from is not None and attempt >= self.shows_sum_from


_COOL_THEN_HOT = (0.3, 0.8, 0.8)  # the first attempt sober, the others unlike it

POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy(
            "present",
            "baseline: one answer to the prompt of the stage instances",
            Mode.PRESENT,
            (TEMPERATURE,),
        ),
        Policy(
            "fresh",
            "the same prompt, fresh attempts",
            Mode.PRESENT,
            (TEMPERATURE,) * 3,
        ),
        Policy(
            "turns",
            "a whole block, examples as turns, heads shown",
            Mode.TURNS,
            _COOL_THEN_HOT,
        ),
        Policy(
            "turns_sum",
            "as turns; from the second attempt on, the program's sum is shown",
            Mode.TURNS,
            _COOL_THEN_HOT,
            shows_sum_from=1,
        ),
        Policy(
            "seeds",
            "a whole block, seed tasks as turns, heads shown: the prompts bdd_turns",
            Mode.SEEDS,
            _COOL_THEN_HOT,
        ),
        Policy(
            "seeds_sum",
            "as seeds; the later attempts are shown the program's sum: what a run does",
            Mode.SEEDS,
            _COOL_THEN_HOT,
            shows_sum_from=1,
        ),
        Policy(
            "repair",
            "as seeds, each later attempt a repair of the one before",
            Mode.SEEDS,
            _COOL_THEN_HOT,
            repairs=(1, 2),
        ),
        Policy(
            "mixed",
            "as seeds_sum, the second attempt a repair: what a run does with --repair",
            Mode.SEEDS,
            _COOL_THEN_HOT,
            shows_sum_from=2,
            repairs=(1,),
        ),
        Policy(
            "glue",
            "glue by the program; the model's own sum must hold",
            Mode.GLUE,
            _COOL_THEN_HOT,
        ),
        Policy(
            "hint",
            "as glue; from the second attempt on, the program's sum is shown",
            Mode.GLUE,
            _COOL_THEN_HOT,
            shows_sum_from=1,
        ),
    )
}

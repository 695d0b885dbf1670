"""The examples that prompts of an evaluation show: never a scenario of the benchmark."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ..core.errors import SelfBehaveError
from ..core.records import SeedTask
from ..novelty.rule import Pool
from ..prompts.base import Family, WritesCells
from ..prompts.bdd import has_scenario, scenario_of
from .benchmark import Problem
from .overlap import overlapping

__all__ = ["examples_apart", "refuse_shown"]


def examples_apart(
    seeds: Sequence[SeedTask], problems: Sequence[Problem], count: int, random_seed: int
) -> list[SeedTask]:
    """Draw seed tasks to show as solved examples, all of them novel to the benchmark.

    Fewer than `count` are drawn if there are not as many.
    """
    pool = Pool(one.scenario for one in problems)
    drawn = [task for task in seeds if has_scenario(task.instruction)]
    random.Random(f"{random_seed} examples").shuffle(drawn)
    chosen: list[SeedTask] = []
    for task in drawn:
        if len(chosen) == count:
            break
        if pool.nearest_too_similar(scenario_of(task.instruction)) is None:
            chosen.append(task)
    return chosen


def refuse_shown(family: Family, problems: Sequence[Problem]) -> None:
    """Refuse a prompt family whose own examples show a scenario of the benchmark.

    Raises:
        SelfBehaveError: it does.
    """
    if not isinstance(family, WritesCells):
        return
    shown = overlapping(problems, map(scenario_of, family.fixed_instructions))
    if shown:
        raise SelfBehaveError(
            f"the prompts {family.name} show an example that is near the scenario "
            f"'{shown[0].task.id}' of the benchmark",
            mend="use other --prompts, or take that scenario out",
        )

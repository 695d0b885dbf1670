"""Which requests of a bootstrap ask for a changed scenario, and of which parent."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..evolution.family import Descent, descent_of, scenario_id
from ..evolution.operations import EvolutionRequest, Operation, suits
from ..prompts.bdd import has_scenario, scenario_of

__all__ = ["MOST_GENERATIONS", "ChangeDraws", "Parent"]

MOST_GENERATIONS = 3  # in a row: a small model adds an error with each
_TRIES = 16  # to find a parent that was not asked for with an operation


class Parent(Protocol):
    """An accepted instruction."""

    @property
    def text(self) -> str: ...
    @property
    def metadata(self) -> Mapping[str, Any]: ...


class ChangeDraws:
    """Draws parents with operations, each pair once.

    Args:
        share: of the requests, from 0 to 1.
    """

    def __init__(self, share: float, random_seed: int) -> None:
        self._share = share
        self._random_seed = random_seed
        self._asked: set[tuple[str, Operation]] = set()

    def draw(
        self, index: int, parents: Sequence[Parent]
    ) -> tuple[Parent, EvolutionRequest, Descent] | None:
        """The change that a request asks for; None if it asks for something else.

        Args:
            index: of the request.
            parents: the instructions that may be changed, in order.
        """
        chance = random.Random(f"{self._random_seed} change {index}")
        if chance.random() >= self._share or not parents:
            return None
        for _ in range(_TRIES):
            parent, operation = chance.choice(parents), chance.choice([*Operation])
            if (parent.text, operation) in self._asked or not has_scenario(parent.text):
                continue
            descent = descent_of(parent.text, parent.metadata)
            scenario = scenario_of(parent.text)
            if descent.generation < MOST_GENERATIONS and suits(
                operation, scenario, descent.operation
            ):
                self._asked.add((parent.text, operation))
                return (
                    parent,
                    EvolutionRequest(scenario, operation),
                    Descent(
                        descent.family,
                        scenario_id(parent.text),
                        str(operation),
                        descent.generation + 1,
                    ),
                )
        return None

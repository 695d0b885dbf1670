"""What a request of bootstrap asks for, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import prompts
from ..evolution.family import Descent
from ..prompts.base import WritesCells, WritesChanges, WritesStories

if TYPE_CHECKING:
    from ..axes.cell import Cell
    from ..evolution.operations import EvolutionRequest
    from ..prompts.base import Api
    from ..stories.kinds import StoryRequest

__all__ = ["Asked", "asked_for_cell", "asked_for_change", "asked_for_story", "asked_plainly"]


@dataclass(frozen=True)
class Asked:
    """What a request asks for.

    Attributes:
        prompt: of the request.
        read: the candidates in its answer.
        metadata: what the records of its candidates say of it, by name.
        cell: the cell of the axes, if there is one.
        family: the id of the family that its scenario is to belong to, if it is a changed one.
    """

    prompt: prompts.Prompt
    read: Callable[[prompts.Answer], list[prompts.Candidate]]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cell: Cell | None = None
    family: str | None = None


def asked_plainly(family: prompts.Family, examples: Sequence[str], api: Api) -> Asked:
    """New instructions after some example instructions."""
    return Asked(family.bootstrap_prompt(examples, api), family.candidates)


def asked_for_cell(family: WritesCells, cell: Cell, examples: Sequence[tuple[str, str]]) -> Asked:
    """The scenario of a cell of the axes.

    Args:
        examples: requests of other cells with the instructions that came of them.
    """
    from ..axes.forming import formed
    from ..axes.screen import screen

    return Asked(
        family.cell_prompt(cell.request, examples),
        lambda answer: family.screened_candidates(
            answer, lambda scenario: formed(scenario, cell), lambda scenario: screen(scenario, cell)
        ),
        {"axes": cell.metadata},
        cell,
    )


def asked_for_story(family: WritesStories, request: StoryRequest) -> Asked:
    """A scenario of a user's story."""
    from ..bdd.screening import unsolvable

    return Asked(
        family.story_prompt(request.text),
        lambda answer: family.screened_candidates(answer, lambda scenario: scenario, unsolvable),
        {"story": request.metadata},
    )


def asked_for_change(
    family: WritesChanges, request: EvolutionRequest, descent: Descent, story: Mapping[str, Any]
) -> Asked:
    """A changed scenario of the family of an earlier one.

    Args:
        descent: of the new scenario.
        story: the place of the story that the family began with; empty if with none.
    """
    from ..evolution.operations import fault_of_change

    return Asked(
        family.evolution_prompt(request.text),
        lambda answer: family.screened_candidates(
            answer,
            lambda scenario: scenario,
            lambda scenario: fault_of_change(scenario, request),
        ),
        descent.metadata | ({"story": dict(story)} if story else {}),
        family=descent.family,
    )

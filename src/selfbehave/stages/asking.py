"""What a request of bootstrap asks for, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import prompts
from ..prompts.base import WritesCells, WritesStories

if TYPE_CHECKING:
    from ..axes.cell import Cell
    from ..prompts.base import Api
    from ..stories.kinds import StoryRequest

__all__ = ["Asked", "asked_for_cell", "asked_for_story", "asked_plainly"]


@dataclass(frozen=True)
class Asked:
    """What a request asks for.

    Attributes:
        prompt: of the request.
        read: the candidates in its answer.
        metadata: what the records of its candidates say of it, by name.
        cell: the cell of the axes, if there is one.
    """

    prompt: prompts.Prompt
    read: Callable[[prompts.Answer], list[prompts.Candidate]]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cell: Cell | None = None


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

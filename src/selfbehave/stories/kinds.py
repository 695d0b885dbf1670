"""The kinds of scenario that a story is asked for with, and the order of the requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .story import Story

__all__ = ["ROUNDS", "StoryKind", "StoryRequest", "story_request"]

ROUNDS = 3  # times that each kind of a story is asked for


class StoryKind(StrEnum):
    """On which side of a story's rules a scenario lies."""

    HAPPY = "happy"
    REFUSED = "refused"
    BOUNDARY = "boundary"


_KINDS = tuple(StoryKind)
_IN_WORDS = {
    StoryKind.HAPPY: "The action keeps the rule and works.",
    StoryKind.REFUSED: "The action breaks the rule and is refused.",
    StoryKind.BOUNDARY: "The value of the action is exactly at the limit of the rule.",
}


@dataclass(frozen=True)
class StoryRequest:
    """What one scenario is asked for with.

    Attributes:
        criterion: the one to show; "" for a story without criteria.
    """

    story: Story
    kind: StoryKind
    criterion: str = ""

    @property
    def text(self) -> str:
        """The request as the model reads it."""
        story = self.story
        lines = [f"Story: {story.title}", *story.text.splitlines()]
        lines += [f"- {one}" for one in story.criteria]
        if self.criterion:
            lines.append(f"Rule to show: {self.criterion}")
        return "\n".join([*lines, f"Kind: {self.kind}. {_IN_WORDS[self.kind]}"])

    @property
    def metadata(self) -> dict[str, Any]:
        """The place of the story, the kind and the criterion, ready for JSON."""
        criterion = {"criterion": self.criterion} if self.criterion else {}
        return {**self.story.source, "kind": str(self.kind), **criterion}


def story_request(stories: Sequence[Story], number: int) -> StoryRequest | None:
    """The request of a number, from 0; None once the stories are used up.

    Each story in turn is asked for one kind. Neighbours are asked for different kinds, so that a
    few requests show several. Three kinds and three rounds meet three criteria in all ways.
    """
    turn, at = divmod(number, len(stories))
    if turn >= len(_KINDS) * ROUNDS:
        return None
    story = stories[at]
    rounds, step = divmod(turn, len(_KINDS))
    kind = _KINDS[(step + at) % len(_KINDS)]
    criteria = story.criteria
    criterion = criteria[(rounds + step) % len(criteria)] if criteria else ""
    return StoryRequest(story, kind, criterion)

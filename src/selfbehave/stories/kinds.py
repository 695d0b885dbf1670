"""The kinds of scenario that a story is asked for with, and the order of the requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .story import Story

__all__ = ["ROUNDS", "StoryKind", "StoryRequest", "story_requests"]

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


def story_requests(stories: Sequence[Story]) -> Iterator[StoryRequest]:
    """All requests of some stories, in order.

    Each story in turn is asked for one kind, until every kind of each of its criteria is asked
    for; a story of few criteria is asked for each kind `ROUNDS` times. Neighbours are asked for
    different kinds, so that a few requests show several.
    """
    kinds = len(_KINDS)
    for turn in range(kinds * max(max(ROUNDS, len(one.criteria)) for one in stories)):
        rounds, step = divmod(turn, kinds)
        for at, story in enumerate(stories):
            criteria = story.criteria
            if rounds < max(ROUNDS, len(criteria)):
                criterion = criteria[(rounds + step) % len(criteria)] if criteria else ""
                yield StoryRequest(story, _KINDS[(step + at) % kinds], criterion)

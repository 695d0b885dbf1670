"""A story: what somebody wants from a product, with the criteria that it is accepted by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from ..core.errors import SelfBehaveError

__all__ = ["LONGEST", "LeftOut", "Reason", "Story", "Unit", "made_story", "story_source"]

LONGEST = 4_000  # characters of a story with its criteria: it must fit into a small model's prompt
_LONGEST_TITLE = 120
_ID = re.compile(r"\[?([A-Za-z][A-Za-z0-9]*-\d+)\]?(?:\s*[:.)–—-]\s*|\s+|$)(.*)", re.S)

Unit = Literal["line", "record"]


@dataclass(frozen=True)
class Story:
    """A story, and the place that it was read from.

    Attributes:
        file: a name that is the same wherever the files lie.
        unit: what `at` counts: the lines of a text, or the records of a table.
        at: the place, from 1.
        id: such as "HALL-3"; "" if it has none.
        title: a line of its own, or the beginning of the text.
        text: what is wanted, without the title.
        criteria: one a rule; empty if the text says all.
    """

    file: str
    unit: Unit
    at: int
    id: str
    title: str
    text: str
    criteria: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """All that it says, in one line: two stories with the same words are the same."""
        parts = (self.title, self.text, *self.criteria)
        return " ".join(" ".join(parts).lower().split())

    @property
    def source(self) -> dict[str, Any]:
        """Where a scenario comes from, ready for JSON."""
        return {"file": self.file, self.unit: self.at, "id": self.id, "title": self.title}


class Reason(StrEnum):
    """Why something in a file is no story to ask for."""

    REPEATED = "repeated"  # the same words as an earlier one
    TOO_SHORT = "too short"  # such as an empty section
    INTRODUCTION = "introduction of a group"


@dataclass(frozen=True)
class LeftOut:
    """Something in a file that no scenario is asked for with, and its line or record."""

    file: str
    at: int
    reason: Reason


def made_story(
    file: str,
    unit: Unit,
    at: int,
    id: str,
    title: str,
    text: str,
    criteria: Sequence[str],
    line: int,
) -> Story:
    """A story of its parts; an id at the beginning of the title is taken from there.

    Args:
        line: where it stands in the file, for the message.

    Raises:
        SelfBehaveError: it is longer than a prompt can hold.
    """
    title = " ".join(title.split())
    if not id and (found := _ID.fullmatch(title)):
        id, title = found[1], found[2].strip()
    if not title:
        first = text.strip().partition("\n")[0]
        title = first if len(first) <= _LONGEST_TITLE else f"{first[:_LONGEST_TITLE].rstrip()}…"
        text = text.strip().partition("\n")[2] if title == first else text
    rules = tuple(filter(None, (" ".join(one.split()) for one in criteria)))
    story = Story(file, unit, at, " ".join(id.split()), title, text.strip(), rules)
    if len(story.words) > LONGEST:
        raise SelfBehaveError(
            f"a story of {len(story.words):,} characters, and {LONGEST:,} are the most",
            where=f"{file}:{line}",
            mend="shorten it, or make several stories of it",
        )
    return story


def story_source(instruction_metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What an instruction's metadata say of its story; empty if it comes from none."""
    source = instruction_metadata.get("story")
    return dict(source) if isinstance(source, dict) else {}

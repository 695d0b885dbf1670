"""Stories in Markdown: each section without sections of its own is a story."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from .in_plain_text import stories_in_plain_text
from .story import LeftOut, Reason, Story, made_story
from .texts import parted

__all__ = ["stories_in_markdown"]

_OF_A_STORY = re.compile(r"(?:acceptance )?criteria|rules|notes?|details|description", re.I)
_MARKS = re.compile(r"(\*\*|__)(\S.{0,200}?)\1")  # bold


@dataclass
class _Section:
    line: int
    depth: int
    title: str
    lines: list[str] = field(default_factory=list)


def stories_in_markdown(text: str, file: str) -> list[Story | LeftOut]:
    """The stories of a Markdown text; without headings, those of a plain text.

    A heading such as "Acceptance criteria" belongs to the story above it. A section with sections
    of its own groups their stories; what it says itself is no story.

    Raises:
        SelfBehaveError: a story is too long.
    """
    text = _MARKS.sub(r"\2", _without_comments(text))
    sections = [*_sections(text)]
    if not sections:
        return [*stories_in_plain_text(text, file)]
    found: list[Story | LeftOut] = []
    for one, following in zip_longest(sections, sections[1:]):
        told, criteria = parted(one.lines)
        if following is None or following.depth <= one.depth:
            found.append(
                made_story(file, "line", one.line, "", one.title, told, criteria, one.line)
            )
        elif told or criteria:
            found.append(LeftOut(file, one.line, Reason.INTRODUCTION))
    return found


def _sections(text: str) -> Iterator[_Section]:
    """Each section with its lines, those under a heading of a story's part included."""
    section: _Section | None = None
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        mark = line.strip()[:3]
        if mark in ("```", "~~~"):
            fence = "" if fence == mark else fence or mark
        depth, title = (0, "") if fence else _heading(line)
        if section is not None and (not depth or _OF_A_STORY.fullmatch(title)):
            section.lines.append("" if depth else line)
        elif depth:
            if section is not None:
                yield section
            section = _Section(number, depth, title)
    if section is not None:
        yield section


def _heading(line: str) -> tuple[int, str]:
    """The depth of a heading and its title; 0 if the line is none."""
    words = line.strip()
    depth = len(words) - len(words.lstrip("#"))
    if not 1 <= depth <= 6 or words[depth : depth + 1].strip() or line.startswith("    "):
        return 0, ""
    return depth, words[depth:].rstrip("#").strip().rstrip(":")


def _without_comments(text: str) -> str:
    """The text with each comment as blank lines, so that line numbers stay."""
    parts = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        parts += [text[at:start], "\n" * text.count("\n", start, end)]
        at = end + 3
    return "".join([*parts, text[at:]])

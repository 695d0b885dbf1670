"""Stories in plain text: paragraphs, each with the list that follows it."""

from __future__ import annotations

from collections.abc import Iterator

from .story import Story, made_story
from .texts import parted

__all__ = ["stories_in_plain_text"]


def stories_in_plain_text(text: str, file: str) -> list[Story]:
    """The stories of a text: one a paragraph.

    A paragraph that is only a list belongs to the story before it. A text that is only one list
    has a story in each of its items.

    Raises:
        SelfBehaveError: a story is too long.
    """
    found: list[tuple[int, str, tuple[str, ...]]] = []
    for line, lines in _paragraphs(text):
        told, criteria = parted(lines)
        if told or not found:
            found.append((line, told, criteria))
        else:
            first, words, before = found[-1]
            found[-1] = first, words, (*before, *criteria)
    if len(found) == 1 and not found[0][1]:
        return _items(text, file)
    return [
        made_story(file, "line", line, "", *_titled(told), criteria, line)
        for line, told, criteria in found
    ]


def _titled(told: str) -> tuple[str, str]:
    """The first line as a title, if there is more to tell."""
    first, _, rest = told.partition("\n")
    return (first, rest) if rest else ("", first)


def _items(text: str, file: str) -> list[Story]:
    """Each item of a list as a story, at its line."""
    starts: list[tuple[int, list[str]]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        if starts and line[:1].isspace():
            starts[-1][1].append(line)
        else:
            starts.append((number, [line]))
    stories = []
    for number, lines in starts:
        _, first = parted(lines[:1])
        told, criteria = parted(lines[1:])
        words = "\n".join(filter(None, (*first, told)))
        stories.append(made_story(file, "line", number, "", "", words, criteria, number))
    return stories


def _paragraphs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines without a blank one, each with the number of its first line."""
    lines: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            lines.append(line)
        elif lines:
            yield number - len(lines), lines
            lines = []

"""Read stories from files; the suffix of a name decides how."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import SelfBehaveError
from ..core.files import not_read
from .in_features import stories_in_feature
from .in_markdown import stories_in_markdown
from .in_plain_text import stories_in_plain_text
from .in_records import stories_in_csv, stories_in_json_lines
from .story import LeftOut, Reason, Story
from .texts import LARGEST, decoded

__all__ = ["StorySet", "read_stories", "stories_in", "story_set"]

MOST = 10_000  # stories
_FEWEST_WORDS = 4  # of a story

_Reader = Callable[[str, str], Sequence[Story | LeftOut]]
_READERS: dict[str, _Reader] = {
    ".md": stories_in_markdown,
    ".markdown": stories_in_markdown,
    ".csv": stories_in_csv,
    ".tsv": stories_in_csv,
    ".jsonl": stories_in_json_lines,
    ".ndjson": stories_in_json_lines,
    ".feature": stories_in_feature,
    ".txt": stories_in_plain_text,
}


@dataclass(frozen=True)
class StorySet:
    """The stories of some files.

    Attributes:
        stories: in the order of the files, each once.
        left_out: what in the files is no story, or the same again.
        sha256: of the files' names and bytes.
    """

    stories: tuple[Story, ...]
    left_out: tuple[LeftOut, ...]
    sha256: str

    @property
    def notes(self) -> list[str]:
        """For each reason, how many are left out and where the first of them stands."""
        notes = []
        for reason in Reason:
            of_reason = [one for one in self.left_out if one.reason is reason]
            if of_reason:
                first = of_reason[0]
                notes.append(
                    f"{len(of_reason)} left out of the stories: {reason} "
                    f"({first.file}:{first.at}{', …' if len(of_reason) > 1 else ''})"
                )
        return notes


def read_stories(paths: Sequence[str]) -> StorySet:
    """The stories of files.

    Raises:
        SelfBehaveError: a file cannot be read or holds no story, or something in it is wrong.
    """
    data = []
    for path in map(Path, paths):
        try:
            with path.open("rb") as file:
                data.append(file.read(LARGEST + 1))
        except (OSError, ValueError) as error:
            raise not_read(path, error) from error
    names = _names(paths)
    found = [stories_in(*one) for one in zip(data, names, strict=True)]
    digest = hashlib.sha256()
    for name, content in zip(names, data, strict=True):
        digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return story_set([one for part in found for one in part], digest.hexdigest())


def stories_in(data: bytes, file: str) -> list[Story | LeftOut]:
    """The stories in the bytes of a file.

    Args:
        file: its name; the suffix tells what it holds.

    Raises:
        SelfBehaveError: there is no story, or something is wrong: one line, with the file's line.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in _READERS:
        raise SelfBehaveError(
            f"stories are not read from {suffix or 'a file without a suffix'}",
            where=file,
            mend=f"give a file that ends in {', '.join(_READERS)}",
        )
    text = decoded(data, file)
    found = [*_READERS[suffix](text, file)] if text.strip() else []
    if not any(isinstance(one, Story) for one in found):
        raise SelfBehaveError(
            "no story in it", where=file, mend="see docs/how-to/stories.md for what is read"
        )
    if len(found) > MOST:
        raise SelfBehaveError(f"more than {MOST:,} stories", where=file, mend="give fewer at once")
    return found


def story_set(found: Sequence[Story | LeftOut], sha256: str) -> StorySet:
    """Stories without those that repeat an earlier one or say too little.

    Raises:
        SelfBehaveError: none is left.
    """
    stories: dict[str, Story] = {}
    left_out = []
    for one in found:
        if isinstance(one, LeftOut):
            left_out.append(one)
        elif len(one.words.split()) < _FEWEST_WORDS:
            left_out.append(LeftOut(one.file, one.at, Reason.TOO_SHORT))
        elif one.words in stories:
            left_out.append(LeftOut(one.file, one.at, Reason.REPEATED))
        else:
            stories[one.words] = one
    if not stories:
        first = left_out[0]
        raise SelfBehaveError(
            f"no story of at least {_FEWEST_WORDS} words",
            where=f"{first.file}:{first.at}",
            mend="say who wants what, and by which rules",
        )
    return StorySet(tuple(stories.values()), tuple(left_out), sha256)


def _names(paths: Sequence[str]) -> list[str]:
    """Names that tell files apart and say nothing of where they lie.

    Raises:
        SelfBehaveError: a file is given twice.
    """
    full = [Path(path).absolute() for path in paths]
    for path in full:
        if full.count(path) > 1:
            raise SelfBehaveError("given twice", where=path, mend="give each file once")
    common = os.path.commonpath([path.parent for path in full])
    return [path.relative_to(common).as_posix() for path in full]

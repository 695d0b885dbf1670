"""What a release says of itself: its name, who stands for it, its seed tasks, what was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Checks", "Description", "SeedsUsed"]


@dataclass(frozen=True)
class Description:
    """What a release is called and who stands for it.

    Attributes:
        licence: as the Hub spells it, such as "cc-by-4.0".
        date: of the release, YYYY-MM-DD, or None.
        hub_name: org/name on the Hub, or None.
        sizes: rows by split.
    """

    name: str
    summary: str
    version: str
    licence: str
    languages: tuple[str, ...]
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    date: str | None
    hub_name: str | None
    sizes: Mapping[str, int]

    @property
    def url(self) -> str | None:
        return f"https://huggingface.co/datasets/{self.hub_name}" if self.hub_name else None

    @property
    def bibtex(self) -> str:
        names = " and ".join(f"{{{name}}}" for name in self.authors)
        lines = ["@misc{" + self.name.replace("-", "_"), f"  author = {{{names}}}"]
        lines.append(f"  title = {{{self.name}}}")
        if self.date:
            lines.append(f"  year = {{{self.date[:4]}}}")
        if self.url:
            lines.append(f"  url = {{{self.url}}}")
        return ",\n".join([*lines, f"  note = {{version {self.version}}}"]) + "\n}"


@dataclass(frozen=True)
class SeedsUsed:
    """Seed tasks that runs started from: their name, their file's SHA-256, and how many."""

    name: str
    sha256: str
    tasks: int


@dataclass(frozen=True)
class Checks:
    """What was checked before the release.

    Attributes:
        duplicates: rows left out since an earlier one is the same.
        groups, grouped: near duplicates, kept on one side.
        across: test rows too similar to a train row; None without a test split.
        near_seeds: rows too similar to a seed task.
        findings: by type, how many there are in the text.
        in_folders: rows that are also a folder for behave; `runnable` could be one.
        notices: what could not be checked, a sentence each.
    """

    duplicates: int
    groups: int
    grouped: int
    across: int | None
    near_seeds: int
    findings: Mapping[str, int]
    in_folders: int
    runnable: int
    notices: tuple[str, ...]

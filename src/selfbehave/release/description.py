"""The description of a release: its name, authors, seed tasks, and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .overlaps import Overlap

__all__ = ["Checks", "Description", "SeedsUsed"]


@dataclass(frozen=True)
class Description:
    """A release's name, authors and further facts.

    Attributes:
        licence: the Hub's identifier, such as "cc-by-4.0".
        date: the date of the release, YYYY-MM-DD, or None.
        hub_name: org/name on the Hub, or None.
        sizes: the number of rows by split.
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
    """Seed tasks used by runs: their name, the SHA-256 of their file, and their number."""

    name: str
    sha256: str
    tasks: int


@dataclass(frozen=True)
class Checks:
    """The results of the checks before a release.

    Attributes:
        duplicates: the number of rows left out because they repeat an earlier one.
        groups, grouped: the numbers of groups of near duplicates and families, and of rows in
            them; each group is in one split.
        across: the number of test rows too similar to a train row; None without a test split.
        near_seeds: the number of rows too similar to a seed task.
        findings: the number of findings in the text, by type.
        held_out: the number of held-out texts that rows were compared with, by file.
        overlaps: the rows that are like one of them.
        flags_overlaps: whether these rows are in the release, flagged, or left out.
        in_folders: the number of rows written as folders for behave, of `runnable` possible ones.
        notices: checks that could not be made, one sentence each.
        attempts_left_out: the number of attempts that no form uses, by the reason.
        between_splits: the number of prompts too similar to rows of both splits, in no form.
    """

    duplicates: int
    groups: int
    grouped: int
    across: int | None
    near_seeds: int
    findings: Mapping[str, int]
    held_out: Mapping[str, int]
    overlaps: tuple[Overlap, ...]
    flags_overlaps: bool
    in_folders: int
    runnable: int
    notices: tuple[str, ...]
    attempts_left_out: Mapping[str, int] = field(default_factory=dict)
    between_splits: int = 0

"""Train and test splits without leakage: near duplicates and families are in the same split.

A row's split depends only on its content and that of its near duplicates and its family. So it
stays the same from release to release; only a new near duplicate or relative can move a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..novelty.rule import Pool
from ..runs.finished import FinishedRow

__all__ = ["Leak", "Splits", "leaks", "place", "split"]

TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class Leak:
    """A row that is too similar to a text outside its split, such as a seed task.

    Attributes:
        id: the id of the row.
        score: the ROUGE-L F1, above the novelty threshold.
    """

    id: str
    score: float


@dataclass(frozen=True)
class Splits:
    """The rows of each split, in order.

    Attributes:
        rows: the rows by split; "train" always exists.
        groups: the number of groups of near duplicates and families with at least two rows.
        grouped: the number of rows in these groups.
    """

    rows: Mapping[str, tuple[FinishedRow, ...]]
    groups: int
    grouped: int


def split(rows: Sequence[FinishedRow], test: float = 0.0, random_seed: int = 42) -> Splits:
    """Split rows, keeping near duplicates and families together.

    Two rows are near duplicates if the ROUGE-L F1 of their scenarios (or tasks) is above the
    novelty threshold. All rows of a group go to the same split, so the test split's share of rows
    is close to `test` but not equal to it.

    Args:
        test: the share of groups in the test split, at least 0 and below 1.

    Raises:
        SelfBehaveError: the share is out of range, or leaves a split empty.
    """
    if not 0 <= test < 1:
        raise SelfBehaveError(
            f"--test must be at least 0 and below 1, not {test:g}", exit_code=EXIT_USAGE
        )
    groups = _Groups(row.id for row in rows)
    _join_families(rows, groups)
    _join_nearest(rows, groups)
    while True:
        is_test = {row.id: _draw(groups.of(row.id), random_seed) < test for row in rows}
        train_rows = tuple(row for row in rows if not is_test[row.id])
        test_rows = tuple(row for row in rows if is_test[row.id])
        if not test_rows or not _join_across(train_rows, test_rows, groups):
            break
    sizes = [size for size in groups.sizes() if size > 1]
    if test and not (train_rows and test_rows):
        raise SelfBehaveError(
            f"--test {test:g} leaves one split of {len(rows)} rows empty",
            mend="give another share or --random_seed, or omit --test",
        )
    by_split = {TRAIN: train_rows, TEST: test_rows} if test else {TRAIN: train_rows}
    return Splits(by_split, len(sizes), sum(sizes))


def place(
    subjects: Iterable[str], splits: Splits, test: float = 0.0, random_seed: int = 42
) -> dict[str, str]:
    """The splits of further texts, such as prompts of which no row was kept, by text.

    A row's subject is in the row's split. A text that is too similar to some in one split is in
    that split. One that is too similar to texts of both is in none, and is missing.

    Args:
        subjects: scenarios, as `FinishedRow.subject` gives them.
        splits: of the rows.
        test, random_seed: as for `split`.
    """
    found = {row.subject: name for name, rows in splits.rows.items() for row in rows}
    if TEST not in splits.rows:
        return found | dict.fromkeys(subjects, TRAIN)
    pools = {
        name: Pool(text for text, its in found.items() if its == name) for name in (TRAIN, TEST)
    }
    for subject in sorted(set(subjects) - found.keys()):
        near = [name for name in pools if pools[name].nearest_too_similar(subject) is not None]
        if len(near) > 1:
            continue
        drawn = TEST if _draw(subject, random_seed) < test else TRAIN
        found[subject] = near[0] if near else drawn
        pools[found[subject]].add(subject)
    return found


def leaks(rows: Iterable[FinishedRow], texts: Iterable[str]) -> list[Leak]:
    """The rows whose subject is too similar to one of the texts, such as seed tasks."""
    pool = Pool(texts)
    return [
        Leak(row.id, nearest.score)
        for row in rows
        if (nearest := pool.nearest_too_similar(row.subject)) is not None
    ]


class _Groups:
    """Disjoint sets of ids; each is named by its smallest id, independent of the order of joins."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._parent = {one: one for one in ids}

    def of(self, id: str) -> str:
        """The group's name."""
        while (parent := self._parent[id]) != id:
            self._parent[id] = self._parent[parent]
            id = self._parent[id]
        return id

    def join(self, one: str, other: str) -> None:
        least, most = sorted((self.of(one), self.of(other)))
        self._parent[most] = least

    def sizes(self) -> list[int]:
        counts: dict[str, int] = {}
        for id in self._parent:
            name = self.of(id)
            counts[name] = counts.get(name, 0) + 1
        return list(counts.values())


def _join_families(rows: Sequence[FinishedRow], groups: _Groups) -> None:
    """Join each row with the others of its family."""
    first_of: dict[str, str] = {}
    for row in rows:
        if row.family is not None:
            groups.join(row.id, first_of.setdefault(row.family, row.id))


def _join_nearest(rows: Sequence[FinishedRow], groups: _Groups) -> None:
    """Join each row with the most similar earlier one. The order is by id, not by input."""
    pool = Pool()
    first_of: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.id):
        nearest = pool.nearest_too_similar(row.subject)
        if nearest is not None:
            groups.join(row.id, first_of[nearest.text])
        if row.subject in first_of:  # finds equal texts without ROUGE tokens too
            groups.join(row.id, first_of[row.subject])
        else:
            first_of[row.subject] = row.id
            pool.add(row.subject)


def _join_across(
    train: Sequence[FinishedRow], test: Sequence[FinishedRow], groups: _Groups
) -> bool:
    """Join similar rows in different splits; return whether there were any.

    The first pass joins a row only with its nearest one; others may be in the other split.
    """
    by_subject = {row.subject: row.id for row in train}
    pool = Pool(by_subject)
    found = False
    for row in test:
        nearest = pool.nearest_too_similar(row.subject)
        if nearest is not None:
            groups.join(row.id, by_subject[nearest.text])
            found = True
    return found


def _draw(name: str, random_seed: int) -> float:
    """A pseudo-random number from 0 to 1, determined by a group's name."""
    digest = hashlib.sha256(f"{random_seed} split {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64

"""Train and test splits without leakage: what is much like another row is on its side.

A row's side follows from its content and that of its near duplicates, so it stays where it is from
release to release; only a new row much like it can move it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..novelty.rule import Pool
from ..runs.finished import FinishedRow

__all__ = ["Leak", "Splits", "leaks", "split"]

TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class Leak:
    """A row that is too similar to a text it should not be similar to, and to what degree.

    Attributes:
        id: of the row.
        score: ROUGE-L F1, above the threshold of novelty.
    """

    id: str
    score: float


@dataclass(frozen=True)
class Splits:
    """The rows of each split, in their order.

    Attributes:
        rows: by split; "train" is always there.
        groups: how many groups of rows much like each other there are, single rows left out.
        grouped: rows in these groups.
    """

    rows: Mapping[str, tuple[FinishedRow, ...]]
    groups: int
    grouped: int


def split(rows: Sequence[FinishedRow], test: float = 0.0, random_seed: int = 42) -> Splits:
    """Split rows, near duplicates together.

    Two rows are near duplicates where one's scenario (or task) has a ROUGE-L F1 above the
    threshold of novelty to the other's. A group of them goes to a side as a whole, so the test
    split's share of the rows is near `test`, not equal to it.

    Args:
        test: share of the groups in the test split, from 0 up to but without 1.

    Raises:
        SelfBehaveError: a share out of these bounds, or one that leaves a split empty.
    """
    if not 0 <= test < 1:
        raise SelfBehaveError(
            f"--test must be at least 0 and below 1, not {test:g}", exit_code=EXIT_USAGE
        )
    groups = _Groups(row.id for row in rows)
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
            mend="give another share or --random_seed, or leave --test out",
        )
    by_split = {TRAIN: train_rows, TEST: test_rows} if test else {TRAIN: train_rows}
    return Splits(by_split, len(sizes), sum(sizes))


def leaks(rows: Iterable[FinishedRow], texts: Iterable[str]) -> list[Leak]:
    """The rows whose subject is too similar to one of some texts, such as the seeds'."""
    pool = Pool(texts)
    return [
        Leak(row.id, nearest.score)
        for row in rows
        if (nearest := pool.nearest_too_similar(row.subject)) is not None
    ]


class _Groups:
    """Disjoint sets of ids; each is named by its smallest, whatever order they came in."""

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


def _join_nearest(rows: Sequence[FinishedRow], groups: _Groups) -> None:
    """Join each row with the one before that it is most like; by id, so in any order the same."""
    pool = Pool()
    first_of: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.id):
        nearest = pool.nearest_too_similar(row.subject)
        if nearest is not None:
            groups.join(row.id, first_of[nearest.text])
        if row.subject in first_of:  # also where it has no token that ROUGE counts
            groups.join(row.id, first_of[row.subject])
        else:
            first_of[row.subject] = row.id
            pool.add(row.subject)


def _join_across(
    train: Sequence[FinishedRow], test: Sequence[FinishedRow], groups: _Groups
) -> bool:
    """Join rows that are much alike and on different sides; whether there were any.

    A row is joined with its nearest one only, and may be much like others on another side.
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
    """A number from 0 to 1 that follows from a group's name."""
    digest = hashlib.sha256(f"{random_seed} split {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64

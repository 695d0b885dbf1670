"""Training data that holds scenarios of a benchmark, or nearly so: they are told and counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.data_files import each_data_record
from ..novelty.rule import THRESHOLD, Pool
from ..seeds.dataset_rows import asked_in, scenario_or_text
from .benchmark import Problem

__all__ = ["Overlap", "overlap_with", "overlapping", "texts_of"]


@dataclass(frozen=True)
class Overlap:
    """What training data holds of a benchmark.

    Attributes:
        files: the files of training data.
        rows: how many rows they have in all.
        near: the ids of the scenarios that are too similar to one of these rows.
    """

    files: tuple[str, ...]
    rows: int
    near: tuple[str, ...]


def overlap_with(problems: Sequence[Problem], files: Sequence[Path]) -> Overlap:
    """Compare a benchmark's scenarios with files of training data.

    Raises:
        SelfBehaveError: a file cannot be read, or has a row of another shape.
    """
    texts = [text for file in files for text in texts_of(file)]
    near = tuple(problem.task.id for problem in overlapping(problems, texts))
    return Overlap(tuple(map(str, files)), len(texts), near)


def texts_of(file: Path) -> list[str]:
    """The scenarios in a file of training data, JSON Lines or Parquet.

    A row without a scenario counts with its whole text.

    Raises:
        SelfBehaveError: the file cannot be read, or has a row of another shape.
    """
    return list(each_data_record(file, lambda row: scenario_or_text(asked_in(row))))


def overlapping(problems: Sequence[Problem], texts: Iterable[str]) -> list[Problem]:
    """The problems whose scenario is too similar to one of some texts, by the novelty rule."""
    pool = Pool(texts)
    return [one for one in problems if pool.compare(one.scenario).highest > THRESHOLD]

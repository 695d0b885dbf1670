"""Drawing a study's sample: how many scenarios, and which."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..audit.rows import Row, read_rows
from ..bdd.titles import scenario_title
from ..core.errors import SelfBehaveError
from ..core.run_files import FINETUNING_DIR
from ..seeds.packaged_names import PACKAGED
from .items import StudyItem

__all__ = ["DEFAULT_ERROR", "Sample", "draw", "read_dataset", "yamane_size"]

DEFAULT_ERROR = 0.05
_ALL_INSTANCES = Path(FINETUNING_DIR, "all_generated_instances.jsonl")


@dataclass(frozen=True)
class Sample:
    """A sample of one dataset.

    Attributes:
        dataset: its name.
        source: the dataset's file.
        population: the number of rows in that file.
        items: the drawn items, in file order.
        rows: each item's row number in the file, from 1.
    """

    dataset: str
    source: str
    population: int
    items: tuple[StudyItem, ...]
    rows: tuple[int, ...]


def yamane_size(population: int, error: float = DEFAULT_ERROR) -> int:
    """The sample size for a population by Yamane's formula, n = N / (1 + N·e²), rounded up.

    Yamane, Statistics: An Introductory Analysis, 2nd ed., 1967, for 95 % confidence.

    Args:
        error: the margin of error e, between 0 and 1.

    Raises:
        SelfBehaveError: the error is not between 0 and 1.
    """
    if not 0 < error < 1:
        raise SelfBehaveError(f"--error must be between 0 and 1, not {error}")
    return min(population, math.ceil(population / (1 + population * error**2)))


def read_dataset(given: str) -> tuple[str, Path, list[Row]]:
    """Read a dataset: a `*.jsonl` file, a run's folder, or a packaged seed set.

    Args:
        given: its path or name, or `NAME=PATH` to give it a name other than the file's.

    Returns:
        The dataset's name, its file, and its rows.

    Raises:
        SelfBehaveError: the file cannot be read, is empty, or has a line in an unknown format.
    """
    name, equals, path_text = given.partition("=")
    if not equals or Path(given).exists():
        name, path_text = "", given
    path = Path(path_text)
    if path.is_dir():
        name, path = name or path.resolve().name, path / _ALL_INSTANCES
    elif path_text in PACKAGED:
        name = name or path_text
    return name or path.stem, path, read_rows(str(path))


def draw(
    name: str,
    source: str,
    rows: Sequence[Row],
    *,
    size: int | None = None,
    error: float = DEFAULT_ERROR,
    random_seed: int = 42,
) -> Sample:
    """A simple random sample without replacement.

    If all rows have a `scenario_id`, they keep it. Otherwise the drawn rows are numbered in file
    order.

    Args:
        size: the number of rows to draw; None to use Yamane's formula.

    Raises:
        SelfBehaveError: the size is below 1 or above the number of rows, or two rows have the same
            `scenario_id`.
    """
    if size is None:
        size = yamane_size(len(rows), error)
    if not 1 <= size <= len(rows):
        raise SelfBehaveError(
            f"--size must be from 1 to the dataset's {len(rows)} rows, not {size}", where=source
        )
    chance = random.Random(f"{random_seed} sample {name}")
    places = sorted(chance.sample(range(len(rows)), size))
    ids = _ids(rows, source) or {place: str(at) for at, place in enumerate(places, start=1)}
    items = tuple(
        StudyItem(
            name,
            ids[place],
            scenario_title(f"{rows[place].instruction}\n\n{rows[place].input}"),
            rows[place].instruction,
            rows[place].input,
            rows[place].output,
        )
        for place in places
    )
    return Sample(name, source, len(rows), items, tuple(place + 1 for place in places))


def _ids(rows: Sequence[Row], source: str) -> Mapping[int, str] | None:
    """The rows' own ids by position, if all rows have one."""
    ids = [row.source.get("scenario_id") for row in rows]
    if not all(isinstance(one, str | int) for one in ids):
        return None
    first_at: dict[str, int] = {}
    for number, one in enumerate(map(str, ids), start=1):
        if one in first_at:
            raise SelfBehaveError(
                f"row {number} repeats the scenario_id {one} of row {first_at[one]}",
                where=source,
                mend="give each row its own scenario_id, or none of them one",
            )
        first_at[one] = number
    return dict(enumerate(map(str, ids)))

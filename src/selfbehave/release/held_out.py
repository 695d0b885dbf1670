"""Held-out data, such as benchmarks and test sets: its texts, each with its file and line.

A file is JSON Lines or Parquet; its rows are seed tasks, rows of a run or a release, a benchmark's,
or objects with the field `scenario` or `text`. A folder holds feature files. `packaged` is the
packaged evaluation benchmark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.data_files import SUFFIXES, numbered_records
from ..core.errors import SelfBehaveError
from ..core.fields import text_field
from ..core.packaged_benchmark import PACKAGED_BENCHMARK, benchmark_path
from ..seeds.dataset_rows import asked_in, scenario_or_text
from ..seeds.importing.left_out import REASONS, CannotImportError
from ..seeds.importing.project import feature_files, read_text
from ..seeds.importing.scenarios import as_behave_reads, scenarios_of

__all__ = ["HeldOutText", "read_held_out"]

_FEATURE = ".feature"
_LONGEST_FEATURE = 10_000_000  # characters
_OWN_FIELDS = ("scenario", "text")  # of rows in none of our shapes


@dataclass(frozen=True)
class HeldOutText:
    """A text that training data should not hold.

    Attributes:
        file: the name of its file, without the folders around what was given.
        line: its line in that file, or its row in a Parquet file, from 1.
    """

    text: str
    file: str
    line: int


def read_held_out(given: Sequence[str]) -> list[HeldOutText]:
    """Read held-out data: files, folders of feature files, and the packaged benchmark by its name.

    Raises:
        SelfBehaveError: a file is missing, broken or of another kind, or a folder has no features.
    """
    places = list(dict.fromkeys(given))
    names = _names(places)
    return [one for place in places for one in _texts_of(place, names[place])]


def _texts_of(given: str, name: str) -> Iterator[HeldOutText]:
    path = benchmark_path(given)
    if given != PACKAGED_BENCHMARK and (path.is_dir() or path.suffix == _FEATURE):
        for file in feature_files([path]):
            inside = file.relative_to(path).as_posix() if path.is_dir() else ""
            yield from _scenarios_in(file, f"{name}/{inside}" if inside else name)
    elif path.suffix in SUFFIXES or not path.exists():
        for line, texts in numbered_records(path, _texts_in):
            yield from (HeldOutText(text, name, line) for text in texts)
    else:
        raise SelfBehaveError(
            "not held-out data",
            where=path,
            mend="give *.jsonl, *.parquet, *.feature, a folder of feature files, "
            f"or {PACKAGED_BENCHMARK}",
        )


def _texts_in(row: Mapping[str, Any]) -> list[str]:
    """The texts of a row: what it asks, and a benchmark's hidden checks.

    Raises:
        ValueError: the row has none of the shapes.
    """
    own = next((name for name in _OWN_FIELDS if row.get(name) is not None), None)
    if own is not None and not row.keys() & {"instruction", "prompt", "messages"}:
        text = text_field(row, own)
    else:
        text = scenario_or_text(asked_in(row))
    checks = row.get("checks") or []
    if not isinstance(checks, list) or not all(isinstance(one, str) for one in checks):
        raise ValueError("field 'checks' must be a list of scenarios")
    return [text, *checks]


def _scenarios_in(file: Path, name: str) -> Iterator[HeldOutText]:
    try:
        text = read_text(file, _LONGEST_FEATURE)
    except (OSError, ValueError) as error:
        raise SelfBehaveError(str(error), where=file, mend="save the file as UTF-8") from error
    for one in scenarios_of(text, as_behave_reads):
        if not isinstance(one, CannotImportError):
            yield HeldOutText(one.text, name, one.line)
        else:
            raise SelfBehaveError(
                f"{REASONS[one.reason]}: {one.detail}",
                where=f"{file}:{one.line}" if one.line else file,
                mend="correct that scenario, or leave the file out",
            )


def _names(given: Sequence[str]) -> dict[str, str]:
    """Names that tell places apart, with as few of the author's folders as that takes."""
    parts = {one: Path(one).absolute().parts for one in given}
    names: dict[str, str] = {}
    for one, all_parts in parts.items():
        if one == PACKAGED_BENCHMARK:
            names[one] = one
            continue
        for count in range(1, len(all_parts) + 1):
            ends = Counter(other[-count:] for other in parts.values())
            if ends[all_parts[-count:]] == 1:
                break
        names[one] = "/".join(all_parts[-count:])
    return names

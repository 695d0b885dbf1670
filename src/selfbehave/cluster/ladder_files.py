"""The ladder for files of any size: workers read parts, climb, and write the verdicts.

The driver handles only the list of parts, so this works for millions of pairs. A part that is
written is done: the same command continues with the missing parts.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import ray.data

from ..bdd.ladder import Ladder, Rung, climb_rows, reachable
from ..bdd.verdicts import judges
from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.jsonl import json_line
from ..core.parquet import parquet_bytes
from ..core.records import Example
from .addresses import absolute, exists, state_of, write_file
from .connection import ClusterSettings, connected
from .parts import FORMATS, FilePart, parts_of, rows_of
from .worker_errors import error_text, raise_first

__all__ = ["LadderOutcome", "LadderSettings", "climb_files"]

_PLAN = "_plan.json"  # readers of a whole folder skip names that begin with "_"
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("instruction", "input", "output", "rung")]
    + [(name, pa.list_(pa.string())) for name in ("faults", "fault_codes", "idle_steps")]
    + [(name, pa.string()) for name in ("change", "input_change")]
)


@dataclass(frozen=True, kw_only=True)
class LadderSettings:
    """How to climb with files.

    Attributes:
        top_rung: rung to climb to.
        rows_per_part: rows that a worker takes at a time, and loses if it is killed.
        format: format of the parts, "jsonl" or "parquet".
    """

    top_rung: str = "causal"
    rows_per_part: int = 200
    format: str = FORMATS[0]


@dataclass(frozen=True)
class LadderOutcome:
    """The result of a climb.

    Attributes:
        folder: the folder of the parts: `part-000000.jsonl` and so on, in the order of the rows.
        rows, parts: the numbers of rows and parts in all files.
        done_before: parts that existed already.
        reached: how many rows ended on each rung, in the parts climbed now.
        lack: why it stopped at `bound`, if it did.
    """

    folder: str
    rows: int
    parts: int
    done_before: int
    reached: Counter[str]
    lack: str | None


def climb_files(
    names: Sequence[str], to: str, settings: LadderSettings, cluster: ClusterSettings
) -> LadderOutcome:
    """Climb the ladder with each row of some files, and write each row with its verdict.

    Args:
        names: files with `instruction`, `input` and `output`: paths or addresses, may contain `*`.
        to: folder for the parts, a path or an address.

    Raises:
        SelfBehaveError: a file cannot be read, a row is broken, or the folder holds the parts of
            other files or settings.
    """
    if settings.rows_per_part < 1:
        raise SelfBehaveError("--rows_per_part must be at least 1", exit_code=EXIT_USAGE)
    folder = absolute(to)
    parts = parts_of(names, settings.rows_per_part)
    top, lack = reachable(Rung.named(settings.top_rung))
    _agree_on_plan(folder, parts, settings, top)
    missing = [part for part in parts if not exists(_file_of(folder, part, settings))]
    reached: Counter[str] = Counter()
    with connected(cluster) as workers:
        if missing:
            reached = _climb(missing, folder, settings, top, workers)
    rows = sum(part.rows for part in parts)
    return LadderOutcome(folder, rows, len(parts), len(parts) - len(missing), reached, lack)


def _climb(
    parts: Sequence[FilePart], folder: str, settings: LadderSettings, top: Rung, workers: int
) -> Counter[str]:
    climbed = ray.data.from_items(
        [{"part": json.dumps(asdict(part))} for part in parts], override_num_blocks=len(parts)
    ).map(
        _climb_part,
        fn_args=(folder, settings, str(top)),
        compute=ray.data.TaskPoolStrategy(size=min(workers, len(parts))),
        num_cpus=1,
    )
    reached: Counter[str] = Counter()
    for row in climbed.iter_rows():
        raise_first([row["fault"]])
        reached.update(json.loads(row["reached"]))
    return reached


def _climb_part(
    row: dict[str, Any], folder: str, settings: LadderSettings, top: str
) -> dict[str, str]:
    """Climb with a part and write it; return how many reached each rung, or the error."""
    part = FilePart(**json.loads(row["part"]))
    try:
        ladders = _climb_and_write(part, folder, settings, Rung.named(top))
    except SelfBehaveError as error:
        return {"reached": "{}", "fault": error_text(error)}
    return {"reached": json.dumps(Counter(str(one.rung) for one in ladders)), "fault": ""}


def _climb_and_write(
    part: FilePart, folder: str, settings: LadderSettings, top: Rung
) -> Sequence[Ladder]:
    examples = [_example(place, fields) for place, fields in rows_of(part)]
    texts = [(one.instruction, one.input, one.output) for one in examples]
    ladders = climb_rows(texts, top, workers=1)
    rows = [one.to_dict() | ladder.to_dict() for one, ladder in zip(examples, ladders, strict=True)]
    url = _file_of(folder, part, settings)
    is_parquet = settings.format == "parquet"
    write_file(
        url, parquet_bytes(rows, _SCHEMA, url) if is_parquet else b"".join(map(json_line, rows))
    )
    return ladders


def _example(place: str, fields: Any) -> Example:
    texts = {name: fields.get(name) for name in ("instruction", "input", "output")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise SelfBehaveError(
                f"field '{name}' must be a text, not {type(text).__name__}",
                where=place,
                mend="give rows of instruction, input and output",
            )
    return Example(**texts)


def _file_of(folder: str, part: FilePart, settings: LadderSettings) -> str:
    return f"{folder}/part-{part.number:06}.{settings.format}"


def _agree_on_plan(
    folder: str, parts: Sequence[FilePart], settings: LadderSettings, top: Rung
) -> None:
    """Refuse a folder whose parts are of other files or settings."""
    states = {part.url: state_of(part.url) for part in parts}
    cut = json.dumps([states, [asdict(part) for part in parts]])
    plan = {
        "parts": len(parts),
        "parts_sha256": hashlib.sha256(cut.encode("ascii")).hexdigest(),
        "top_rung": str(top),
        "format": settings.format,
        "judges": list(judges()),
    }
    url = f"{folder}/{_PLAN}"
    if not exists(url):
        write_file(url, json.dumps(plan).encode("ascii") + b"\n")
        return
    ((_, known),) = rows_of(FilePart(0, url, 1, 1, 0, 1 << 20))
    if other := [name for name, value in plan.items() if known.get(name) != value]:
        raise SelfBehaveError(
            f"the folder holds parts made from other files or options ({', '.join(other)})",
            where=folder,
            mend="give the same files and options, or another --to",
        )

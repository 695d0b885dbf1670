"""The typed records that flow between stages, and JSON Lines files of them.

Readers name the file and line of whatever they refuse; writers replace a file whole or not at all.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from .errors import SelfBehaveError

__all__ = [
    "Classification",
    "Dropped",
    "Example",
    "Instance",
    "Instruction",
    "RawInstances",
    "SeedTask",
    "each_record",
    "each_row",
    "is_yes",
    "json_line",
    "object_in",
    "read_records",
    "read_text",
    "replacing",
    "write_bytes",
    "write_jsonl",
    "write_text",
    "writing_jsonl",
]

Record = TypeVar("Record")

MAX_LINE_BYTES = 32 * 2**20
_LONG_LINE_BYTES = 8 * 2**20
_MAX_VALUES = 1_000_000  # of a long line: an empty list takes thirty times its three bytes
MAX_DEPTH = 100  # of objects and lists in one another: what is read must be writable again

CRITERIA = ("essential", "singular", "complete", "integrous")


@dataclass(frozen=True)
class Instance:
    """One (input, output) pair of a task."""

    input: str
    output: str

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Instance:
        return cls(input=_text(row, "input"), output=_text(row, "output"))

    def to_dict(self) -> dict[str, Any]:
        return {"input": self.input, "output": self.output}


@dataclass(frozen=True)
class SeedTask:
    """A hand-written task: an instruction with solved instances."""

    id: str
    name: str
    instruction: str
    instances: tuple[Instance, ...]
    is_classification: bool
    criteria: Mapping[str, bool] | None = None

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> SeedTask:
        instances = _typed(row, "instances", list, "a list of {input, output}")
        if not instances:
            raise ValueError("field 'instances' is empty")
        if not all(isinstance(instance, dict) for instance in instances):
            raise ValueError("field 'instances' must hold objects {input, output}")
        instruction = _text(row, "instruction")
        if not instruction.strip():
            raise ValueError("field 'instruction' is empty")
        criteria = row.get("criteria")
        if criteria is not None and not (
            isinstance(criteria, dict)
            and set(criteria) == set(CRITERIA)
            and all(isinstance(value, bool) for value in criteria.values())
        ):
            raise ValueError(f"field 'criteria' must map {', '.join(CRITERIA)} to true or false")
        return cls(
            id=_text(row, "id"),
            name=_text(row, "name"),
            instruction=instruction,
            instances=tuple(Instance.from_dict(instance) for instance in instances),
            is_classification=_typed(row, "is_classification", bool, "true or false"),
            criteria=criteria,
        )

    def to_dict(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "instruction": self.instruction,
            "instances": [instance.to_dict() for instance in self.instances],
            "is_classification": self.is_classification,
        }
        if self.criteria is not None:
            row["criteria"] = dict(self.criteria)
        return row


@dataclass(frozen=True)
class Instruction:
    """An accepted machine-generated instruction.

    `most_similar` maps the ten most similar texts of the pool to their ROUGE-L F1, highest
    first; `avg_similarity_score` is the mean ROUGE-L F1 to the whole pool.
    """

    instruction: str
    most_similar: Mapping[str, float]
    avg_similarity_score: float
    metadata: Mapping[str, Any]
    request_idx: int

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Instruction:
        return cls(
            instruction=_text(row, "instruction"),
            most_similar=_object(row, "most_similar"),
            avg_similarity_score=float(row.get("avg_similarity_score") or 0.0),
            metadata=_object(row, "metadata"),
            request_idx=int(row.get("request_idx") or 0),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "instruction": self.instruction,
            "most_similar": dict(self.most_similar),
            "avg_similarity_score": self.avg_similarity_score,
            "metadata": dict(self.metadata),
            "request_idx": self.request_idx,
        }


@dataclass(frozen=True)
class Classification:
    """Whether an instruction is a classification task, and what decided it.

    `answer` is written as Yes or No; `decided_by` is "rule" or "engine".
    """

    instruction: str
    is_classification: bool
    decided_by: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Classification:
        value = row.get("is_classification")
        if not isinstance(value, (bool, str)):
            raise ValueError("field 'is_classification' must be Yes or No")
        return cls(
            instruction=_text(row, "instruction"),
            is_classification=value if isinstance(value, bool) else is_yes(value),
            decided_by=row.get("decided_by"),
            metadata=_object(row, "metadata"),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "instruction": self.instruction,
            "is_classification": "Yes" if self.is_classification else "No",
            "decided_by": self.decided_by,
            "metadata": dict(self.metadata),
        }


@dataclass(frozen=True)
class RawInstances:
    """The engine's whole answer for one instruction, before it is parsed."""

    instruction: str
    raw_instances: str
    instance_metadata: Mapping[str, Any]
    instruction_metadata: Mapping[str, Any]
    most_similar: Mapping[str, float]
    avg_similarity_score: float

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> RawInstances:
        return cls(
            instruction=_text(row, "instruction"),
            raw_instances=_text(row, "raw_instances"),
            instance_metadata=_object(row, "instance_metadata"),
            instruction_metadata=_object(row, "instruction_metadata"),
            most_similar=_object(row, "most_similar"),
            avg_similarity_score=float(row.get("avg_similarity_score") or 0.0),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "instruction": self.instruction,
            "raw_instances": self.raw_instances,
            "instance_metadata": dict(self.instance_metadata),
            "instruction_metadata": dict(self.instruction_metadata),
            "most_similar": dict(self.most_similar),
            "avg_similarity_score": self.avg_similarity_score,
        }


@dataclass(frozen=True)
class Example:
    """A row of the fine-tuning data: one instance with its task's instruction."""

    instruction: str
    input: str
    output: str

    def to_dict(self) -> dict[str, Any]:
        return {"instruction": self.instruction, "input": self.input, "output": self.output}


@dataclass(frozen=True)
class Dropped:
    """A candidate that was dropped: by which stage, why, its text, and the request it came from."""

    stage: str
    reason: str
    text: str
    request_idx: int | None = None
    detail: str | None = None

    def to_dict(self) -> dict[str, Any]:
        row: dict[str, Any] = {"stage": self.stage, "reason": self.reason, "text": self.text}
        if self.request_idx is not None:
            row["request_idx"] = self.request_idx
        if self.detail is not None:
            row["detail"] = self.detail
        return row


def is_yes(answer: str) -> bool:
    """Read a Yes/No answer by its first word: " No\\n\\nTask: G" is No, and so is silence."""
    word = re.search(r"[A-Za-z]+", answer)
    return word is not None and word.group().lower() == "yes"


def each_record(path: Path, from_dict: Callable[[Mapping[str, Any]], Record]) -> Iterator[Record]:
    """Read a JSON Lines file of one kind of record, one at a time; blank lines are skipped.

    Raises:
        SelfBehaveError: the file is missing, empty, or a line is broken (named as `file:line`).
    """
    is_empty = True
    for number, row in each_row(path):
        try:
            record = from_dict(row)
        except (ValueError, TypeError, OverflowError) as error:
            raise SelfBehaveError(
                str(error), where=f"{path}:{number}", mend="correct that line"
            ) from error
        is_empty = False
        yield record
    if is_empty:
        raise SelfBehaveError("the file has no records", where=path, mend="give one with records")


def read_records(path: Path, from_dict: Callable[[Mapping[str, Any]], Record]) -> list[Record]:
    """All of `each_record`."""
    return list(each_record(path, from_dict))


def each_row(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a JSON Lines file with their lines from 1; blank lines are skipped.

    Raises:
        SelfBehaveError: the file cannot be read, or a line is no JSON object.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if not line.isspace():
                    yield number, object_in(line, f"{path}:{number}")
    except (OSError, ValueError) as error:  # ValueError: no path can have U+0000
        raise _not_read(path, error) from error


def object_in(line: bytes, where: str) -> dict[str, Any]:
    """The JSON object in a line of a file.

    Raises:
        SelfBehaveError: there is none, or it is larger or deeper than any record.
    """
    if len(line) > MAX_LINE_BYTES:
        raise SelfBehaveError(
            f"a line of more than {MAX_LINE_BYTES // 2**20} MiB",
            where=where,
            mend="each line must be one JSON object",
        )
    if len(line) > _LONG_LINE_BYTES and line.count(b",") > _MAX_VALUES:
        raise SelfBehaveError(
            f"more than {_MAX_VALUES:,} values on a line",
            where=where,
            mend="each line must be one JSON object",
        )
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SelfBehaveError(
            f"not UTF-8 (byte {error.start} of the line)",
            where=where,
            mend="save the file as UTF-8",
        ) from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "a number too long"
        raise SelfBehaveError(
            f"not JSON: {getattr(error, 'msg', reason)}",
            where=where,
            mend="each line must be one JSON object",
        ) from error
    if not isinstance(row, dict):
        raise SelfBehaveError(
            f"not a JSON object but {type(row).__name__}",
            where=where,
            mend="each line must be one JSON object",
        )
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _depth(row) > MAX_DEPTH:
        raise SelfBehaveError(
            f"objects and lists are nested more than {MAX_DEPTH} deep",
            where=where,
            mend="correct that line",
        )
    return row


def _depth(value: Any) -> int:
    """How deeply objects and lists are nested, found without recursion."""
    depth = 0
    level = [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as UTF-8 JSON Lines, replacing the file only once it is complete."""
    with writing_jsonl(path) as write:
        for row in rows:
            write(row)


@contextmanager
def writing_jsonl(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Write a JSON Lines file row by row, replacing it only once it is complete.

    Yields what writes one row.
    """
    with replacing(path) as file:
        yield lambda row: _tell(path, file, json_line(row))


def read_text(path: Path, *, encoding: str = "utf-8") -> str:
    """Read a UTF-8 text file as it is, line ends included.

    Args:
        encoding: "utf-8-sig" where a byte order mark is to be left out.

    Raises:
        SelfBehaveError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode(encoding)
    except UnicodeDecodeError as error:
        raise SelfBehaveError(
            f"not UTF-8 (byte {error.start})", where=path, mend="save the file as UTF-8"
        ) from error
    except (OSError, ValueError) as error:
        raise _not_read(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file, replacing it only once it is complete on disk.

    Half of a surrogate pair, which UTF-8 cannot hold, is written as Python writes it.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, replacing it only once it is complete on disk."""
    with replacing(path) as file:
        _tell(path, file, data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file, which takes the place of the one before only once it is complete on disk.

    Raises:
        SelfBehaveError: it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = partial.open("wb")
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def json_line(row: Mapping[str, Any]) -> bytes:
    """A record as a line of JSON in UTF-8, its line break included."""
    try:
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can hold it
        return json.dumps(row).encode() + b"\n"


def _not_read(path: Path, error: OSError | ValueError) -> SelfBehaveError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return SelfBehaveError(f"cannot be read: {reason}", where=path, mend="check the path")


def _tell(path: Path, file: BinaryIO, data: bytes) -> None:
    try:
        file.write(data)
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> SelfBehaveError:
    return SelfBehaveError(
        f"cannot be written: {error.strerror}", where=path, mend="check the folder and the disk"
    )


def _typed(row: Mapping[str, Any], name: str, kind: type, meaning: str) -> Any:
    if name not in row:
        raise ValueError(f"field '{name}' is missing")
    if not isinstance(row[name], kind):
        raise ValueError(f"field '{name}' must be {meaning}, not {type(row[name]).__name__}")
    return row[name]


def _text(row: Mapping[str, Any], name: str) -> str:
    text: str = _typed(row, name, str, "a text")
    return text


def _object(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object that may be missing, as it is in other tools' files."""
    value = row.get(name) or {}
    if not isinstance(value, dict):
        raise ValueError(f"field '{name}' must be an object, not {type(value).__name__}")
    return value

"""Read the rows of a dataset in any common format, and write them back in the same format.

A field of the JSON object tells its format: `instances` (a seed task), `messages` (a chat),
`prompt` (with its completion) or `output` (an instance). One object contains one row or more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from ..core.data_files import each_data_record
from ..seeds.load import seeds_path

__all__ = ["Row", "objects_of", "read_rows"]


@dataclass(frozen=True)
class Row:
    """One example of a file: an instruction with its input, and the answer.

    Attributes:
        source: the JSON object that contains it.
        place: its number among the object's rows, from 0.
    """

    instruction: str
    input: str
    output: str
    source: Mapping[str, Any]
    place: int = 0

    @property
    def characters(self) -> int:
        return len(self.instruction) + len(self.input) + len(self.output)


def read_rows(file: str) -> list[Row]:
    """The rows of a JSON Lines or Parquet file, or of a packaged seed set by its name.

    Raises:
        SelfBehaveError: the file cannot be read, is empty, or has a line in an unknown format.
    """
    return [row for rows in each_data_record(seeds_path(file), _rows_of) for row in rows]


def objects_of(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """The JSON objects of rows, with the rows' current texts; other fields stay unchanged."""
    for _, group in groupby(rows, key=lambda row: id(row.source)):
        found = list(group)
        source = found[0].source
        yield _shape_of(source).write(source, found)


@dataclass(frozen=True)
class _Shape:
    """The functions that read rows from an object and write them back into it."""

    field: str
    read: Callable[[Mapping[str, Any]], list[Row]]
    write: Callable[[Mapping[str, Any], Sequence[Row]], dict[str, Any]]


def _rows_of(source: Mapping[str, Any]) -> list[Row]:
    return _shape_of(source).read(source)


def _shape_of(source: Mapping[str, Any]) -> _Shape:
    for shape in _SHAPES:
        if shape.field in source:
            return shape
    raise ValueError(
        "neither a seed task (instances), an instance (output), a chat (messages) nor a prompt "
        "and completion"
    )


def _read_seed_task(source: Mapping[str, Any]) -> list[Row]:
    instances = source["instances"]
    if not isinstance(instances, list) or not all(isinstance(one, dict) for one in instances):
        raise ValueError("field 'instances' must be a list of {input, output}")
    instruction = _text(source, "instruction")
    return [
        Row(instruction, _input(one), _text(one, "output"), source, place)
        for place, one in enumerate(instances)
    ]


def _write_seed_task(source: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    instances = [
        {**instance, "output": row.output}
        for instance, row in zip(source["instances"], rows, strict=True)
    ]
    return {**source, "instruction": rows[0].instruction, "instances": instances}


def _read_chat(source: Mapping[str, Any]) -> list[Row]:
    messages = source["messages"]
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise ValueError("field 'messages' must be a list of {role, content}")
    turns = list(_turns(messages))
    if not turns:
        raise ValueError("'messages' has no user message that the assistant answers")
    return [
        Row(_content(messages[asked]), "", _content(messages[answered]), source, place)
        for place, (asked, answered) in enumerate(turns)
    ]


def _write_chat(source: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    messages = list(source["messages"])
    for (asked, answered), row in zip(_turns(messages), rows, strict=True):
        for number, text in ((asked, row.instruction), (answered, row.output)):
            if text != _content(messages[number]):
                messages[number] = {**messages[number], "content": text}
    return {**source, "messages": messages}


def _turns(messages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int]]:
    """The positions of each user message that the assistant answers next, and of the answer."""
    for number, (asked, answered) in enumerate(pairwise(messages)):
        if (asked.get("role"), answered.get("role")) == ("user", "assistant"):
            yield number, number + 1


def _content(message: Mapping[str, Any]) -> str:
    """The text of a message, which may be split into parts."""
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(_text(part, "text") for part in content if part.get("type") == "text")
    return _text(message, "content")


def _read_completion(source: Mapping[str, Any]) -> list[Row]:
    return [Row(_text(source, "prompt"), "", _text(source, "completion"), source)]


def _write_completion(source: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    return {**source, "prompt": rows[0].instruction, "completion": rows[0].output}


def _read_instance(source: Mapping[str, Any]) -> list[Row]:
    return [Row(_text(source, "instruction"), _input(source), _text(source, "output"), source)]


def _write_instance(source: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    return {**source, "instruction": rows[0].instruction, "output": rows[0].output}


# In order of precedence, for an object with the fields of several formats.
_SHAPES = (
    _Shape("instances", _read_seed_task, _write_seed_task),
    _Shape("messages", _read_chat, _write_chat),
    _Shape("prompt", _read_completion, _write_completion),
    _Shape("output", _read_instance, _write_instance),
)


def _input(row: Mapping[str, Any]) -> str:
    """The input of a row. For an empty input, other tools write null or leave the field out."""
    return "" if row.get("input") is None else _text(row, "input")


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise ValueError(f"field '{name}' must be a text, not {type(value).__name__}")
    return value

"""The formats of a release: each writes files of the rows into its own folder.

This module contains the built-in formats; other packages add formats through entry points.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Protocol

import pyarrow as pa

from ..core.extensions import RELEASE_FORMATS, Extension, Registry
from ..core.jsonl import json_line
from ..core.parquet import parquet_bytes
from ..runs.finished import FinishedRow
from .row_records import FORMS, columns_of, instance, record, seed_tasks
from .training_forms import TRAINING_FORMS, FormRows

__all__ = ["FORMATS", "Content", "Format", "added_files", "form_files", "own_files"]

# Text is written as UTF-8; large content may be an iterable of parts.
Content = str | bytes | Iterable[bytes]
_FOLDER = re.compile(r"[A-Za-z0-9_]+")
# Reserved: the folders for behave, and those of the forms that are made of attempts.
_TAKEN = ("behave", *TRAINING_FORMS)


class Format(Protocol):
    """A format of a release.

    Attributes:
        description: the content of its files, in a phrase, for the card.
    """

    description: str

    def files(self, split: str, rows: Sequence[FinishedRow]) -> Iterable[tuple[str, Content]]:
        """The files of a split's rows: the path of each in the format's folder, and its content.

        The same rows must give the same files.
        """
        ...


class Typed:
    """Every row in typed columns."""

    description = "every row with the columns below"

    def files(self, split: str, rows: Sequence[FinishedRow]) -> Iterator[tuple[str, Content]]:
        schema = pa.schema([pa.field(name, type) for name, type, _ in columns_of(rows)])
        yield _parquet(split, map(record, rows), schema)


class Chat:
    """Messages of a user and an assistant, for fine-tuning."""

    description = "`messages` of user and assistant"

    def files(self, split: str, rows: Sequence[FinishedRow]) -> Iterator[tuple[str, Content]]:
        yield from _form("chat", split, rows)


class PromptCompletion:
    """A prompt and its completion, for fine-tuning."""

    description = "`prompt` and `completion`, in several layouts"

    def files(self, split: str, rows: Sequence[FinishedRow]) -> Iterator[tuple[str, Content]]:
        yield from _form("prompt_completion", split, rows)


class Instances:
    """Rows in the format of the published code's files of generated instances."""

    description = "`instruction`, `input`, `output`"

    def files(self, split: str, rows: Sequence[FinishedRow]) -> Iterator[tuple[str, Content]]:
        yield _jsonl(split, map(instance, rows))


class SeedTasks:
    """Rows as seed tasks."""

    description = "seed tasks for a new run"

    def files(self, split: str, rows: Sequence[FinishedRow]) -> Iterator[tuple[str, Content]]:
        yield _jsonl(split, seed_tasks(rows))


# The formats by the names of their folders.
FORMATS: Registry[Format] = Registry(
    RELEASE_FORMATS,
    {
        "data": f"{__name__}:Typed",
        "chat": f"{__name__}:Chat",
        "prompt_completion": f"{__name__}:PromptCompletion",
        "instances": f"{__name__}:Instances",
        "seed_tasks": f"{__name__}:SeedTasks",
    },
    needs=("description", "files"),
)


def own_files(split: str, rows: Sequence[FinishedRow]) -> Iterator[tuple[str, Content]]:
    """The files of this package's formats, by their paths in the release."""
    for name in FORMATS:
        if name not in FORMATS.added():
            for path, content in FORMATS[name].files(split, rows):
                yield f"{name}/{path}", content


def added_files(split: str, rows: Sequence[FinishedRow]) -> Iterator[tuple[str, Content]]:
    """The files of the formats that other packages add, by their paths in the release.

    Raises:
        SelfBehaveError: such a package is broken.
    """
    for name in FORMATS.added():
        extension = FORMATS.extension(name)
        if not _FOLDER.fullmatch(name) or name in _TAKEN:
            raise extension.broken(f"a folder of a release cannot be named {name!r}")
        with extension.guarding():
            files = [(path, content) for path, content in FORMATS[name].files(split, rows)]
        for path, content in files:
            _check(extension, path, content)
            yield f"{name}/{path}", content


def form_files(form: FormRows) -> Iterator[tuple[str, Content]]:
    """The files of a form that is made of attempts, by their paths in the release."""
    schema = TRAINING_FORMS[form.name].schema
    for split, rows in form.by_split.items():
        for path, content in (_parquet(split, rows, schema), _jsonl(split, rows)):
            yield f"{form.name}/{path}", content


def _check(extension: Extension, path: object, content: object) -> None:
    if not isinstance(path, str) or not isinstance(content, str | bytes):
        raise extension.broken(f"a file is a path and its content, not {path!r} and {content!r}")
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        raise extension.broken(f"not a path inside the format's folder: {path!r}")


def _form(name: str, split: str, rows: Sequence[FinishedRow]) -> Iterator[tuple[str, Content]]:
    form = FORMS[name]
    yield _parquet(split, map(form.write, rows), form.schema)
    yield _jsonl(split, map(form.write, rows))


def _parquet(
    split: str, rows: Iterable[Mapping[str, Any]], schema: pa.Schema
) -> tuple[str, Content]:
    path = f"{split}.parquet"
    return path, parquet_bytes(rows, schema, path)


def _jsonl(split: str, rows: Iterable[Mapping[str, Any]]) -> tuple[str, Content]:
    return f"{split}.jsonl", map(json_line, rows)

"""Records that are kept in a JSON Lines file the moment they are known, each under a key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.jsonl import each_row, json_line

__all__ = ["KeptRecords", "digest"]


class KeptRecords:
    """A file of records, read when it is opened and only ever added to.

    A last line without its line break was being written when the process ended: it is cut off.

    Args:
        path: of the file, which need not exist.

    Raises:
        SelfBehaveError: a line is no record with a key.
    """

    def __init__(self, path: Path) -> None:
        _cut_off_unfinished_line(path)
        self._records: dict[str, dict[str, Any]] = {}
        if path.exists():
            for number, record in each_row(path):
                if not isinstance(record.get("key"), str):
                    raise SelfBehaveError(
                        "no key in this record", where=f"{path}:{number}", mend="remove that line"
                    )
                self._records[record["key"]] = record
        self._file = path.open("ab")

    def get(self, key: str) -> Mapping[str, Any] | None:
        """The record of a key, if there is one."""
        return self._records.get(key)

    def add(self, key: str, record: Mapping[str, Any]) -> None:
        """Keep a record under a key; it is in the file when this returns."""
        keyed = {"key": key, **record}
        self._file.write(json_line(keyed))
        self._file.flush()
        self._records[key] = keyed

    def __len__(self) -> int:
        return len(self._records)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def digest(*determining: Any) -> str:
    """A key made of all that determines a record."""
    text = json.dumps(determining, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _cut_off_unfinished_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)

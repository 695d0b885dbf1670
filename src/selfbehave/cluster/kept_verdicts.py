"""Verdicts of the ladder on disk, so that a continued run climbs with no pair twice.

The file only grows, by a line for each verdict. A line that a power cut left incomplete is no JSON
and is ignored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from ..bdd.ladder import Ladder
from ..bdd.verdicts import ladder_from, ladder_to
from ..core.errors import SelfBehaveError

__all__ = ["KeptVerdicts"]


class KeptVerdicts:
    """The verdicts in a file, by their keys."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ladders: dict[str, Ladder] = {}
        if path.exists():
            for line in path.read_bytes().splitlines():
                try:
                    fields = json.loads(line)
                except ValueError:
                    continue  # truncated by a kill or a power cut
                key = fields.pop("key")
                # Verdicts of older rules stay in the file; their keys are never looked up again.
                if not any(isinstance(fault, str) for fault in fields["faults"]):
                    self._ladders[key] = ladder_from(fields)

    def __contains__(self, key: str) -> bool:
        return key in self._ladders

    def __getitem__(self, key: str) -> Ladder:
        return self._ladders[key]

    def keep(self, verdicts: Iterable[tuple[str, Ladder]]) -> None:
        """Return once the verdicts are on disk.

        Raises:
            SelfBehaveError: the disk is full, or the file cannot be written.
        """
        new = dict(verdicts)
        lines = [json.dumps({"key": key, **ladder_to(ladder)}) for key, ladder in new.items()]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                # Each on a line of its own, even if a kill left the last line incomplete.
                file.write("".join(f"\n{line}\n" for line in lines).encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SelfBehaveError(
                f"cannot save the verdicts: {error.strerror}",
                where=self._path,
                mend="free the disk, then run the same command again",
            ) from error
        self._ladders |= new

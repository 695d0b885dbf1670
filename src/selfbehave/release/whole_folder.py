"""Write a folder completely or not at all, with a checksum of each file."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..core.files import naming_unwritten

__all__ = ["FolderWriter"]


class FolderWriter:
    """Writes files into a temporary folder and renames it once it is complete.

    Attributes:
        checksums: the SHA-256 of each file written so far, by its path in the folder.

    Every method raises a SelfBehaveError if a file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._partial = folder.with_name(folder.name + ".partial")
        self.checksums: dict[str, str] = {}
        if self._partial.exists():  # left by an interrupted release
            shutil.rmtree(self._partial)

    def file(self, path: str, content: str | bytes | Iterable[bytes]) -> None:
        """Write a file: a text as UTF-8, bytes, or an iterable of bytes."""
        if isinstance(content, str):
            content = content.encode("utf-8", "backslashreplace")
        digest = hashlib.sha256()
        with naming_unwritten(self._folder):
            file = self._partial / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as stream:
                for part in [content] if isinstance(content, bytes) else content:
                    digest.update(part)
                    stream.write(part)
        self.checksums[path] = digest.hexdigest()

    def finish(self) -> None:
        """Write the list of checksums, and give the folder its final name."""
        lines = [f"{digest}  {path}\n" for path, digest in sorted(self.checksums.items())]
        self.file("checksums.sha256", "".join(lines))
        with naming_unwritten(self._folder):
            if self._folder.exists():
                self._folder.rmdir()
            self._partial.rename(self._folder)

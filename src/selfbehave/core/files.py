"""Text and binary files, read whole and replaced whole.

A writer replaces a file only once the new one is complete on disk.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from .errors import SelfBehaveError

__all__ = ["naming_unwritten", "not_read", "read_text", "replacing", "write_bytes", "write_text"]


def read_text(path: Path, *, encoding: str = "utf-8") -> str:
    """Read a UTF-8 text file without converting line ends.

    Args:
        encoding: "utf-8-sig" to skip a byte order mark.

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
        raise not_read(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file, replacing it only once it is complete on disk.

    Half of a surrogate pair, which UTF-8 cannot encode, is written as a Python escape.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, replacing it only once it is complete on disk."""
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file, which replaces the old file only once it is complete on disk.

    Raises:
        SelfBehaveError: it cannot be written. Other errors in the `with` block pass unchanged.
    """
    partial = path.with_name(path.name + ".partial")
    with naming_unwritten(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = _Partial(partial, "wb")
    raw.replaces = path
    try:
        with io.BufferedWriter(raw) as file:
            yield file
            file.flush()
            with naming_unwritten(path):
                os.fsync(file.fileno())
        with naming_unwritten(path):
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class _Partial(io.FileIO):
    """A file whose write errors name the file that it will replace."""

    replaces: Path

    def write(self, data: Any) -> int:
        with naming_unwritten(self.replaces):
            return super().write(data)


@contextmanager
def naming_unwritten(path: Path) -> Iterator[None]:
    """Name a file or folder in the error when writing it fails.

    Raises:
        SelfBehaveError: the code in the `with` block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise SelfBehaveError(
            f"cannot be written: {error.strerror}", where=path, mend="check the folder and the disk"
        ) from error


def not_read(path: Path, error: OSError | ValueError) -> SelfBehaveError:
    """The error for a file that cannot be read; a ValueError means a path with U+0000."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return SelfBehaveError(f"cannot be read: {reason}", where=path, mend="check the path")

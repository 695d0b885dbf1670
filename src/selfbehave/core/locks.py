"""One process at a time in a folder, and who it is."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from .errors import SelfBehaveError
from .settings import LOCK_FILE

__all__ = ["FolderInUseError", "holding"]

_MAX_WORDS = 200  # bytes of the other's own words


class FolderInUseError(SelfBehaveError):
    """Another process holds the folder."""


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold a folder, made if need be, as the only process that works in it.

    The lock is on a file of its own: SQLite's locks are lost when a second descriptor of its file
    is closed, and a lock on a folder is unknown to NFS. It ends with the process, however that
    ends; what the file says of its holder only matters while it is held.

    Raises:
        SelfBehaveError: another process holds it, which is named; or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SelfBehaveError(
            f"the run's folder cannot be used: {error.strerror}",
            where=folder,
            mend="give a folder that can be written with --batch_dir",
        ) from error
    try:
        _lock(lock, folder)
        try:
            with suppress(OSError):  # of a full disk: then it is held unnamed
                os.ftruncate(lock, 0)
                os.pwrite(lock, _who().encode(), 0)
            yield
        finally:
            os.ftruncate(lock, 0)
    finally:
        os.close(lock)


def _lock(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, _MAX_WORDS, 0).decode("utf-8", "replace")
        raise FolderInUseError(
            f"another run is working in this folder: {holder or 'it does not tell which'}",
            where=folder,
            mend="wait until it ends, or give another --batch_dir",
        ) from error
    except OSError as error:
        raise SelfBehaveError(
            f"the folder cannot be kept from other runs: {error.strerror}",
            where=folder,
            mend="give a --batch_dir on a disk with file locks",
        ) from error


def _who() -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"process {os.getpid()} on {os.uname().nodename}, since {now}"

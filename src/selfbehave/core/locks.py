"""One process at a time in a folder or at a file, and who it is.

A lock is an advisory lock (`flock`) on a file of its own. The system releases it when the process
ends, however it ends. The file says who holds the lock, for the message that refuses a second
process; what it says only counts while the lock is held.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .errors import SelfBehaveError
from .run_files import LOCK_FILE

__all__ = ["Guarded", "InUseError", "holding", "locked"]

_MAX_WORDS = 200  # bytes of the holder's own words


class InUseError(SelfBehaveError):
    """Another process holds the lock."""


@dataclass(frozen=True)
class Guarded:
    """What a lock guards, as the messages name it.

    Attributes:
        name: such as "the run's folder".
        where: its path.
        others: who must not use it meanwhile, such as "another run is working in this folder".
        option: of the command line, by which the user names something else.
    """

    name: str
    where: Path
    others: str
    option: str


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold a run's folder, made if need be, as the only process that works in it.

    The lock is not on the journal itself: SQLite's locks are lost when a second descriptor of its
    file is closed.

    Raises:
        InUseError: another process holds it, which is named.
        SelfBehaveError: the folder cannot be written, or its disk has no file locks.
    """
    others = "another run is working in this folder"
    guarded = Guarded("the run's folder", folder, others, "--batch_dir")
    with locked(folder / LOCK_FILE, guarded):
        yield


@contextmanager
def locked(file: Path, guarded: Guarded) -> Iterator[None]:
    """Hold a lock as the only process.

    Args:
        file: for the lock alone; it and its folder are made if need be. It stays when the lock is
            released. The holder may remove it before, as its last act.
        guarded: what the messages name.

    Raises:
        InUseError: another process holds the lock; it is named.
        SelfBehaveError: the file cannot be written, or its disk has no file locks.
    """
    descriptor = _acquired(file, guarded)
    try:
        with suppress(OSError):  # of a full disk: the lock is then held without a name
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _this_process().encode(), 0)
        yield
    finally:
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def _acquired(file: Path, guarded: Guarded) -> int:
    """A descriptor of the lock's file, which holds the lock."""
    while True:
        descriptor = _opened(file, guarded)
        try:
            _lock(descriptor, guarded)
            if _is_at(file, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the holder before removed the file after it was opened here


def _opened(file: Path, guarded: Guarded) -> int:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SelfBehaveError(
            f"{guarded.name} cannot be used: {error.strerror}",
            where=guarded.where,
            mend=f"give a {guarded.option} that can be written",
        ) from error


def _lock(descriptor: int, guarded: Guarded) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, _MAX_WORDS, 0).decode("utf-8", "replace")
        raise InUseError(
            f"{guarded.others}: {holder or 'an unknown process'}",
            where=guarded.where,
            mend=f"wait until it ends, or give another {guarded.option}",
        ) from error
    except OSError as error:
        raise SelfBehaveError(
            f"{guarded.name} cannot be locked: {error.strerror}",
            where=guarded.where,
            mend=f"give a {guarded.option} on a disk with file locks",
        ) from error


def _is_at(file: Path, descriptor: int) -> bool:
    """Whether a descriptor is of the file that is now at this path."""
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _this_process() -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"process {os.getpid()} on {os.uname().nodename}, since {now}"

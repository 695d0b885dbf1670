"""Locks that let one process at a time use a folder or file, and that name this process.

A lock is an advisory lock (`flock`) on a separate file. The system releases it when the process
ends, for any reason. The file names the holder of the lock, for the message to a second process.
Its content is valid only while the lock is held.
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

_MAX_WORDS = 200  # bytes of the holder's description of itself


class InUseError(SelfBehaveError):
    """Another process holds the lock."""


@dataclass(frozen=True)
class Guarded:
    """What a lock guards, as the messages name it.

    Attributes:
        name: such as "the run's folder".
        where: its path.
        others: what a second process reads, such as "another run is working in this folder".
        option: the command-line option with which the user can name something else.
    """

    name: str
    where: Path
    others: str
    option: str


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Lock a run's folder for this process; create the folder if it is missing.

    The lock is not on the journal itself: SQLite's locks are lost when a second descriptor of its
    file is closed.

    Raises:
        InUseError: another process holds the folder; the message names it.
        SelfBehaveError: the folder cannot be written, or its disk has no file locks.
    """
    others = "another run is working in this folder"
    guarded = Guarded("the run's folder", folder, others, "--batch_dir")
    with locked(folder / LOCK_FILE, guarded):
        yield


@contextmanager
def locked(file: Path, guarded: Guarded) -> Iterator[None]:
    """Hold a lock for this process.

    Args:
        file: used for the lock alone; it and its folder are created if missing. The file stays
            when the lock is released. The holder may remove it as its last action.
            guarded: what the lock guards, for the messages.

    Raises:
        InUseError: another process holds the lock; the message names it.
        SelfBehaveError: the file cannot be written, or its disk has no file locks.
    """
    descriptor = _acquired(file, guarded)
    try:
        with suppress(OSError):  # the disk is full: then the lock has no name
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
        os.close(descriptor)  # the previous holder removed the file after it was opened here


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
    """Whether a descriptor refers to the file that is now at this path."""
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _this_process() -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"process {os.getpid()} on {os.uname().nodename}, since {now}"

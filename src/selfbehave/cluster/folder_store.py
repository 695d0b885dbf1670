"""A copy of a run's folder in a store, so that another machine can continue the run.

The work happens in the local folder: an answer counts only once the journal is on a disk. Files
that are newer in the store are fetched before the work, files that are newer in the folder are
stored after it. Nothing is deleted on either side. A file that changed on both is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from ..core.errors import SelfBehaveError
from ..core.files import read_text, write_text
from ..core.locks import holding
from ..core.run_files import LOCK_FILE, RESERVE_FILE
from .addresses import absolute, fetch_file, files_below, opened, store_file

__all__ = ["NOTES_FILE", "Moved", "kept_in", "synchronize"]

NOTES_FILE = "store.json"

_OF_ONE_MACHINE = {NOTES_FILE, LOCK_FILE, RESERVE_FILE}
_PASSING = (".partial", "-wal", "-shm")
_CHUNK = 1 << 20
_OPEN = "not closed"  # the state of a database that has changes in a file beside it


@dataclass(frozen=True)
class Moved:
    """The names of the files that were copied from the store and to it."""

    fetched: tuple[str, ...]
    stored: tuple[str, ...]


@dataclass(frozen=True)
class _Noted:
    """A file's states here and in the store when the two were last known to be equal."""

    here: str
    there: str


@contextmanager
def kept_in(store: str | None, folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Synchronize a folder with a store before the `with` block and after it, however it ends.

    Args:
        store: an address; None for no store.
        say: called with a message about the copied files.
    """
    if store is None:
        yield
        return
    _synchronize_and_say(store, folder, say)
    try:
        yield
    except BaseException:
        # The last message must say why the work ended. The same command will store again.
        try:
            _synchronize_and_say(store, folder, say)
        except SelfBehaveError as error:
            say(f"not stored: {error}")
        raise
    _synchronize_and_say(store, folder, say)


def synchronize(store: str, folder: Path) -> Moved:
    """Copy each file that is newer on one side to the other.

    Args:
        store: the address of a folder, created if missing.

    Raises:
        SelfBehaveError: a file changed on both sides since they were equal (then nothing is
            copied), the store cannot be reached, or another process uses the folder.
    """
    store = absolute(store)
    with holding(folder):
        noted = _read_notes(folder, store)
        here, there = _files_of(folder), _files_in(store)
        ways = {
            name: _way(noted.get(name), here.get(name), there.get(name))
            for name in sorted({*here, *there})
        }
        fetched = tuple(name for name, way in ways.items() if way == "fetch")
        # An open database is complete only with the file beside it. The work closes it.
        stored = tuple(n for n, way in ways.items() if way == "store" and here[n] != _OPEN)
        compared = [name for name, way in ways.items() if way == "compare"]
        try:
            equal = [
                name
                for name in compared
                if here[name] != _OPEN and _are_equal(folder / name, f"{store}/{name}")
            ]
            noted |= {name: _Noted(here[name], there[name]) for name in equal}
            if unequal := [name for name in compared if name not in equal]:
                raise SelfBehaveError(
                    f"changed here and in the store {store} after the last copy",
                    where=folder / unequal[0],
                    mend="move one of the two away, or give another --store",
                )
            for name in fetched:
                fetch_file(f"{store}/{name}", folder / name)
                noted[name] = _Noted(_state_here(folder / name), there[name])
            for name in stored:
                store_file(folder / name, f"{store}/{name}")
            if stored:
                there = _files_in(store)
                noted |= {name: _Noted(here[name], there[name]) for name in stored}
        finally:
            _write_notes(folder, store, noted)
    return Moved(fetched, stored)


def _way(
    noted: _Noted | None, here: str | None, there: str | None
) -> Literal["fetch", "store", "compare"] | None:
    if here is None:
        return "fetch"
    if there is None:
        return "store"
    is_new_here = noted is None or here != noted.here
    is_new_there = noted is None or there != noted.there
    if is_new_here and is_new_there:
        return "compare"
    return "store" if is_new_here else "fetch" if is_new_there else None


def _files_of(folder: Path) -> dict[str, str]:
    return {
        name: _state_here(path)
        for path in folder.rglob("*")
        if path.is_file() and _is_kept(name := path.relative_to(folder).as_posix())
    }


def _files_in(store: str) -> dict[str, str]:
    files = {name: state for name, state in files_below(store).items() if _is_kept(name)}
    for name in files:
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise SelfBehaveError(
                f"the store has a file that would lie outside the folder: {name}", where=store
            )
    return files


def _is_kept(name: str) -> bool:
    return name not in _OF_ONE_MACHINE and not name.endswith(_PASSING)


def _state_here(path: Path) -> str:
    log = path.with_name(path.name + "-wal")
    if log.is_file() and log.stat().st_size:
        return _OPEN
    stat = path.stat()
    return f"{stat.st_size} bytes, {stat.st_mtime_ns} ns"


def _are_equal(path: Path, url: str) -> bool:
    with path.open("rb") as here, opened(url) as there:
        while True:
            ours, theirs = here.read(_CHUNK), there.read(_CHUNK)
            if ours != theirs:
                return False
            if not ours:
                return True


def _read_notes(folder: Path, store: str) -> dict[str, _Noted]:
    """The notes on this store. Without readable notes more files are compared, nothing worse."""
    path = folder / NOTES_FILE
    if not path.exists():
        return {}
    try:
        notes: Any = json.loads(read_text(path))
        if notes["store"] != store:
            return {}
        return {name: _Noted(**one) for name, one in notes["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _write_notes(folder: Path, store: str, noted: Mapping[str, _Noted]) -> None:
    files = {name: asdict(noted[name]) for name in sorted(noted)}
    write_text(folder / NOTES_FILE, json.dumps({"store": store, "files": files}, indent=1) + "\n")


def _synchronize_and_say(store: str, folder: Path, say: Callable[[str], None]) -> None:
    moved = synchronize(store, folder)
    for names, what in ((moved.fetched, "fetched from"), (moved.stored, "stored in")):
        if names:
            say(f"{what} {store}: {', '.join(names)}")

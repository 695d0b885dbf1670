"""Local copies of files at an address (`s3://…`, `gs://…`)."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import EXIT_USAGE, SelfBehaveError
from .addresses import absolute, expanded, fetch_file, store_file

__all__ = ["copied"]


@contextmanager
def copied(
    read: Sequence[Sequence[str]], written: str, folder: Path | None
) -> Iterator[tuple[list[list[Path]], Path]]:
    """Fetch the files to read; store the written file when the `with` block ends without an error.

    A name without "://" is a local file. Copies are removed once everything is stored.

    Args:
        read: the names of the files of each kind; an address may contain `*`.
        written: the name of the file to write; files beside its copy are stored beside it.
        folder: where the copies go.

    Yields:
        the local paths of the files to read, by kind, and of the file to write.

    Raises:
        SelfBehaveError: a file cannot be reached, or has an address and no folder is given.
    """
    rooms: list[Path] = []

    def room(use: str, address: str) -> Path:
        """A folder for one copy: files of different folders may have the same name."""
        if folder is None:
            raise SelfBehaveError(
                "a file at an address is copied before the work, and the copy needs a folder",
                where=address,
                mend="give --work_dir",
                exit_code=EXIT_USAGE,
            )
        mark = hashlib.sha256(address.encode()).hexdigest()[:16]
        rooms.append(folder.absolute() / f"{use}-{mark}")
        rooms[-1].mkdir(parents=True, exist_ok=True)
        return rooms[-1]

    def fetched(name: str) -> Iterator[Path]:
        if not _is_address(name):
            yield Path(name).absolute()
            return
        for address in expanded(name):
            path = room("read", address) / _name_of(address)
            fetch_file(address, path)
            yield path

    paths = [[path for name in names for path in fetched(name)] for names in read]
    if not _is_address(written):
        yield paths, Path(written).absolute()
    else:
        address = absolute(written)
        to = room("written", address)
        yield paths, to / _name_of(address)
        for path in sorted(to.iterdir()):
            store_file(path, f"{address.rpartition('/')[0]}/{path.name}")
    for one in dict.fromkeys(rooms):
        shutil.rmtree(one)


def _name_of(address: str) -> str:
    return address.rpartition("/")[2]


def _is_address(name: str) -> bool:
    return "://" in name

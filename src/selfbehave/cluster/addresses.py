"""Files at a path or at any address that fsspec supports (`s3://…`, `gs://…`, `memory://…`).

A file appears only once it is written completely.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import fsspec

from ..core.errors import SelfBehaveError
from ..core.files import replacing

__all__ = [
    "absolute",
    "exists",
    "expanded",
    "fetch_file",
    "files_below",
    "opened",
    "state_of",
    "store_file",
    "write_file",
]

# File systems' names for the digest of a file's content, and for the time of its last change.
_MARKS = (
    *("ETag", "etag", "md5Hash", "content_md5", "checksum", "fingerprint"),
    *("mtime", "LastModified", "last_modified", "updated", "modified", "created"),
)


def absolute(name: str) -> str:
    """An address that means the same in every process of a machine."""
    with _reachable(name):
        filesystem, path = fsspec.core.url_to_fs(name)
        return str(filesystem.unstrip_protocol(path))


def expanded(name: str) -> list[str]:
    """The addresses that a name matches; the name may contain `*`.

    Raises:
        SelfBehaveError: it matches none, or its store cannot be reached.
    """
    with _reachable(name):
        filesystem, path = fsspec.core.url_to_fs(name)
        paths = sorted(filesystem.glob(path)) if "*" in path else [path]
    if not paths:
        raise SelfBehaveError("no such file", where=name, mend="check the pattern")
    return [str(filesystem.unstrip_protocol(one)) for one in paths]


def files_below(url: str) -> dict[str, str]:
    """The files in a folder and below it: by relative name, a text that changes when the file does.

    Compare only texts of two listings: a store may describe a single file in more detail.
    """
    with _reachable(url):
        filesystem, path = fsspec.core.url_to_fs(url)
        filesystem.invalidate_cache()
        if not filesystem.exists(path):
            return {}
        below = len(path.rstrip("/")) + 1
        found = filesystem.find(path, detail=True)
        return {file[below:]: _state_by(info) for file, info in found.items()}


def exists(url: str) -> bool:
    """Whether there is such a file."""
    with _reachable(url):
        filesystem, path = fsspec.core.url_to_fs(url)
        return bool(filesystem.exists(path))


def state_of(url: str) -> str:
    """A text that changes when a file does, from the store's metadata without reading the file."""
    with _reachable(url):
        filesystem, path = fsspec.core.url_to_fs(url)
        return str(filesystem.ukey(path))


@contextmanager
def opened(url: str) -> Iterator[BinaryIO]:
    """Read a file.

    Raises:
        SelfBehaveError: it cannot be reached, or cannot be read within the `with` block.
    """
    with _reachable(url), fsspec.open(url, "rb") as file:
        yield file


def write_file(url: str, data: bytes) -> None:
    """Write a file.

    Raises:
        SelfBehaveError: it cannot be written.
    """
    with _storing(url) as (filesystem, partial):
        filesystem.pipe_file(partial, data)


def store_file(path: Path, url: str) -> None:
    """Copy a file of this machine to an address.

    Raises:
        SelfBehaveError: it cannot be written.
    """
    with _storing(url) as (filesystem, partial):
        filesystem.put_file(str(path), partial)


def fetch_file(url: str, path: Path) -> None:
    """Copy a file at an address to this machine.

    Raises:
        SelfBehaveError: it cannot be read, or cannot be written here.
    """
    with replacing(path) as file, opened(url) as source:
        shutil.copyfileobj(source, file)


@contextmanager
def _storing(url: str) -> Iterator[tuple[fsspec.AbstractFileSystem, str]]:
    """A partial file to write, which replaces the file at the end."""
    with _reachable(url):
        filesystem, path = fsspec.core.url_to_fs(url)
        folder, _, name = path.rpartition("/")
        filesystem.makedirs(folder, exist_ok=True)
        partial = f"{folder}/_{name}.partial"  # readers of a whole folder leave it out
        yield filesystem, partial
        filesystem.mv(partial, path)


def _state_by(info: Mapping[str, Any]) -> str:
    # Not from all metadata: some of it may change when a file is read.
    mark = next((info[name] for name in _MARKS if info.get(name)), dict(info))
    return f"{info.get('size')} bytes, {mark}"


@contextmanager
def _reachable(url: str) -> Iterator[None]:
    try:
        yield
    except SelfBehaveError:
        raise
    except Exception as error:  # each file system's package raises errors of its own
        raise SelfBehaveError(
            f"cannot be reached, read or written: {error or type(error).__name__}",
            where=url,
            mend="check the address and its credentials, and that the package of its file system "
            "is installed",
        ) from error

"""Files are replaced whole or not at all, and say why they cannot be written."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.files import replacing, write_bytes
from selfbehave.core.jsonl import write_jsonl


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a disk that is nearly full; Python ignores the signal that the limit sends."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("size", [100, 100_000])  # within a buffer, and beyond
def test_a_file_that_does_not_fit_is_named_and_the_old_one_stays(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    with (
        files_of_at_most(50),
        pytest.raises(SelfBehaveError, match="cannot be written: File too large") as raised,
    ):
        write_bytes(path, b"x" * size)
    assert str(raised.value).startswith(f"{path}: ")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_rows_that_do_not_fit_name_the_file(tmp_path: Path) -> None:
    with files_of_at_most(20_000), pytest.raises(SelfBehaveError, match="File too large"):
        write_jsonl(tmp_path / "x.jsonl", ({"text": "x" * 500} for _ in range(100)))


def test_an_error_of_what_is_read_meanwhile_is_not_one_of_writing(tmp_path: Path) -> None:
    def read_and_write() -> None:
        with replacing(tmp_path / "x") as file:
            file.write(b"some")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        read_and_write()
    assert list(tmp_path.iterdir()) == []

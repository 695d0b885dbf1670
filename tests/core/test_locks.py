"""A lock: one process at a time, named to the next one, gone with its holder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.locks import Guarded, InUseError, holding, locked

_HOLD = """
import sys
from pathlib import Path
from selfbehave.core.locks import Guarded, locked
with locked(Path(sys.argv[1]), Guarded("it", Path("it"), "taken", "--to")):
    print("held", flush=True)
    sys.stdin.read()
"""


def guarded(path: Path) -> Guarded:
    return Guarded("the output", path, "another process is writing this file", "--to")


@contextmanager
def another_process_holding(file: Path) -> Iterator[subprocess.Popen[str]]:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        yield holder
    finally:
        holder.stdin.close()
        holder.wait(timeout=60)


def test_the_holder_is_named_to_whoever_comes_second(tmp_path: Path) -> None:
    file = tmp_path / "x.lock"
    with (
        another_process_holding(file) as holder,
        pytest.raises(InUseError) as raised,
        locked(file, guarded(tmp_path / "x")),
    ):
        pytest.fail("two hold it")
    assert f"another process is writing this file: process {holder.pid} on" in str(raised.value)
    assert str(raised.value).startswith(f"{tmp_path / 'x'}: ")
    assert "give another --to" in str(raised.value)


def test_a_killed_holder_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    file = tmp_path / "x.lock"
    with another_process_holding(file) as holder:
        holder.kill()
        holder.wait(timeout=60)
        with locked(file, guarded(tmp_path)):
            assert file.read_text().startswith(f"process {os.getpid()} on")
    assert file.read_text() == ""


def test_what_fails_while_a_lock_is_held_is_no_failure_of_the_lock(tmp_path: Path) -> None:
    with (
        pytest.raises(BlockingIOError, match="of a pipe"),
        locked(tmp_path / "x.lock", guarded(tmp_path)),
    ):
        raise BlockingIOError("of a pipe")
    with locked(tmp_path / "x.lock", guarded(tmp_path)):
        pass


def test_a_lock_whose_file_the_holder_before_removed_is_taken_at_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.lock"
    opened = os.open

    def removed_after_opening(path: Path, *arguments: int) -> int:
        monkeypatch.setattr(os, "open", opened)
        descriptor = opened(path, *arguments)
        file.unlink()  # by a holder who ends just now
        return descriptor

    monkeypatch.setattr(os, "open", removed_after_opening)
    with locked(file, guarded(tmp_path)):
        assert file.exists()
        with pytest.raises(InUseError), locked(file, guarded(tmp_path)):
            pytest.fail("two hold it")


def test_the_lock_of_a_runs_folder_is_a_file_of_its_own(tmp_path: Path) -> None:
    with holding(tmp_path / "run"):
        assert [path.name for path in (tmp_path / "run").iterdir()] == ["journal.sqlite-lock"]
        with (
            pytest.raises(InUseError, match="another run is working in this folder"),
            holding(tmp_path / "run"),
        ):
            pytest.fail("two hold it")


def test_a_lock_that_cannot_be_made_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SelfBehaveError, match="the output cannot be used: File exists"),
        locked(tmp_path / "file" / "x.lock", guarded(tmp_path)),
    ):
        pytest.fail("it is held")

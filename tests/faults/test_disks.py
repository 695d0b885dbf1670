"""Disks that are full or cannot be written, and clocks that jump."""

from __future__ import annotations

import os
import random
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..helpers.runs import contents, rows
from .checks import differing, kept_answers
from .conftest import size

RESERVED_KB = 4 * 1024  # by the journal


def in_own_namespace(script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount, for itself and what it starts."""
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_a_full_disk_loses_no_answer(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    """A small disk fills at some answer; once it is larger, the same command completes."""
    chance = random.Random(5)
    times, lost, filled = size(2, 25), 0, 0
    wrong: list[str] = []
    for number in range(times):
        server = faulty_server(latency=0.01)
        disk, out = tmp_path / "disk", tmp_path / f"out{number}"
        disk.mkdir(exist_ok=True)
        out.mkdir()
        command = shlex.join(server.command(disk / "r"))
        small = RESERVED_KB + chance.randrange(60, 420)
        done = in_own_namespace(
            f"mount -t tmpfs -o size={small}k none {disk} || exit\n"
            f"{command} >{out}/first.out 2>{out}/first.err; echo $? >{out}/first.code\n"
            f"mount -o remount,size=64m {disk}\n"
            f"{command} >{out}/second.out 2>{out}/second.err; echo $? >{out}/second.code\n"
            f"cp -r {disk}/r {out}/second"
        )
        assert done.returncode == 0, done.stderr
        assert (out / "second.code").read_text() == "0\n", (out / "second.err").read_text()
        if (out / "first.code").read_text() != "0\n":
            filled += 1
            (line,) = (out / "first.err").read_text().splitlines()
            assert "full" in line or "No space left" in line
            assert " — " in line
        lost += sum(server.answered[one] - 1 for one in kept_answers(out / "second"))
        wrong += differing(out / "second", undisturbed)
    note(f"disk full ({filled} in time)", times, lost, len(wrong))
    assert filled
    assert (lost, wrong) == (0, [])


def test_a_disk_without_room_for_answers_is_told_before_any_is_paid_for(
    faulty_server: Any, tmp_path: Path
) -> None:
    server = faulty_server()
    command = shlex.join(server.command(tmp_path / "r"))
    done = in_own_namespace(
        f"mkdir {tmp_path}/r && mount -t tmpfs -o size=2m none {tmp_path}/r && exec {command}"
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "no room left for answers: No space left on device — free at least 4 MiB" in line
    assert not server.answered


def test_a_folder_that_cannot_be_written_is_told_in_one_line_and_left_alone(
    faulty_server: Any, tmp_path: Path, note: Any
) -> None:
    server, folder = faulty_server(), tmp_path / "r"
    subprocess.run(server.command(folder), check=True, capture_output=True)
    before = contents(folder)
    asked = server.answered
    command = shlex.join(server.command(folder))
    done = in_own_namespace(
        f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && exec {command}"
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "the run's folder cannot be used: Read-only file system" in line
    assert contents(folder) == before
    assert server.answered == asked
    note("folder that cannot be written", 1)


def test_a_full_disk_under_the_output_is_told_in_one_line(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    server, folder = faulty_server(), tmp_path / "r"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            server.command(folder), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "cannot write the output: No space left on device" in line
    assert "continues: selfbehave run" in line
    subprocess.run(server.command(folder), check=True, capture_output=True)
    assert differing(folder, undisturbed) == []


JUMPING_CLOCK = """
import datetime, random, time
chance, real, monotonic = random.Random(6), time.time, time.monotonic
def jump():
    return chance.choice([0, 0, -3600, 3600, 10**8, -10**9])
time.time = lambda: real() + jump()
class Jumping(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(real() + jump(), tz)
datetime.datetime = Jumping
"""


def test_a_clock_that_jumps_disturbs_neither_waits_nor_files(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    """The clock on the wall is set to and fro all the time, and the server's is an hour ahead."""
    (tmp_path / "sitecustomize.py").write_text(JUMPING_CLOCK)
    server, folder = (
        faulty_server(faults=0.5, kinds=["429, Retry-After: date", "503"]),
        tmp_path / "r",
    )
    done = subprocess.run(
        server.command(folder, "--max_wait", 60),
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wrong = differing(folder, undisturbed)
    note("clock jumps (at each look)", 1, 0, len(wrong))
    assert wrong == []
    assert rows(folder / "machine_generated_instructions.jsonl")

"""Runs that are killed, cut off from power, or interrupted: the same command completes them."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..helpers.runs import answers, contents, selfbehave
from .checks import differing, kept_answers
from .conftest import FaultyServer, size

FILES = (
    "run.toml",
    "machine_generated_instructions.jsonl",
    "dropped.jsonl",
    "is_clf_or_not_template_1.jsonl",
    "machine_generated_instances.jsonl",
    "finetuning_data/all_generated_instances.jsonl",
    "finetuning_data/ladder.jsonl",
)
REQUESTS = 21  # of the run that is disturbed
SCHEMA_BYTES = 4096  # of a journal: the page without which SQLite cannot tell what is what


def started(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill_when(is_time: Callable[[], bool], command: list[str], delay: float = 0.0) -> None:
    """Start a run and kill -9 it a moment after something holds, or let it end before."""
    process = started(command)
    while not is_time() and process.poll() is None:
        time.sleep(0.001)
    time.sleep(delay)
    process.kill()
    process.communicate()


def completed(command: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def points_of(folder: Path, times: int) -> list[tuple[Callable[[], bool], float]]:
    """Moments to kill at: after so many answers and a bit, or when a file is being written."""
    chance = random.Random(7)

    def after(count: int) -> Callable[[], bool]:
        return lambda: answers(folder) >= count

    def when_there(name: str) -> Callable[[], bool]:
        return lambda: (folder / name).exists() or (folder / f"{name}.partial").exists()

    points = []
    for number in range(times):
        is_time = when_there(chance.choice(FILES)) if number % 4 == 3 else None
        points.append((is_time or after(chance.randrange(REQUESTS)), chance.uniform(0.0, 0.03)))
    return points


def test_a_run_killed_at_any_point_loses_no_answer(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    """Four kills of one run, or five: what one spared, the next may hit."""
    times, in_a_row = size(8, 50), size(4, 5)
    lost = again = 0
    wrong: list[str] = []
    for first in range(0, times, in_a_row):
        server, folder = faulty_server(latency=0.03), tmp_path / f"r{first}"
        kept_for_good: dict[str, Any] = {}
        points = points_of(folder, times)[first : first + in_a_row]
        for is_time, delay in points:
            kill_when(is_time, server.command(folder), delay)
            kept = kept_answers(folder)
            lost += sum(kept.get(one) != answer for one, answer in kept_for_good.items())
            kept_for_good, answered_before = kept, server.answered
        completed(server.command(folder))
        wrong += differing(folder, undisturbed)
        # An answer that was kept when the last kill came must not have been asked for again.
        final = server.answered
        lost += sum(final[one] > answered_before[one] for one in kept_for_good)
        again += sum(final[one] - 1 for one in kept_answers(folder))
    note("kill -9", times, lost, len(wrong), again)
    assert lost == 0
    assert wrong == []
    assert again <= 5 * times, "only what was in flight"


@pytest.mark.model
@pytest.mark.skipif(size(1, 0) == 1, reason="tests/e2e/test_run.py does it at one point")
def test_a_run_of_an_embedded_model_killed_at_any_point_ends_the_same(
    tmp_path: Path, note: Any
) -> None:
    """Without a prompt cache it answers the same request the same way."""

    def command(folder: Path) -> list[str]:
        return selfbehave(
            "run", "--batch_dir", folder, "--num_instructions_to_generate", 3,
            "--engine", "embedded-small", "--request_batch_size", 1, "--prompt_cache", "off",
            "--num_prompt_instructions", 3, "--top_rung", "bound",
        )  # fmt: skip

    completed(command(tmp_path / "whole"))
    expected = contents(tmp_path / "whole")
    total = answers(tmp_path / "whole")
    chance = random.Random(1)
    wrong = 0
    for number in range(5):
        folder, point = tmp_path / f"r{number}", chance.randrange(total)
        kill_when(
            lambda folder=folder, point=point: answers(folder) >= point,  # type: ignore[misc]
            command(folder),
            chance.uniform(0.0, 2.0),
        )
        completed(command(folder))
        wrong += len(differing(folder, expected))
    note("kill -9, embedded model", 5, 0, wrong)
    assert wrong == 0


def test_a_journal_cut_off_by_a_power_cut_is_gone_on_from(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    """The end of the write-ahead log is gone, as of a disk that had not yet written it."""
    server, folder = faulty_server(latency=0.03), tmp_path / "killed"
    kill_when(lambda: answers(folder) >= 12, server.command(folder))
    chance = random.Random(2)
    times, wrong = size(2, 50), 0
    log = (folder / "journal.sqlite-wal").read_bytes()
    assert log
    for number in range(times):
        copy = tmp_path / f"r{number}"
        shutil.copytree(folder, copy)
        (copy / "journal.sqlite-wal").write_bytes(log[: chance.randrange(len(log))])
        before = kept_answers(copy)
        completed(server.command(copy))
        after = kept_answers(copy)
        assert all(after[one] == answer for one, answer in before.items())
        wrong += len(differing(copy, undisturbed))
    note("journal's log cut off", times, 0, wrong)
    assert wrong == 0


def test_files_cut_off_at_any_length_are_written_anew_without_a_request(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    server, folder = faulty_server(), tmp_path / "r"
    completed(server.command(folder))
    asked = server.answered
    chance = random.Random(3)
    wrong, times = 0, size(1, 25)
    for number in range(times):
        names = sorted(undisturbed)
        for name in names if number == 0 else chance.sample(names, 3):
            path = folder / name
            os.truncate(path, chance.randrange(path.stat().st_size))
        completed(server.command(folder))
        (folder / "run.toml.torn").unlink(missing_ok=True)
        wrong += len(differing(folder, undisturbed))
    lost = (server.answered - asked).total()
    note("files cut off", times, lost, wrong)
    assert wrong == 0
    assert lost == 0


def test_settings_cut_off_are_kept_aside_and_told(faulty_server: Any, tmp_path: Path) -> None:
    """Half of `random_seed = 42` is `random_seed = 4`: it must not lock the folder."""
    server, folder = faulty_server(), tmp_path / "r"
    completed(server.command(folder))
    settings = (folder / "run.toml").read_bytes()
    cut = settings[: settings.index(b"random_seed = 42") + len(b"random_seed = 4")]
    (folder / "run.toml").write_bytes(cut)
    done = completed(server.command(folder))
    assert "run.toml is cut off: kept as run.toml.torn" in done.stdout
    assert (folder / "run.toml.torn").read_bytes() == cut
    assert (folder / "run.toml").read_bytes() == settings


def test_a_damaged_journal_is_told_and_never_believed(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    """Blocks overwritten anywhere: the run ends as ever or says what is wrong and how to mend it.

    Then the answers that are left are saved, in the way that it says.
    """
    server, folder = faulty_server(), tmp_path / "whole"
    completed(server.command(folder))
    chance = random.Random(4)
    times, wrong, mended, again = size(3, 50), 0, 0, 0
    for number in range(times):
        copy = tmp_path / f"r{number}"
        shutil.copytree(folder, copy)
        journal = copy / "journal.sqlite"
        with journal.open("r+b") as file:
            # At first within the file's header: then it is no database at all.
            place = chance.randrange(SCHEMA_BYTES, journal.stat().st_size) if number else 0
            file.seek(place)
            file.write(chance.randbytes(chance.choice([1, 16, 512])))
        asked = server.answered
        done = subprocess.run(server.command(copy), capture_output=True, text=True, timeout=300)
        if done.returncode:
            (line,) = done.stderr.splitlines()
            assert "journal" in line
            assert "sqlite3 journal.sqlite .recover | sqlite3 mended.sqlite" in line
            mend(copy)
            mended += 1
            completed(server.command(copy))
        wrong += len(differing(copy, undisturbed))
        # All of them where the page is gone that leads to the others.
        again += (server.answered - asked).total()
    note(f"journal damaged ({mended} mended by hand)", times, 0, wrong, again)
    assert wrong == 0
    assert mended
    assert again < times * REQUESTS, "what can be saved is not asked for again"


def mend(folder: Path) -> None:
    """What the error line says."""
    subprocess.run(
        "sqlite3 journal.sqlite .recover | sqlite3 mended.sqlite"
        " && mv mended.sqlite journal.sqlite && rm -f journal.sqlite-wal journal.sqlite-shm",
        shell=True, cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_finishes_what_is_in_flight(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any, number: int
) -> None:
    server, folder = faulty_server(latency=0.3), tmp_path / "r"
    process = started(server.command(folder))
    while answers(folder) < 3:
        time.sleep(0.01)
    process.send_signal(number)
    told, complaint = process.communicate(timeout=60)
    kept = kept_answers(folder)
    lost = len(set(server.answered) - set(kept))
    assert process.returncode == 130
    assert "answers in flight" in told
    assert complaint == f"selfbehave: interrupted; to continue: {line_of(server, folder)}\n"
    completed(server.command(folder))
    wrong = differing(folder, undisturbed)
    again = sum(server.answered[one] - 1 for one in kept)
    note(signal.Signals(number).name, 1, lost, len(wrong), again)
    assert (lost, again, wrong) == (0, 0, [])


def line_of(server: FaultyServer, folder: Path) -> str:
    return "selfbehave " + " ".join(server.command(folder)[3:])


def test_a_run_interrupted_twice_leaves_at_once(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    server, folder = faulty_server(gone_after=6, kinds=["hangs"], faults=0.5), tmp_path / "r"
    process = started(server.command(folder, "--request_timeout", 200))
    while not server.logged("fault") or answers(folder) < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    while "answers in flight" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)  # hangs last for longer
    assert process.returncode == 130
    assert "to continue" in complaint
    assert "Traceback" not in complaint
    kept = kept_answers(folder)
    calm = faulty_server()
    completed(calm.command(folder))
    wrong, lost = differing(folder, undisturbed), len(set(kept) & set(calm.answered))
    note("Ctrl-C twice", 1, lost, len(wrong))
    assert (lost, wrong) == (0, [])


def test_a_second_run_in_a_folder_is_refused_and_told_of_the_first(
    faulty_server: Any, tmp_path: Path, note: Any
) -> None:
    server, folder = faulty_server(kinds=["hangs"], faults=0.5), tmp_path / "r"
    first = started(server.command(folder))
    while answers(folder) < 1:
        time.sleep(0.01)
    for command in (
        server.command(folder),
        selfbehave(
            "prepare", "--instance_files", folder / "x.jsonl", "--classification_type_files",
            folder / "y.jsonl", "--output_dir", folder / "finetuning_data",
        ),
    ):  # fmt: skip
        second = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        (line,) = second.stderr.splitlines()
        name = os.uname().nodename
        assert f"another run is working in this folder: process {first.pid} on {name}," in line
        assert " since 20" in line
    first.kill()
    first.communicate()
    completed(faulty_server().command(folder))  # what the first left behind hinders nobody
    note("a second run in the folder", 2)

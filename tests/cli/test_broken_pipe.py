"""A command whose reader goes away, as in `selfbehave audit … | head -1`, ends quietly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..helpers.paths import CLASSIC_SEEDS, DATA

PROGRAM = [sys.executable, "-m", "selfbehave"]
BROKEN_PIPE = 141


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "high_quality", "--top_rung", "bound", "--json"],
        ["audit", "high_quality", "--top_rung", "bound"],
        ["seeds", "to-markdown", str(CLASSIC_SEEDS)],
        ["import", str(DATA / "behave_project"), "--to", "seeds.jsonl", "--top_rung", "bound"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_command_that_nobody_reads_ends_without_a_word(
    arguments: list[str], tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as output:
        done = subprocess.run(
            [*PROGRAM, *arguments], stdout=output, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
    assert (done.returncode, done.stderr) == (BROKEN_PIPE, "")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_that_nobody_reads_ends_without_a_word(option: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as output:
        done = subprocess.run(
            [*PROGRAM, option], stdout=output, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
    # argparse ignores a failed write, which only an unbuffered standard output meets that early.
    assert done.returncode in (0, BROKEN_PIPE)
    assert done.stderr == ""


def test_a_command_whose_messages_nobody_reads_ends_with_the_same_code(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as output:
        done = subprocess.run(
            [*PROGRAM, "audit", "nowhere.jsonl"],
            stdout=subprocess.PIPE, stderr=output, text=True, cwd=tmp_path,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (BROKEN_PIPE, "")


def test_the_first_line_of_a_long_output_is_read_and_the_rest_is_not_missed(
    tmp_path: Path,
) -> None:
    command = f"{sys.executable} -m selfbehave seeds to-markdown high_quality | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("# high_quality_seed_tasks\n", "")

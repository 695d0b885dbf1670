"""Attempts of a run at its defaults, over HTTP: each is on disk with its verdict, and paid once.

The server's first attempt at any step functions lacks one, and its second is right.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfbehave.bdd import sandbox
from selfbehave.core.jsonl import write_jsonl
from selfbehave.runs.pipeline import prepare
from selfbehave.stages.prepare import PREPARE, PrepareSettings
from selfbehave.views.display import Display

from ..conftest import ScriptedServer, start_scripted
from ..helpers.runs import contents, rows, run, selfbehave

ANSWERS = "machine_generated_instances.jsonl"
DATA = "finetuning_data/all_generated_instances.jsonl"

pytestmark = pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))


def command(server: ScriptedServer, folder: Path) -> tuple[object, ...]:
    """A run of two instructions; one request at a time shows what is asked when."""
    options = ("--engine", server.url, "--model", "scripted", "--batch_dir", folder)
    options += ("--request_batch_size", 1)
    return ("run", *options, "--num_instructions_to_generate", 2)


def solving(folder: Path) -> Counter[int]:
    """Answers of the instances stage in the journal, by their instruction's place."""
    try:
        database = sqlite3.connect(f"file:{folder}/journal.sqlite?mode=ro", uri=True)
        found = database.execute("SELECT request_idx FROM answers WHERE stage = 'instances'")
        counted = Counter(place for (place,) in found)
        database.close()
    except sqlite3.OperationalError:
        return Counter()
    return counted


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ScriptedServer, Path]]:
    """An undisturbed run, and its server."""
    folder = tmp_path_factory.mktemp("attempts") / "whole"
    process, server = start_scripted(folder.with_name("log"), slips=True)
    run(*command(server, folder))
    yield server, folder
    process.kill()
    process.wait()


def test_a_second_attempt_mends_the_first_and_both_are_on_disk(
    whole: tuple[ScriptedServer, Path],
) -> None:
    _, folder = whole
    attempts = rows(folder / "attempts.jsonl")
    assert [
        (one["attempt"], one["repairs"], one["rung"], one["faults"], one["is_kept"])
        for one in attempts
    ] == [(0, None, "parsed", ["undefined_step"], False), (1, None, "causal", [], True)] * 2
    kept = rows(folder / ANSWERS)
    assert [one["raw_instances"] for one in kept] == [
        one["raw_instances"] for one in attempts if one["is_kept"]
    ]
    assert len(rows(folder / DATA)) == 2
    noted = (folder / "run.toml").read_text()
    assert noted.count('min_rung = "causal"') == 3, "resolved for the run, its attempts and rows"
    assert 'prompts = "bdd_turns"' in noted


def test_the_same_command_again_asks_for_no_attempt(whole: tuple[ScriptedServer, Path]) -> None:
    server, folder = whole
    first, asked = contents(folder), len(server.answered)
    run(*command(server, folder))
    assert contents(folder) == first
    assert len(server.answered) == asked


def test_a_run_killed_between_two_attempts_asks_nothing_again(
    whole: tuple[ScriptedServer, Path], scripted_server: Any, tmp_path: Path
) -> None:
    server, folder = scripted_server(slips=True, latency=0.05), tmp_path / "killed"
    begun = selfbehave(*command(server, folder))
    process = subprocess.Popen(begun, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not solving(folder) and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert 1 in solving(folder).values(), "an instruction has its first attempt only"
    run(*command(server, folder))
    expected, resumed = contents(whole[1]), contents(folder)
    assert resumed.keys() == expected.keys()
    differing = [name for name in expected if resumed[name] != expected[name]]
    assert differing == ["run.toml"], "it has the server's address"
    # Nothing that was answered is asked again, but for what was in flight when the run was killed.
    twice = [count for count in Counter(server.answered).values() if count > 1]
    assert twice in ([], [2])


def test_prepare_alone_filters_by_the_rung_that_the_answers_were_made_for(
    whole: tuple[ScriptedServer, Path], tmp_path: Path
) -> None:
    """That of the instances stage; without a note of it, bound."""
    folder = Path(shutil.copytree(whole[1], tmp_path / "r"))
    one, other = rows(folder / ANSWERS)
    idle = one | {"raw_instances": one["raw_instances"].replace("context.model.act(", "typed(")}
    write_jsonl(folder / ANSWERS, [idle, other])
    settings = PrepareSettings(**PREPARE.in_run(folder))
    prepare(settings, Display())
    assert [row["instruction"] for row in rows(folder / DATA)] == [other["instruction"]]
    (folder / "run.toml").unlink()
    prepare(settings, Display())
    assert len(rows(folder / DATA)) == 2
    assert 'min_rung = "bound"' in (folder / "run.toml").read_text()

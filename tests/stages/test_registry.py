"""A stage is one object: the command line, the run and the report find a new one by themselves."""

import os
import re
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections import Counter
from dataclasses import fields, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from selfbehave.cli.main import command_parser, main
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.extensions import Extension
from selfbehave.report.counts import funnel
from selfbehave.report.facts import read_runs
from selfbehave.runs.run_settings import RunSettings
from selfbehave.stages.prepare import PREPARE
from selfbehave.stages.registry import BUILT_IN, all_stages, in_order

from ..conftest import ScriptedServer
from ..helpers.paths import DATA, ROOT
from ..helpers.runs import contents, rows, scripted

PACKAGE = DATA / "added_stage"  # as pip lays an installed package out
KNOWN = ["bootstrap", "classify", "instances", "judge", "prepare"]
OF_A_RUN = [name for name in KNOWN if name != "judge"]  # unless it is asked for


@pytest.fixture
def added_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the package of the stage `screen` installed."""
    monkeypatch.syspath_prepend(str(PACKAGE))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PACKAGE), *sys.path]))


def install(folder: Path, entry_point: str) -> None:
    """Lay the metadata of a package `theirs` out as pip does."""
    metadata = folder / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[selfbehave.stages]\n{entry_point}")


def run(server: ScriptedServer, folder: Path, *more: object) -> tuple[str, ...]:
    options = ("--num_instructions_to_generate", 8, "--top_rung", "bound", *more)
    return tuple(map(str, scripted(server, folder, *options)))


def answers_of(stage: str, folder: Path) -> int:
    try:
        database = sqlite3.connect(f"file:{folder}/journal.sqlite?mode=ro", uri=True)
        query = "SELECT count(*) FROM answers WHERE stage = ?"
        (count,) = database.execute(query, [stage]).fetchone()
        database.close()
    except sqlite3.OperationalError:
        return 0
    return int(count)


def test_the_stages_are_in_the_order_of_a_run() -> None:
    assert [stage.name for stage in all_stages()] == KNOWN


def test_a_stage_reads_what_an_earlier_one_writes_and_no_two_write_one_file() -> None:
    written: list[str] = []
    for stage in BUILT_IN:
        assert set(stage.reads) <= set(written), stage.name
        written += stage.writes
    assert len(set(written)) == len(written)


def test_a_runs_settings_are_those_of_its_stages() -> None:
    of_stages = [field for stage in BUILT_IN for field in fields(stage.settings)]
    of_run = [field for field in fields(RunSettings) if field.name != "rows"]  # only a run grows
    for field in of_run:
        same = [one for one in of_stages if one.name == field.name]
        assert {one.type for one in same} == {field.type}, field.name
        # A whole run is begun with a few instructions, and may be told a number of rows instead.
        if field.name != "num_instructions_to_generate":
            assert field.metadata in [one.metadata for one in same], field.name
            assert {one.default for one in same} == {field.default}, field.name


@pytest.mark.usefixtures("added_stage")
def test_a_packages_stage_is_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert [stage.name for stage in all_stages()] == [*KNOWN[:3], "screen", *KNOWN[3:]]
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "4: what is worth solving" in shown
    assert "6: parse, filter, encode, write" in shown
    for command in (["screen", "--label", "x"], ["run"], ["cluster", "run"]):
        options = command_parser().parse_args([*command, "--wanted", "No", "--batch_dir", "x"])
        assert (options.wanted, options.batch_dir) == ("No", Path("x"))
    for command in (["screen"], ["cluster", "screen"]):
        with pytest.raises(SelfBehaveError, match="required: --label"):
            command_parser().parse_args(command)
    with pytest.raises(SelfBehaveError, match="unrecognized arguments: --label"):
        command_parser().parse_args(["run", "--label", "x"])  # a run sets it


@pytest.mark.usefixtures("added_stage")
def test_a_packages_stage_is_part_of_a_run_its_files_and_its_report(
    scripted_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server, folder = scripted_server(), tmp_path / "r"
    assert main(run(server, folder, "--wanted", "No")) == 0
    assert "screen: 8/8 instructions · 8 requests" in capsys.readouterr().out
    settings = tomllib.loads((folder / "run.toml").read_text())
    assert [name for name in settings if name != "made_with"] == [
        *OF_A_RUN[:3],
        "screen",
        "prepare",
    ]
    noted = settings["screen"]
    assert (noted["wanted"], noted["label"], noted["model"]) == ("No", "of a run", "scripted")

    kept, dropped = rows(folder / "screened.jsonl"), rows(folder / "dropped.jsonl")
    order = [stage.name for stage in all_stages()]
    assert [row["stage"] for row in dropped] == sorted(
        (row["stage"] for row in dropped), key=order.index
    )
    assert Counter(row["stage"] for row in dropped)["screen"] == 8 - len(kept)
    assert 0 < len(kept) < 8

    steps = [(step.name, step.count) for step in funnel(read_runs([str(folder)])[0])]
    assert steps[3:5] == [("instances", 8), ("screen", len(kept))]

    asked = len(server.answered)
    alone = ["screen", *run(server, folder)[1:7], "--label", "of a run"]
    assert main(alone) == 1, "other settings"
    assert "made with wanted = 'No', not 'Yes'" in capsys.readouterr().err
    assert main([*alone, "--wanted", "No"]) == 0
    assert "8 requests (8 from the journal)" in capsys.readouterr().out
    assert len(server.answered) == asked


@pytest.mark.usefixtures("added_stage")
def test_a_run_killed_within_a_packages_stage_goes_on_where_it_was(
    scripted_server: Any, tmp_path: Path
) -> None:
    assert main(run(scripted_server(), tmp_path / "whole")) == 0
    server, folder = scripted_server(latency=0.1), tmp_path / "killed"
    command = [sys.executable, "-m", "selfbehave", *run(server, folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while answers_of("screen", folder) < 3 and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert 3 <= answers_of("screen", folder) < 8
    assert main(run(server, folder)) == 0
    expected, resumed = contents(tmp_path / "whole"), contents(folder)
    assert resumed.keys() == expected.keys()
    assert all(resumed[name] == expected[name] for name in expected if name != "run.toml")
    twice = sum(count - 1 for count in Counter(server.answered).values())
    assert twice <= 5, "only what was in flight is asked again"


def test_the_stage_of_the_how_to_runs(
    scripted_server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = (ROOT / "docs/how-to/add-a-stage.md").read_text()
    module = re.search(r"```python title=\"titles_stage.py\"\n(.*?)```", page, re.S)
    entry_point = re.search(r"```toml\n\S+\n(.*?)```", page, re.S)
    assert module
    assert entry_point
    (tmp_path / "titles_stage.py").write_text(module[1])
    install(tmp_path, entry_point[1].replace('"', ""))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main([*run(scripted_server(), tmp_path / "r"), "--words", "4"]) == 0
    assert len(rows(tmp_path / "r" / "titles.jsonl")) == 8


@pytest.mark.parametrize(
    ("stage", "complaint"),
    [
        (replace(PREPARE, name="classify"), "the stage 'classify' already exists"),
        (replace(PREPARE, name="x", after="fly"), "it follows the unknown stage 'fly'"),
        (
            replace(PREPARE, name="x", after="bootstrap"),
            "no stage before it writes machine_generated_instances.jsonl",
        ),
        ("prepare", "it names a str, not a Stage"),
    ],
)
def test_a_stage_without_a_place_in_a_run_is_refused(
    stage: object, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("theirs", "theirs:STAGE", "selfbehave.stages")
    monkeypatch.setattr(Extension, "load", lambda _: stage)
    with pytest.raises(SelfBehaveError, match=complaint):
        in_order([Extension(point, "theirs 1.0")])


def test_a_broken_package_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, "fly = nowhere:FLY\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["run"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "theirs 1.0, entry point 'fly = nowhere:FLY' of selfbehave.stages" in line

"""`selfbehave import`: the files it writes, what it prints, and runs that grow from its tasks."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from selfbehave.cli.main import main
from selfbehave.seeds.load import load_seeds

from ..conftest import ScriptedServer
from ..helpers.paths import DATA

BAKERY = DATA / "behave_project"


def import_bakery(seeds: Path, *options: str) -> int:
    return main(["import", str(BAKERY), "--to", str(seeds), "--top_rung", "bound", *options])


def test_an_import_writes_seed_tasks_and_whatever_it_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_bakery(tmp_path / "seeds.jsonl") == 0
    assert len(load_seeds(str(tmp_path / "seeds.jsonl")).tasks) == 6
    lines = (tmp_path / "seeds.left_out.jsonl").read_text().splitlines()
    assert [json.loads(line)["reason"] for line in lines] == ["undefined_step"]
    lines = (tmp_path / "seeds.ladder.jsonl").read_text().splitlines()
    places = {row["id"]: row["place"] for row in map(json.loads, lines)}
    assert places["own_003"].endswith("orders.feature:12")
    table = capsys.readouterr().out
    rows = [line.split() for line in table.splitlines()]
    assert ["scenarios", "7"] in rows
    assert ["imported", "6"] in rows
    assert ["reached", "bound", "6"] in rows
    assert f"undefined step: {BAKERY / 'features' / 'orders.feature'}:41" in table.replace(
        "undefined step: tests", f"undefined step: {BAKERY.parent.parent}"
    )
    assert "1 hook cannot come along: before_scenario" in table


def test_a_run_drafts_its_prompts_from_imported_tasks(
    scripted_server: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    seeds, batch = tmp_path / "seeds.jsonl", tmp_path / "run"
    assert import_bakery(seeds) == 0
    done = main(
        ["run", "--engine", scripted_server().url, "--model", "scripted", "--batch_dir", str(batch),
         "--seed_tasks_path", str(seeds), "--num_instructions_to_generate", "4",
         "--prompts", "bdd", "--min_rung", "bound", "--top_rung", "bound"]
    )  # fmt: skip
    assert done == 0
    titles = [task.instruction.split("```gherkin\n")[1].split("\n")[0]
              for task in load_seeds(str(seeds)).tasks]  # fmt: skip
    drafted, *_ = prompts_of(batch, "bootstrap")
    # Six seed tasks are fewer than a prompt's eight examples, so the first prompt holds them all.
    assert all(title in drafted for title in titles)
    solved, *_ = prompts_of(batch, "instances")
    assert sum(title in solved for title in titles) >= 1
    assert "context.counter = Counter(" in solved or "context.last_day" in solved
    rows = (batch / "finetuning_data" / "all_generated_instances.jsonl").read_text().splitlines()
    assert len(rows) >= 1


def prompts_of(batch: Path, stage: str) -> list[str]:
    """The prompts of a stage in the order of their requests."""
    database = sqlite3.connect(batch / "journal.sqlite")
    query = "SELECT prompt FROM answers WHERE stage = ? ORDER BY request_idx"
    prompts = [row[0] for row in database.execute(query, (stage,))]
    database.close()
    return prompts


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nowhere", "--to", "s.jsonl"], 1, "nowhere: no such folder"),
        ([str(DATA / "classic_seed_tasks.jsonl"), "--to", "s.jsonl"], 1, "not a folder"),
        (["empty", "--to", "s.jsonl"], 1, "no *.feature file in it"),
        ([str(BAKERY), "--to", "seeds.txt"], 2, "--to is not a *.jsonl file"),
        ([str(BAKERY)], 2, "--to"),
        ([str(BAKERY), "--to", "s.jsonl", "--min_rung", "text"], 2, "--min_rung"),
        ([str(BAKERY), "--to", "s.jsonl", "--min_rung", "passing", "--top_rung", "bound"], 2,
         "--min_rung passing is above the highest rung checked (bound)"),
        (["undefined", "--to", "s.jsonl"], 1, "none of 1 scenarios could be imported"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_one_line(
    arguments: list[str], code: int, told: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "undefined").mkdir()
    (tmp_path / "undefined" / "a.feature").write_text("Feature: a\n  Scenario: a\n    Given a\n")
    assert main(["import", *arguments]) == code
    *others, line = capsys.readouterr().err.splitlines()
    assert told in line
    assert all("stopped at" in other for other in others)  # on a machine without sandbox
    assert not (tmp_path / "s.jsonl").exists()

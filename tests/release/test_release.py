"""A release holds its rows in every form, loads with what people use, and is the same each time."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import duckdb
import mlcroissant
import pandas
import polars
import pyarrow.parquet as pq
import pytest
import yaml

from selfbehave.audit.file_audit import audit_file
from selfbehave.bdd import FaultCode
from selfbehave.bdd.ladder import Rung
from selfbehave.core.canary import CANARY
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.jsonl import read_records, write_jsonl
from selfbehave.core.records import SeedTask
from selfbehave.release.card import size_category
from selfbehave.release.make_release import ReleaseSettings, release
from selfbehave.release.row_records import SCHEMA, record
from selfbehave.runs.finished import read_run, row_id
from selfbehave.runs.rungs_reached import rung_shares
from selfbehave.seeds.load import seeds_path
from selfbehave.study.items import StudyItem
from selfbehave.study.ratings import CONSENSUS, CRITERIA, Rating
from selfbehave.study.settled import settled_verdicts

from ..helpers.release_runs import make_run, pair, seed_pairs

ALL_HOLD = dict.fromkeys(CRITERIA, True)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of twenty pairs that are seed tasks of the high-quality set."""
    return make_run(tmp_path_factory.mktemp("runs") / "mine", seed_pairs(20))


@pytest.fixture(scope="module")
def released(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("released") / "baskets"
    release([str(run_folder)], folder, ReleaseSettings(test=0.3))
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def header(folder: Path) -> Any:
    return yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("form", ["chat", "prompt_completion"])
def test_the_rows_of_each_form_audit_alike(released: Path, form: str) -> None:
    for file in sorted((released / form).glob("*.jsonl")):
        rungs = [row.rung for row in audit_file(str(file)).rows]
        assert rungs == [Rung.BOUND] * len(lines(file))


LOAD = """
import json, sys
from datasets import load_dataset
names = ("default", "chat", "prompt_completion")
loaded = {name: load_dataset(sys.argv[1], name) for name in names}
told = {name: {split: list(rows) for split, rows in one.items()} for name, one in loaded.items()}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def loaded(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The rows that `datasets` loads without a network, by configuration and split."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path_factory.mktemp("hub"))}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(released)],
        env=os.environ | offline,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_datasets_loads_a_release_with_the_rows_of_the_run(run_folder: Path, loaded: Any) -> None:
    assert set(loaded["default"]) == {"train", "test"}
    rows = {row["id"]: row for split in loaded["default"].values() for row in split}
    wanted = {row.id: row for row in read_run(str(run_folder)).rows}
    assert rows.keys() == wanted.keys()
    judged = dict.fromkeys((*CRITERIA, "high_quality", "criteria_by", "domain"))
    for id, row in wanted.items():
        assert rows[id]["scenario"] in row.instruction
        assert rows[id]["step_functions"] in row.output
        assert rows[id]["criteria_by"] == "auto"
        assert rows[id]["rung"] == "bound"
        assert rows[id]["novelty"] == 0.75
        assert rows[id]["domain"]
        assert rows[id]["engine"] == "scripted"
        assert rows[id]["instance_request"].startswith("b")
        assert rows[id] | judged == record(row)  # before it was judged


def test_datasets_does_not_take_a_release_for_another_of_its_name(tmp_path: Path) -> None:
    """Its cache knows a folder by its name and what the card says, not by its files."""
    ids = []
    for number in range(2):
        run = make_run(tmp_path / f"run{number}", seed_pairs(3, start=10 * number))
        folder = tmp_path / f"{number}" / "baskets"
        release([str(run)], folder)
        loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
        ids.append(sorted(loaded["train"]["id"]))
        assert ids[number] == sorted(row.id for row in read_run(str(run)).rows)
    assert ids[0] != ids[1]


def test_datasets_loads_what_fine_tuning_takes(loaded: Any) -> None:
    for split, rows in loaded["default"].items():
        outputs = [row["output"] for row in rows]
        chats = [row["messages"] for row in loaded["chat"][split]]
        assert [chat[-1]["content"] for chat in chats] == outputs
        assert all([one["role"] for one in chat] == ["user", "assistant"] for chat in chats)
        completions = [row["completion"] for row in loaded["prompt_completion"][split]]
        assert [completion.strip() for completion in completions] == outputs


def test_json_lines_hold_the_rows_that_parquet_does(released: Path) -> None:
    for form in ("chat", "prompt_completion"):
        table = pq.read_table(released / f"{form}/train.parquet").to_pylist()
        assert lines(released / f"{form}/train.jsonl") == table
    table = pq.read_table(released / "data/train.parquet").select(
        ["instruction", "input", "output"]
    )
    assert lines(released / "instances/train.jsonl") == table.to_pylist()


def test_polars_and_duckdb_read_the_rows_that_datasets_loads(released: Path, loaded: Any) -> None:
    for split, rows in loaded["default"].items():
        path = released / f"data/{split}.parquet"
        assert polars.read_parquet(path).to_dicts() == rows
        found = duckdb.sql(f"select * from read_parquet('{path}')")
        told = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
        assert told == rows


def test_pandas_reads_typed_columns(released: Path) -> None:
    frame = pandas.read_parquet(released / "data/train.parquet")
    assert list(frame.columns) == SCHEMA.names
    assert frame["novelty"].dtype == "float64"
    assert all(value in (True, False) for value in frame["high_quality"])
    assert all(isinstance(value, str) for value in frame["scenario"])


def test_seed_tasks_of_a_release_are_seed_tasks(released: Path) -> None:
    tasks = read_records(released / "seed_tasks/train.jsonl", SeedTask.from_dict)
    assert {task.instruction for task in tasks} <= {one for one, _ in seed_pairs(20)}
    assert all(task.name and task.criteria is None for task in tasks)


def test_behave_runs_the_folders_as_they_are(released: Path) -> None:
    folders = sorted(path for path in (released / "behave").glob("*/*"))
    assert len(folders) == 20
    for folder in folders[:3]:
        done = subprocess.run(
            [sys.executable, "-m", "behave", str(folder)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 feature passed" in done.stdout


def test_a_title_cannot_lead_a_file_out_of_its_folder(tmp_path: Path) -> None:
    titles = ["../../../etc/passwd", "NUL", "Ünïcode 漢字", "x" * 300, ""]
    pairs = [pair(title, f"word{number}") for number, title in enumerate(titles)]
    release([str(make_run(tmp_path / "run", pairs))], tmp_path / "out")
    folders = [path.name for path in (tmp_path / "out/behave/train").iterdir()]
    assert len(folders) == len(titles)
    for path in (tmp_path / "out").rglob("*"):
        assert len(path.name) < 80
        assert path.name.isascii()
    assert any(name.startswith("etc_passwd-") for name in folders)
    assert any(name.startswith("scenario-") for name in folders)


def test_only_so_many_rows_become_folders_and_the_card_says_so(
    run_folder: Path, tmp_path: Path
) -> None:
    done = release([str(run_folder)], tmp_path / "out", ReleaseSettings(behave_folders=4))
    assert len(list((tmp_path / "out/behave/train").iterdir())) == 4
    assert (done.checks.in_folders, done.checks.runnable) == (4, 20)
    assert "4 of the 20 rows whose steps are all bound" in (tmp_path / "out/README.md").read_text()


def test_the_croissant_metadata_is_valid_and_reads_the_rows(released: Path) -> None:
    dataset = mlcroissant.Dataset(jsonld=str(released / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    table = pq.read_table(released / "data/test.parquet").to_pylist()
    records = list(dataset.records("test"))
    assert [one["test/id"].decode() for one in records] == [row["id"] for row in table]
    assert [one["test/novelty"] for one in records] == [row["novelty"] for row in table]


def test_the_citation_has_what_its_format_requires(released: Path) -> None:
    told = yaml.safe_load((released / "CITATION.cff").read_text())
    assert told["cff-version"] == "1.2.0"
    assert told["type"] == "dataset"
    assert told["title"] == "baskets"
    assert told["authors"] == [{"name": "The authors of baskets"}]
    assert told["message"]


def test_sha256sum_confirms_every_file(released: Path) -> None:
    listed = (released / "checksums.sha256").read_text().splitlines()
    assert {line[66:] for line in listed} == files_of(released).keys() - {"checksums.sha256"}
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "--strict", "checksums.sha256"],
        cwd=released,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_same_runs_give_the_same_bytes_in_another_process(
    run_folder: Path, released: Path, tmp_path: Path
) -> None:
    again = tmp_path / "baskets"
    command = [sys.executable, "-m", "selfbehave", "release", str(run_folder)]
    subprocess.run([*command, "--to", str(again), "--test", "0.3"], check=True, timeout=120)
    assert files_of(again) == files_of(released)


def test_the_card_has_the_hubs_metadata_and_the_figures(released: Path) -> None:
    told = header(released)
    assert told["license"] == "other"
    assert told["language"] == ["en"]
    assert told["size_categories"] == ["n<1K"]
    assert [one["config_name"] for one in told["configs"]] == [
        "default", "chat", "prompt_completion",
    ]  # fmt: skip
    card = (released / "README.md").read_text()
    assert "| bound | 20 of 20 | 100.0% | 83.9–100.0% |" in card  # Wilson, by hand
    assert "as rules judged them, not people" in card
    assert "- No person has rated these rows." in card
    assert "Rows too similar to a seed task: 20." in card
    assert "- Rows of the test split too similar to one of the train split: 0." in card
    assert "| scripted | 20 |" in card


def test_nothing_in_a_release_tells_where_the_run_was(tmp_path: Path) -> None:
    folder = tmp_path / "a-private-place" / "mine"
    seeds = tmp_path / "a-private-place" / "own_seeds.jsonl"
    seeds.parent.mkdir()
    instruction, output = seed_pairs(1, start=30)[0]
    task = {"id": "1", "name": "one", "instruction": instruction, "is_classification": False}
    write_jsonl(seeds, [task | {"instances": [{"input": "", "output": output}]}])
    make_run(folder, seed_pairs(3), seed_tasks_path=str(seeds))
    release([str(folder)], tmp_path / "out")
    assert "| own_seeds.jsonl | 1 |" in (tmp_path / "out/README.md").read_text()
    for path, data in files_of(tmp_path / "out").items():
        assert b"a-private-place" not in data, path


def test_a_row_of_two_runs_is_released_once(tmp_path: Path) -> None:
    one = make_run(tmp_path / "one", seed_pairs(3))
    two = make_run(tmp_path / "two", [*seed_pairs(2, start=3), *seed_pairs(2, start=1)])
    done = release([str(one), str(two)], tmp_path / "out")
    assert done.sizes == {"train": 5}
    assert done.checks.duplicates == 2
    runs = pq.read_table(tmp_path / "out/data/train.parquet")["run"].to_pylist()
    assert runs == ["one"] * 3 + ["two"] * 2


def test_near_duplicates_are_counted(tmp_path: Path) -> None:
    pairs = [pair("A dog walks", "dog"), pair("A dog runs", "dog"), pair("A cat", "cat")]
    done = release([str(make_run(tmp_path / "run", pairs))], tmp_path / "out")
    assert (done.checks.groups, done.checks.grouped) == (1, 2)


def test_a_rung_counts_only_where_the_run_climbed_as_far(run_folder: Path) -> None:
    row = read_run(str(run_folder)).rows[0]
    none_red = FaultCode.NO_CHANGE_TURNS_RED
    to_passing = [
        replace(row, run="to passing", rung="passing", fault_codes=()),
        replace(row, run="to passing", rung="passing", fault_codes=()),
        replace(row, run="to passing", rung="bound", fault_codes=(FaultCode.RUN_FAILED,)),
    ]
    to_the_top = [
        replace(row, run="to the top", rung="discriminating", fault_codes=()),
        replace(row, run="to the top", rung="passing", fault_codes=(none_red,)),
        replace(row, run="to the top", rung="parsed", fault_codes=(FaultCode.UNDEFINED_STEP,)),
    ]
    counted = {one.name: (one.count, one.of) for one in rung_shares(to_passing + to_the_top)}
    assert counted["bound"] == (5, 6)
    assert counted["passing"] == (4, 6)
    assert counted["discriminating"] == (1, 3)
    assert {one.name: one.of for one in rung_shares(to_passing)}["discriminating"] == 0


def test_a_run_without_a_ladder_climbs_to_bound(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", seed_pairs(2))
    (folder / "finetuning_data/ladder.jsonl").unlink()
    assert [row.rung for row in read_run(str(folder)).rows] == ["bound", "bound"]


def test_what_people_judged_comes_before_the_rules_and_names_nobody(tmp_path: Path) -> None:
    pairs = seed_pairs(3)
    items = [
        StudyItem("mine", str(number), "", instruction, "", output)
        for number, (instruction, output) in enumerate(pairs[:2])
    ]
    ratings = [
        Rating("mine", "0", "ada lovelace", **ALL_HOLD),
        Rating("mine", "0", CONSENSUS, **(ALL_HOLD | {"singular": False})),
        Rating("mine", "1", "auto", **ALL_HOLD),
    ]
    of_study = settled_verdicts(items, ratings, ["ada lovelace", "ben"])
    folder = make_run(tmp_path / "mine", pairs)
    release([str(folder)], tmp_path / "out", of_study=of_study)
    rows = {row["id"]: row for row in pq.read_table(tmp_path / "out/data").to_pylist()}
    judged = rows[row_id(pairs[0][0], "", pairs[0][1])]
    assert (judged["criteria_by"], judged["singular"], judged["high_quality"]) == (
        "consensus", False, False,
    )  # fmt: skip
    assert [row["criteria_by"] for row in rows.values()].count("auto") == 2
    tasks = lines(tmp_path / "out/seed_tasks/train.jsonl")
    assert [task.get("criteria") for task in tasks] == [ALL_HOLD | {"singular": False}, None, None]
    assert "**as people judged them**" in (tmp_path / "out/README.md").read_text()
    assert not any(b"lovelace" in data for data in files_of(tmp_path / "out").values())


def test_the_only_raters_verdicts_count_without_a_consensus() -> None:
    items = [StudyItem("mine", "1", "", "do", "", "done")]
    ratings = [Rating("mine", "1", "ada", **ALL_HOLD)]
    assert settled_verdicts(items, ratings, ["ada"])[row_id("do", "", "done")].by == "rater"
    assert settled_verdicts(items, ratings, ["ada", "ben"]) == {}
    assert settled_verdicts(items, [Rating("mine", "1", "ada")], ["ada"]) == {}


def test_a_study_of_other_rows_is_told(run_folder: Path, tmp_path: Path) -> None:
    done = release([str(run_folder)], tmp_path / "out", of_study={})
    assert done.checks.notices == ("The study given rated none of these rows.",)
    assert f"- {done.checks.notices[0]}" in (tmp_path / "out/README.md").read_text()


def test_seed_tasks_that_are_gone_are_told(tmp_path: Path) -> None:
    seeds = tmp_path / "own.jsonl"
    seeds.write_bytes(seeds_path("high_quality").read_bytes())
    folder = make_run(tmp_path / "run", seed_pairs(2), seed_tasks_path=str(seeds))
    seeds.unlink()
    done = release([str(folder)], tmp_path / "out")
    assert done.checks.near_seeds == 0
    assert done.checks.notices == (
        "The seed tasks own.jsonl of run run are missing: not compared.",
    )


@pytest.mark.parametrize(
    ("rows", "category"),
    [(999, "n<1K"), (1_000, "1K<n<10K"), (50_000, "10K<n<100K"), (2_000_000, "1M<n<10M")],
)
def test_the_size_category_is_the_hubs(rows: int, category: str) -> None:
    assert size_category(rows) == category


def test_a_folder_in_use_is_left_as_it_is(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(SelfBehaveError, match="the folder is not empty"):
        release([str(run_folder)], tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_runs_of_one_name_are_refused_and_can_be_named(run_folder: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "mine", seed_pairs(2, start=40))
    with pytest.raises(SelfBehaveError, match="two runs are named 'mine'"):
        release([str(run_folder), str(other)], tmp_path / "out")
    done = release([str(run_folder), f"theirs={other}"], tmp_path / "out")
    assert done.sizes == {"train": 22}


def test_a_broken_ladder_is_told_with_its_line(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", seed_pairs(2))
    ladder = folder / "finetuning_data/ladder.jsonl"
    ladder.write_text(ladder.read_text().replace('"bound"', '"heaven"'))
    with pytest.raises(SelfBehaveError, match=r"ladder\.jsonl:1: field 'rung' must be one of"):
        release([str(folder)], tmp_path / "out")


def test_broken_provenance_is_told_with_its_line(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", seed_pairs(2))
    file = folder / "machine_generated_instances.jsonl"
    file.write_text(file.read_text().replace('"engine": "scripted"', '"engine": 7'))
    with pytest.raises(SelfBehaveError, match=r"jsonl:1: field 'engine' must be a text, not int"):
        release([str(folder)], tmp_path / "out")


def test_a_ladder_that_tells_of_another_scenario_is_told(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", seed_pairs(2))
    for name in ("ladder", "all_generated_instances"):
        file = folder / f"finetuning_data/{name}.jsonl"
        file.write_text(file.read_text().replace("Scenario: ", "Scene: "))
    with pytest.raises(SelfBehaveError, match="is recorded as bound, but: "):
        release([str(folder)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_rows_that_hold_the_canary_of_evaluation_data_are_left_out(tmp_path: Path) -> None:
    pairs = [pair("Kept", "apple"), pair("Copied", "pear", f"pass  # {CANARY}")]
    run = make_run(tmp_path / "mine", pairs)

    released = release([str(run)], tmp_path / "released")

    assert sum(released.sizes.values()) == 1
    assert "the canary of evaluation data: 1." in " ".join(released.checks.notices)
    files = files_of(tmp_path / "released")
    assert not [name for name, content in files.items() if CANARY.encode() in content]


def test_a_release_of_evaluation_data_alone_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "mine", [pair("Copied", "pear", f"pass  # {CANARY}")])

    with pytest.raises(SelfBehaveError, match="every row holds the canary"):
        release([str(run)], tmp_path / "released")

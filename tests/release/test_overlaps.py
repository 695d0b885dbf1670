"""Rows that are like held-out data are left out or flagged, and told with the place of what they
are like."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfbehave.cli.main import main
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.jsonl import write_jsonl
from selfbehave.evaluation.benchmark import load_benchmark
from selfbehave.novelty.shared_runs import SharedRuns
from selfbehave.prompts.bdd import instruction_for, scenario_of
from selfbehave.release.held_out import HeldOutText, read_held_out
from selfbehave.release.make_release import ReleaseSettings, release
from selfbehave.runs.finished import row_id

from ..helpers.attempt_runs import attempt, write_attempts
from ..helpers.release_runs import make_run, pair, seed_pairs

FENCE = """Feature: A garden

  Background:
    Given a garden of 12 beds

  Scenario: Watering
    When it rains for 3 hours
    Then nobody waters it
"""
# Thirteen words in a row, in a scenario that is otherwise another.
RUN = "the keeper of the small lighthouse counts every ship that passes before the dawn"


def copied() -> tuple[str, str]:
    """A scenario of the packaged benchmark with its own title."""
    problem = load_benchmark().problems[4]
    scenario = problem.scenario.replace("Scenario:", "Scenario: Copied,", 1)
    return instruction_for(scenario), problem.task.instances[0].output


def with_run() -> tuple[str, str]:
    instruction, output = pair("Ships", "harbour")
    return (
        instruction.replace("Given harbour", f"Given {RUN} and harbour"),
        output.replace("@given('harbour", f"@given('{RUN} and harbour"),
    )


def ids(folder: Path) -> set[str]:
    return {row["id"] for row in pq.read_table(folder / "data").to_pylist()}


def test_rows_like_held_out_data_are_left_out_and_named_in_the_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [*seed_pairs(2), copied(), with_run()]
    run = make_run(tmp_path / "private" / "mine", pairs)
    logs = tmp_path / "private" / "logs.jsonl"
    write_jsonl(logs, [{"text": "another text"}, {"text": f"At sea {RUN}."}])
    command = ["release", str(run), "--to", str(tmp_path / "out")]

    assert main([*command, "--against", "packaged", str(logs)]) == 0

    kept, (near, shared) = pairs[:2], (row_id(one[0], "", one[1]) for one in pairs[2:])
    assert ids(tmp_path / "out") == {row_id(one[0], "", one[1]) for one in kept}
    shown = capsys.readouterr().out
    assert "2 left out (near_duplicate 1, shared_run 1)" in shown
    assert f"  {near} near_duplicate: packaged:5\n" in shown
    assert f"  {shared} shared_run: logs.jsonl:2\n" in shown
    card = (tmp_path / "out/README.md").read_text()
    assert "Such rows are left out: 2 (near_duplicate 1, shared_run 1)." in card
    assert f"| `{near}` | mine | near_duplicate | packaged:5 | 0.9" in card
    assert f"| `{shared}` | mine | shared_run | logs.jsonl:2 | – |" in card
    lines = (tmp_path / "out/overlaps.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [near, shared]
    for path in (tmp_path / "out").rglob("*"):
        content = b"" if path.is_dir() else path.read_bytes()
        assert b"lighthouse" not in content
        assert str(tmp_path).encode() not in content


def test_rows_like_held_out_data_can_be_kept_and_flagged(tmp_path: Path) -> None:
    pairs = [*seed_pairs(1), copied()]
    run = make_run(tmp_path / "mine", pairs)
    settings = ReleaseSettings(against=("packaged",), flag_overlaps=True)

    done = release([str(run)], tmp_path / "out", settings)

    assert done.sizes == {"train": 2}
    rows = {row["instruction"]: row for row in pq.read_table(tmp_path / "out/data").to_pylist()}
    assert rows[pairs[0][0]]["overlap"] == ""
    assert rows[pairs[1][0]]["overlap"] == "near_duplicate: packaged:5"
    assert "flagged in the column `overlap`: 1" in (tmp_path / "out/README.md").read_text()


def test_the_forms_of_attempts_leave_out_what_is_like_held_out_data(tmp_path: Path) -> None:
    pairs = [pair("One", "apple"), pair("Two", "pear"), copied()]
    run = make_run(tmp_path / "mine", pairs)
    told = f"```python\n{RUN}\n```"
    attempts = [attempt(asked, output, "bound") for asked, output in pairs]
    write_attempts(run, [*attempts, attempt(pairs[0][0], told, "text", number=1)])
    write_jsonl(tmp_path / "held_out.jsonl", [{"text": RUN}])
    settings = ReleaseSettings(
        against=("packaged", str(tmp_path / "held_out.jsonl")),
        flag_overlaps=True,
        forms=("prompt_only",),
    )

    done = release([str(run)], tmp_path / "out", settings)

    assert [one.prompts for one in done.forms] == [2]
    assert done.checks.attempts_left_out == {"held_out_data": 2}


def test_a_run_of_words_in_the_step_functions_counts(tmp_path: Path) -> None:
    run = make_run(tmp_path / "mine", [pair("One", "apple"), pair("Two", "pear", f"'''{RUN}'''")])
    held_out = tmp_path / "held_out.parquet"
    pq.write_table(pa.table({"prompt": ["Something else", RUN]}), held_out)
    done = release([str(run)], tmp_path / "out", ReleaseSettings(against=(str(held_out),)))
    assert [(one.file, one.line) for one in done.checks.overlaps] == [("held_out.parquet", 2)]
    assert done.sizes == {"train": 1}


def test_no_packaged_seed_shares_a_run_with_the_packaged_benchmark() -> None:
    shared = SharedRuns(one.text for one in read_held_out(["packaged"]))
    texts = [text for one in seed_pairs(175) for text in (scenario_of(one[0]), one[1])]
    assert [text for text in texts if shared.text_with_run_of(text) is not None] == []


def test_a_release_of_nothing_but_held_out_data_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "mine", [copied()])
    with pytest.raises(SelfBehaveError, match="every row is like held-out data"):
        release([str(run)], tmp_path / "out", ReleaseSettings(against=("packaged",)))
    assert not (tmp_path / "out").exists()


def test_the_hidden_checks_of_a_benchmark_are_held_out_too() -> None:
    problem = load_benchmark().problems[0]
    texts = [one.text for one in read_held_out(["packaged"]) if one.line == 1]
    assert texts == [problem.scenario, *problem.checks]


def test_rows_of_every_shape_are_read(tmp_path: Path) -> None:
    instruction, output = seed_pairs(1)[0]
    scenario = scenario_of(instruction)
    rows = [
        {"instruction": instruction, "input": "", "output": output},
        {"prompt": instruction, "completion": output},
        {"messages": [{"role": "user", "content": instruction}]},
        {"scenario": scenario},
    ]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    found = read_held_out([str(tmp_path / "rows.jsonl")])
    assert found == [HeldOutText(scenario, "rows.jsonl", line) for line in (1, 2, 3, 4)]


def test_a_feature_folder_gives_each_scenario_with_its_background(tmp_path: Path) -> None:
    file = tmp_path / "features" / "deep" / "garden.feature"
    file.parent.mkdir(parents=True)
    file.write_text(FENCE)
    for given, name in [(tmp_path / "features", "features/deep/garden.feature"),
                        (file, "garden.feature")]:  # fmt: skip
        (one,) = read_held_out([str(given)])
        assert (one.file, one.line) == (name, 6)
        assert "12 beds" in one.text
        assert "nobody waters it" in one.text


def test_files_of_the_same_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    given = []
    for folder in ("one", "two"):
        path = tmp_path / folder / "test.jsonl"
        write_jsonl(path, [{"text": folder}])
        given.append(str(path))
    assert [one.file for one in read_held_out(given)] == ["one/test.jsonl", "two/test.jsonl"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("bad.jsonl", '{"text": "a"}\n{"text": 7}\n', "bad.jsonl:2: field 'text' must be a text"),
        ("bad.jsonl", '{"words": "a"}\n', "bad.jsonl:1: no field 'instruction', 'prompt'"),
        ("bad.jsonl", "", "bad.jsonl: the file has no records"),
        ("bad.parquet", "no Parquet", "bad.parquet: Parquet: "),
        (
            "bad.feature",
            "Feature: A\n\n  Scenario: B\n    Givn a\n",
            "bad.feature:3: no step in it",
        ),
        ("bad.txt", "a text", "bad.txt: not held-out data — give *.jsonl"),
        ("folder/notes.txt", "a text", "no *.feature file in it"),
    ],
)
def test_held_out_data_that_cannot_be_read_is_told_in_one_line(
    name: str, content: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    given = path.parent if "/" in name else path
    run = make_run(tmp_path / "mine", seed_pairs(1))
    capsys.readouterr()
    command = ["release", str(run), "--to", str(tmp_path / "out"), "--against", str(given)]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_flags_without_held_out_data_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["release", str(tmp_path), "--to", str(tmp_path / "out"), "--flag_overlaps"]
    assert main(command) == 2
    assert "--flag_overlaps needs --against" in capsys.readouterr().err

"""A judge scores the scenarios of a run, and a gate drops those that score too little."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from selfbehave.cli.main import main
from selfbehave.core.four_criteria import CRITERIA
from selfbehave.prompts.rubric import rubric_prompt
from selfbehave.release.row_records import record
from selfbehave.report.facts import read_runs
from selfbehave.report.judge_tables import judge_tables
from selfbehave.runs.finished import read_run
from selfbehave.stages.judging import TRIES, questions_of

from ..conftest import ScriptedServer
from ..helpers.runs import contents, rows, scripted

Start = Callable[..., ScriptedServer]


def run(server: ScriptedServer, folder: Path, *more: object) -> int:
    options = ("--num_instructions_to_generate", 8, "--top_rung", "bound", *more)
    return main([str(one) for one in scripted(server, folder, *options)])


def judged_answers(folder: Path) -> dict[str, tuple[int, str]]:
    """The number of the try and the answer of each question in the journal, by key."""
    database = sqlite3.connect(f"file:{folder}/journal.sqlite?mode=ro", uri=True)
    query = "SELECT key, request_idx, text FROM answers WHERE stage = 'judge'"
    found = {key: (index, text) for key, index, text in database.execute(query)}
    database.close()
    return found


def test_a_run_with_a_judge_scores_rows_and_asks_nothing_again(
    scripted_server: Start, tmp_path: Path
) -> None:
    writer, judge, folder = scripted_server(), scripted_server(), tmp_path / "r"
    assert run(writer, folder, "--judge", judge.url) == 0
    scored = rows(folder / "judgements.jsonl")
    kept = rows(folder / "finetuning_data/all_generated_instances.jsonl")
    assert [one["instruction"] for one in scored] == [one["instruction"] for one in kept]
    answers = judged_answers(folder)
    assert len(judge.answered) == len(answers) >= 4 * len(scored)
    for one in scored:
        verdicts = [one[name] for name in CRITERIA]
        assert one["score"] == (None if None in verdicts else verdicts.count(True) / 4)
        for name in CRITERIA:  # the score is what the answer says, and no answer gives none
            attempt, text = answers[one["request_keys"][name]]
            said = {" Yes": True, " No": False, "**No**, it is not.": False, " Perhaps": None}[text]
            assert one[name] is said
            assert said is not None or attempt == TRIES - 1
    unreadable = [text for _, text in answers.values() if text == " Perhaps"]
    assert sum(one["unreadable"] for one in scored) == len(unreadable) > 0

    before, asked = contents(folder), (writer.answered, judge.answered)
    assert run(writer, folder, "--judge", judge.url) == 0
    assert (writer.answered, judge.answered) == asked
    assert contents(folder) == before

    (row, *_) = read_run(str(folder)).rows
    columns = record(row)
    assert columns["judge"] == "scripted"
    assert columns["judge_score"] == scored[0]["score"]
    assert [columns[f"judge_{name}"] for name in CRITERIA] == [scored[0][one] for one in CRITERIA]

    (table,) = judge_tables(read_runs([str(folder)])[0])
    answered = sum(one["singular"] is not None for one in scored)
    (singular,) = (cells for cells in table.rows if cells[0] == "singular")
    assert singular[1] == str(answered)
    met = sum(one["singular"] is True for one in scored)
    assert singular[2] == f"{100 * met / answered:.0f}%"


def test_a_gate_drops_rows_below_a_score_and_counts_them(
    scripted_server: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server, folder = scripted_server(), tmp_path / "r"
    options = ("--judge", server.url, "--min_judgement", 0.5)
    assert run(server, folder, *options) == 0
    score = {one["instruction"]: one["score"] for one in rows(folder / "judgements.jsonl")}
    kept = rows(folder / "finetuning_data/all_generated_instances.jsonl")
    good = [text for text, one in score.items() if one is not None and one >= 0.5]
    assert [one["instruction"] for one in kept] == good
    dropped = [row for row in rows(folder / "dropped.jsonl") if row["stage"] == "prepare"]
    below = [row["detail"] for row in dropped if row["reason"] == "judged_below"]
    low = [one for one in score.values() if one is not None and one < 0.5]
    assert below == [f"score {one:g}, below 0.5" for one in low]
    without = [row for row in dropped if row["reason"] == "not_judged"]
    assert len(without) == list(score.values()).count(None)
    assert below or without
    assert "judge: " in capsys.readouterr().out


def test_a_judge_or_gate_that_cannot_work_is_refused_before_anything_is_asked(
    scripted_server: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = scripted_server()
    for options, words in (
        (("--judge", "nobody"), "--judge: unknown engine 'nobody'"),
        (("--min_judgement", 0.5), "--min_judgement needs a judge"),
        (("--judge", server.url, "--min_judgement", 2), "must be from 0 to 1, not 2"),
    ):
        assert run(server, tmp_path / "r", *options) == 2
        assert words in capsys.readouterr().err
    assert server.answered == []


def test_a_gate_without_scores_says_how_to_get_them(
    scripted_server: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server, folder = scripted_server(), tmp_path / "r"
    assert run(server, folder) == 0
    assert not (folder / "judgements.jsonl").exists()
    prepare = ["prepare", "--instance_files", folder / "machine_generated_instances.jsonl"]
    prepare += ["--classification_type_files", folder / "is_clf_or_not_template_1.jsonl"]
    prepare += ["--output_dir", folder / "finetuning_data", "--top_rung", "bound"]
    gated = [str(one) for one in [*prepare, "--min_judgement", 0.5]]
    assert main(gated) == 1
    assert "run `selfbehave judge` first" in capsys.readouterr().err
    judge = ["judge", "--batch_dir", folder, "--engine", server.url, "--top_rung", "bound"]
    assert main([str(one) for one in judge]) == 0
    assert main(gated) == 0


def test_the_order_of_questions_and_examples_varies_and_is_the_same_each_time() -> None:
    orders = [questions_of((f"Scenario: {number}", ""), 42) for number in range(40)]
    assert orders == [questions_of((f"Scenario: {number}", ""), 42) for number in range(40)]
    assert {order[0].criterion for order in orders} == set(CRITERIA)
    assert {one.is_bad_first for order in orders for one in order} == {True, False}
    first = rubric_prompt("singular", "Scenario: x", "chat").text
    other = rubric_prompt("singular", "Scenario: x", "chat", is_bad_first=True).text
    assert first.index("? Yes") < first.index("? No")
    assert other.index("? No") < other.index("? Yes")
    assert sorted(first.split("\n\n")) == sorted(other.split("\n\n"))

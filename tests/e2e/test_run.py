"""Whole runs as processes: resumed after kill -9, repeated, grown, on scripted and real models."""

import json
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from selfbehave.bdd.ladder import Rung, climb_row, climb_rows
from selfbehave.engines.models import model_file, model_named
from selfbehave.novelty.rule import THRESHOLD, rouge_l
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.aim import Aim

from ..helpers.paths import CLASSIC_SEEDS
from ..helpers.runs import FILES, answers, contents, kill_after, rows, run, scripted, selfbehave


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_a_run_against_a_server_makes_every_file(
    scripted_server: Any, tmp_path: Path, api: str
) -> None:
    done = run(*scripted(scripted_server(), tmp_path / "r", "--api", api, "--include_seed_tasks"))
    assert all((tmp_path / "r" / name).exists() for name in FILES)
    instructions = rows(tmp_path / "r" / FILES[0])
    assert len(instructions) == 12
    assert set(instructions[0]) == {
        "instruction", "most_similar", "avg_similarity_score", "metadata", "request_idx"
    }  # fmt: skip
    assert len(instructions[0]["most_similar"]) == 10
    data = rows(tmp_path / "r/finetuning_data/api_finetuning_data_187.jsonl")
    assert len(data) == 187  # with 175 seed tasks
    assert "bootstrap: 12/12 instructions" in done.stdout
    assert "Summary" in done.stdout
    assert "```gherkin\nScenario:" in done.stdout
    assert str(tmp_path / "r" / FILES[4]) in done.stdout


def test_accepted_instructions_are_novel_to_seeds_and_to_each_other(
    scripted_server: Any, tmp_path: Path
) -> None:
    run(*scripted(scripted_server(), tmp_path / "r"))
    pool = [task.instruction for task in load_seeds("high_quality").tasks]
    for row in rows(tmp_path / "r" / FILES[0]):
        scores = [rouge_l(text, row["instruction"]) for text in pool]
        assert max(scores) <= THRESHOLD
        assert next(iter(row["most_similar"].values())) == max(scores)
        assert row["avg_similarity_score"] == pytest.approx(sum(scores) / len(scores))
        pool.append(row["instruction"])


def test_whatever_is_dropped_is_kept_with_its_reason_and_counted(
    scripted_server: Any, tmp_path: Path
) -> None:
    enough = ("--num_instructions_to_generate", 40)
    done = run(*scripted(scripted_server(), tmp_path / "r", *enough))
    dropped = rows(tmp_path / "r/dropped.jsonl")
    assert {row["reason"] for row in dropped} >= {"truncated", "not_novel"}
    assert all(row["reason"] and row["text"] and row["stage"] for row in dropped)
    told = next(line for line in done.stdout.splitlines() if line.startswith("dropped by boot"))
    for reason, count in Counter(r["reason"] for r in dropped if r["stage"] == "bootstrap").items():
        assert f"{reason} {count}" in told


def test_the_same_command_again_asks_nothing_and_writes_the_same_bytes(
    scripted_server: Any, tmp_path: Path
) -> None:
    server = scripted_server()
    run(*scripted(server, tmp_path / "r"))
    first, asked = contents(tmp_path / "r"), len(server.answered)
    run(*scripted(server, tmp_path / "r"))
    assert contents(tmp_path / "r") == first
    assert len(server.answered) == asked


def test_answers_in_any_order_give_the_same_bytes(scripted_server: Any, tmp_path: Path) -> None:
    run(*scripted(scripted_server(), tmp_path / "a"))
    run(*scripted(scripted_server(latency=0.05), tmp_path / "b"))
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert first.keys() == second.keys()
    assert all(first[name] == second[name] for name in first if name != "run.toml")


def test_a_server_that_fails_at_random_changes_nothing(
    scripted_server: Any, tmp_path: Path
) -> None:
    run(*scripted(scripted_server(), tmp_path / "a"))
    done = run(*scripted(scripted_server(faults=0.3), tmp_path / "b"))
    assert "retries" in done.stdout
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert all(first[name] == second[name] for name in first if name != "run.toml")


def test_a_killed_run_goes_on_where_it_was(scripted_server: Any, tmp_path: Path) -> None:
    undisturbed = scripted_server()
    run(*scripted(undisturbed, tmp_path / "whole"))
    expected = contents(tmp_path / "whole")
    total = answers(tmp_path / "whole")
    server = scripted_server(latency=0.02)
    chance = random.Random(3)
    points = sorted(chance.sample(range(1, total), 6))
    for point in points:
        kill_after(point, selfbehave(*scripted(server, tmp_path / "killed")), tmp_path / "killed")
    run(*scripted(server, tmp_path / "killed"))
    resumed = contents(tmp_path / "killed")
    assert resumed.keys() == expected.keys()
    assert all(resumed[name] == expected[name] for name in expected if name != "run.toml")
    # What was answered and kept is never asked again: only what a kill caught in flight is.
    twice = sum(count - 1 for count in Counter(server.answered).values())
    assert twice <= 5 * len(points)


def test_an_interrupted_run_says_how_to_go_on(scripted_server: Any, tmp_path: Path) -> None:
    command = selfbehave(*scripted(scripted_server(latency=0.1), tmp_path / "r"))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while answers(tmp_path / "r") < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted; to continue: selfbehave run --engine" in told
    assert "Traceback" not in told


def test_a_run_may_grow(scripted_server: Any, tmp_path: Path) -> None:
    server = scripted_server()
    grow = "--num_instructions_to_generate"
    run(*scripted(server, tmp_path / "r"))
    small = (tmp_path / "r" / FILES[0]).read_text()
    run(*scripted(server, tmp_path / "r", grow, 20))
    large = (tmp_path / "r" / FILES[0]).read_text()
    assert large.startswith(small)
    assert large.count("\n") == 20
    done = run(*scripted(server, tmp_path / "r", grow, 12), expect=1)
    assert "made with num_instructions_to_generate = 20, not 12" in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--random_seed", 7, "random_seed = 42, not 7"),
        ("--temperature", 0.1, "temperature = 'default', not 0.1"),
        ("--lag", 3, "lag = 45, not 3"),
        ("--request_batch_size", 3, "lag = 45, not 18"),
        ("--model", "other", "model = 'scripted', not 'other'"),
        ("--api", "completions", "api = 'chat', not 'completions'"),
        ("--seed_tasks_path", "mixed_quality", "seed_tasks_path = 'high_quality'"),
    ],
)
def test_a_folder_made_with_other_settings_is_left_alone(
    scripted_server: Any, tmp_path: Path, option: str, value: object, complaint: str
) -> None:
    server = scripted_server()
    run(*scripted(server, tmp_path / "r"))
    before = contents(tmp_path / "r")
    done = run(*scripted(server, tmp_path / "r", option, value), expect=1)
    assert complaint in done.stderr
    assert f"{tmp_path}/r/run.toml:" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert contents(tmp_path / "r") == before


def test_a_refused_request_ends_the_run_in_one_line(llama_server: str, tmp_path: Path) -> None:
    """A real server refuses a prompt longer than its context."""
    seeds = tmp_path / "long.jsonl"
    task = {
        "id": "1", "name": "long", "instruction": "Sort these words: " + "word " * 9000,
        "instances": [{"input": "", "output": "x"}], "is_classification": False,
    }  # fmt: skip
    seeds.write_text(json.dumps(task))
    done = run(
        "bootstrap", "--engine", llama_server, "--batch_dir", tmp_path / "r",
        "--seed_tasks_path", seeds, "--api", "completions", expect=1,
    )  # fmt: skip
    (line,) = done.stderr.splitlines()
    assert "the server refused the request (400)" in line
    assert "context" in line


def test_an_engine_that_repeats_itself_is_stopped(scripted_server: Any, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.jsonl"
    tasks = load_seeds("high_quality").tasks[:8]
    seeds.write_text("".join(json.dumps(task.to_dict()) + "\n" for task in tasks))
    options = scripted(scripted_server(), tmp_path / "r")
    done = run(*options, "--seed_tasks_path", seeds, "--prompts", "classic", expect=1)
    assert "no novel instruction in the last 100 requests; 0 of 12 accepted" in done.stderr


@pytest.mark.model
def test_a_run_on_an_embedded_model_goes_on_after_a_kill(tmp_path: Path) -> None:
    """Without a prompt cache the model answers the same request the same way."""
    options = ("--engine", "embedded-small", "--num_instructions_to_generate", 1)
    options += ("--request_batch_size", 1, "--prompt_cache", "off")
    options += ("--num_prompt_instructions", 3)  # shorter prompts, sooner read
    run("run", "--batch_dir", tmp_path / "whole", *options)
    total = answers(tmp_path / "whole")
    again = selfbehave("run", "--batch_dir", tmp_path / "killed", *options)
    kill_after(1, again, tmp_path / "killed")
    assert 1 <= answers(tmp_path / "killed") < total
    done = run("run", "--batch_dir", tmp_path / "killed", *options)
    assert "from the journal" in done.stdout
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")

    instructions = rows(tmp_path / "whole" / FILES[0])
    assert len(instructions) == 1
    assert all(row["metadata"]["engine"].startswith("embedded") for row in instructions)
    examples = rows(tmp_path / "whole" / FILES[4])
    assert examples, "the grammar makes every answer a pair"
    for row in examples:
        ladder = climb_row(row["instruction"], row["input"], row["output"])
        assert ladder.rung == Rung.BOUND, ladder.faults


@pytest.mark.model
def test_the_embedded_coder_grows_two_causal_rows_and_says_them_again(tmp_path: Path) -> None:
    options = ("run", "--batch_dir", tmp_path, "--engine", "embedded", "--rows", 2)
    options += ("--min_rung", "causal")
    done = run(*options)
    assert "2 of 2 rows proven" in done.stdout
    grown = rows(tmp_path / FILES[4])
    assert len(grown) >= 2
    pairs = [(row["instruction"], row["input"], row["output"]) for row in grown]
    for ladder in climb_rows(pairs, Rung.CAUSAL):
        assert Aim(Rung.CAUSAL).lack(ladder) is None, ladder.faults
    axes = [row["metadata"]["axes"] for row in rows(tmp_path / FILES[0])]
    assert all(one["given"] and one["then"] for one in axes), "the program drew the values"
    before, asked = contents(tmp_path), answers(tmp_path)
    run(*options)
    assert (contents(tmp_path), answers(tmp_path)) == (before, asked)


@pytest.mark.model
def test_a_run_against_a_real_server(llama_server: str, tmp_path: Path) -> None:
    """A llama.cpp server takes a grammar at both endpoints; the model need not be named."""
    common = ("--engine", llama_server, "--grammar", "on", "--batch_dir", tmp_path)
    run(
        "bootstrap", *common, "--api", "completions",
        "--num_instructions_to_generate", 1, "--num_prompt_instructions", 3,
    )  # fmt: skip
    run("classify", *common)
    run("instances", *common, "--api", "chat", "--prompts", "bdd", "--min_rung", "bound")
    run(
        "prepare", "--instance_files", tmp_path / FILES[2], "--classification_type_files",
        tmp_path / FILES[1], "--output_dir", tmp_path / "finetuning_data",
    )  # fmt: skip
    (row,) = rows(tmp_path / FILES[4])
    assert climb_row(row["instruction"], row["input"], row["output"]).rung == Rung.BOUND


@pytest.mark.model
def test_classic_stages_ask_an_embedded_model_what_no_rule_decides(tmp_path: Path) -> None:
    tasks = rows(CLASSIC_SEEDS)[:3]
    (tmp_path / FILES[0]).write_text("".join(json.dumps(task) + "\n" for task in tasks))
    model = ("--engine", "embedded-small", "--batch_dir", tmp_path)
    run("classify", *model)
    decided = rows(tmp_path / FILES[1])
    assert [row["instruction"] for row in decided] == [task["instruction"] for task in tasks]
    assert {row["is_classification"] for row in decided} <= {"Yes", "No"}
    assert {row["decided_by"] for row in decided} == {"engine"}
    run("instances", *model, "--max_tokens", 60, "--max_instances_to_generate", 2)
    assert len(rows(tmp_path / FILES[2])) == 3
    run(
        "prepare", "--instance_files", tmp_path / FILES[2], "--classification_type_files",
        tmp_path / FILES[1], "--output_dir", tmp_path / "finetuning_data",
    )  # fmt: skip
    assert (tmp_path / FILES[4]).exists()


@pytest.mark.model
def test_any_gguf_file_is_an_engine(tmp_path: Path) -> None:
    model = model_file(model_named("embedded-small"))
    run(
        "bootstrap", "--engine", model, "--batch_dir", tmp_path,
        "--num_instructions_to_generate", 1, "--num_prompt_instructions", 3,
    )  # fmt: skip
    (row,) = rows(tmp_path / FILES[0])
    assert row["metadata"]["engine"].startswith("gemma-3-270m-q4_k_m.gguf (")
    assert row["metadata"]["api"] == "completions", "a base model has no chat template"

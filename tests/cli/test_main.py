"""The command line: the seed project's options and scripts, and one line for every bad input."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from selfbehave.cli.main import main

from ..helpers.paths import CLASSIC_SEEDS, ROOT

QUALITIES = ("high_quality", "mixed_quality")


def script(name: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """One of the seed project's scripts, run from the project's folder as its README says."""
    return subprocess.run(
        [sys.executable, f"self_instruct/{name}.py", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def seed_projects_commands(
    quality: str, batch_dir: Path, instructions: int, **environment: str
) -> list[subprocess.CompletedProcess[str]]:
    """The four commands for one seed set, as the seed project's README prints them.

    They only add the prompts that the scripted server answers, and that its rows need be no more
    than bound.
    """
    seeds = f"{quality}_seed_data/data/{quality}_seed_tasks/{quality}_seed_tasks.jsonl"
    engine = ("--engine", "mistralai/Mixtral-8x7B-Instruct-v0.1")
    return [
        script("bootstrap_instructions", "--batch_dir", batch_dir,
               "--num_instructions_to_generate", instructions, "--seed_tasks_path", seeds,
               *engine, "--prompts", "bdd", **environment),
        script("identify_clf_or_not", "--batch_dir", batch_dir, *engine,
               "--request_batch_size", 5, **environment),
        script("generate_instances", "----batch_dir", batch_dir,
               "--input_file", "machine_generated_instructions.jsonl",
               "--output_file", "machine_generated_instances.jsonl",
               "--max_instances_to_gen", 5, *engine, "--request_batch_size", 5,
               "--prompts", "bdd", "--min_rung", "bound", **environment),
        script("prepare_for_finetuning",
               "--instance_files", f"{batch_dir}/machine_generated_instances.jsonl",
               "--classification_type_files",
               f"{batch_dir}/is_clf_or_not_davinci_template_1.jsonl",
               "--output_dir", f"{batch_dir}/finetuning_data",
               "--include_seed_tasks", "--seed_tasks_path", seeds, "--min_rung", "bound",
               **environment),
    ]  # fmt: skip


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_seed_projects_commands_run_as_it_prints_them(
    scripted_server: Any, tmp_path: Path, quality: str
) -> None:
    where = {"HF_INFERENCE_ENDPOINT": scripted_server().url, "HF_TOKEN": "t"}
    for done in seed_projects_commands(quality, tmp_path, 100, **where):
        assert done.returncode == 0, done.stderr
    assert "is_clf_or_not_davinci_template_1.jsonl does not exist: used" in done.stdout
    data = tmp_path / "finetuning_data" / "api_finetuning_data_275.jsonl"
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    assert len(rows) == 275  # 100 and the 175 seed tasks
    assert all(set(row) == {"prompt", "completion"} for row in rows)


def told(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert error.startswith("selfbehave: ")
    return error


def test_dashes_underscores_and_beginnings_name_the_same_option(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for option in ("--max_instances_to_generate", "--max-instances-to-gen", "----max_inst"):
        assert main(["instances", "--batch-dir", str(tmp_path), option, "0"]) == 1
        assert "--max_instances_to_generate must be at least 1, not 0" in told(capsys)


def test_a_value_that_looks_like_an_option_is_not_respelt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bootstrap", "--seed_tasks_path=--no-such-file"]) == 1
    assert "--no-such-file: cannot be read" in told(capsys)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "complaint"),
    [
        ([], 2, "the following arguments are required: COMMAND"),
        (["fly"], 2, "invalid choice: 'fly'"),
        (["run", "--bath_dir", "x"], 2, "unrecognized arguments: --bath_dir x"),
        (["run", "--num_instructions_to_generate", "ten"], 2, "invalid int value: 'ten'"),
        (["run", "--api", "telnet"], 2, "invalid choice: 'telnet'"),
        (["run", "--engine", "gpt"], 2, "unknown engine 'gpt'"),
        (["run", "--num_instructions_to_generate", "0"], 1, "must be at least 1, not 0"),
        (["run", "--lag", "-1"], 1, "--lag must be at least 1, not -1"),
        (["run", "--seed_tasks_path", "nowhere.jsonl"], 1, "nowhere.jsonl: cannot be read"),
        (["run", "--use_clf_seed_tasks_only"], 1, "no classification seed task"),
        (["run", "--prompts", "bdd", "--seed_tasks_path", str(CLASSIC_SEEDS)], 1, "no ```gherkin"),
        (["classify"], 1, "machine_generated_instructions.jsonl: cannot be read"),
        (["instances"], 1, "machine_generated_instructions.jsonl: cannot be read"),
        (["prepare"], 2, "required: --instance_files"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    arguments: list[str], exit_code: int, complaint: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == exit_code
    assert complaint in told(capsys)
    assert not list(tmp_path.rglob("*.jsonl"))


def test_a_folder_that_cannot_be_made_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["run", "--batch_dir", str(tmp_path / "file" / "r")]) == 1
    assert "the run's folder cannot be used" in told(capsys)


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    shown = capsys.readouterr().out
    for option in ("--batch_dir", "--engine", "--num_prompt_instructions NUM_PROMPT_INSTRUCTIONS",
                   "(default: 8)", "--prompt_cache {on,off}", "(default: on)"):  # fmt: skip
        assert option in shown


@pytest.mark.parametrize(
    "program",
    [
        "import selfbehave",
        "from selfbehave.cli.main import command_parser; command_parser().format_help()",
    ],
)
def test_neither_the_import_nor_help_loads_a_heavy_library(program: str) -> None:
    heavy = (
        "asyncio behave gherkin httpx numba numpy parse rapidfuzz regex "
        "rich sqlite3 tenacity tomli_w xllamacpp"
    )
    program += f"; import sys; print([name for name in {heavy.split()} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert shown.stdout.strip() == "[]", shown.stderr

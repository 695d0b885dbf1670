"""`selfbehave evaluate`: over HTTP, proven in the sandbox, told side by side, and resumed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfbehave.cli.main import main
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.records import Instance, SeedTask
from selfbehave.engines.base import Engine
from selfbehave.engines.settings import IN_FLIGHT, EngineSettings
from selfbehave.evaluation.benchmark import Benchmark, Problem, load_benchmark
from selfbehave.evaluation.engines_given import NamedEngine, named_engines
from selfbehave.evaluation.evaluate import evaluate as run_evaluation
from selfbehave.evaluation.examples_shown import refuse_shown
from selfbehave.evaluation.settings import AnswerSettings
from selfbehave.events.reporter import Reporter
from selfbehave.prompts.bdd import instruction_for, scenario_of
from selfbehave.prompts.bdd_turns import BddTurnsFamily
from selfbehave.seeds.load import load_seeds

from ..conftest import ScriptedServer
from ..helpers.attempt_server import serving_attempts
from ..helpers.paths import ROOT
from ..helpers.runs import contents, kill_after, rows, selfbehave
from ..stages.test_together import PLAIN, Writer

Start = Callable[..., ScriptedServer]


def scenario(before: int, more: int, after: int) -> str:
    return (
        f"Scenario: Apples are put on the shelf\n  Given the shelf has {before} apples\n"
        f"  When Mia puts {more} apples on it\n  Then the shelf holds {after} apples"
    )


def problem(id: str, difficulty: str, checks: tuple[str, ...], asked: str) -> Problem:
    task = replace(SEED, id=id, instruction=instruction_for(asked))
    return Problem(task, difficulty, {"rule": "sum"}, checks, "a canary")


SEED = SeedTask("id", "name", "", (Instance("", ""),), is_classification=False)

# The server's sums are right for the first check and wrong for the second.
RIGHT, WRONG = scenario(1, 9, 10), scenario(1, 9, 11)


def benchmark_file(folder: Path, *problems: Problem) -> Path:
    file = folder / "benchmark.jsonl"
    file.write_text("".join(json.dumps(one.to_dict()) + "\n" for one in problems))
    return file


def evaluate(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["evaluate", "--json", "--quiet", *map(str, arguments)]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def values(scores: dict[str, Any], measure: str) -> dict[str, float]:
    return {k: score["value"] for k, score in scores[measure].items()}


def test_answers_are_told_by_rung_by_k_and_by_group(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server gives one faulty and one sound answer to each scenario."""
    file = benchmark_file(
        tmp_path,
        problem("general", "easy", (RIGHT,), scenario(5, 2, 7)),
        problem("fits_one", "hard", (RIGHT, WRONG), scenario(4, 3, 7)),
        problem("unchecked", "hard", (), scenario(6, 1, 7)),
    )
    with serving_attempts() as url:
        told = evaluate(
            capsys, "--engine", url, "--benchmark", file, "--attempts", 2, "--output", tmp_path
        )

    (engine,) = told["engines"]
    assert (told["benchmark"]["scenarios"], told["benchmark"]["with_checks"]) == (3, 2)
    assert engine["answers"] == 6
    assert values(engine["scores"], "causal") == pytest.approx({"1": 0.5, "2": 1.0})
    assert values(engine["scores"], "general") == pytest.approx({"1": 0.25, "2": 0.5})
    assert engine["scores"]["general"]["1"]["scenarios"] == 2
    assert values(engine["by"]["difficulty"]["hard"], "general") == {"1": 0.0, "2": 0.0}
    assert engine["by"]["rule"]["sum"]["causal"] == engine["scores"]["causal"]
    assert told == json.loads((tmp_path / "evaluation.json").read_text())


def test_what_is_answered_and_proven_is_neither_asked_nor_proven_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scripted_server: Start
) -> None:
    server = scripted_server()
    options = ("--engine", f"one={server.url}", "--limit", 2, "--output", tmp_path / "out")
    evaluate(capsys, *options)
    first, judged = contents(tmp_path / "out"), verdicts(tmp_path / "out/one")

    evaluate(capsys, *options)

    assert contents(tmp_path / "out") == first
    assert verdicts(tmp_path / "out/one") == judged
    assert len(server.answered) == 2
    told = evaluate(capsys, *options, "--attempts", 2)
    assert told["engines"][0]["answers"] == 4
    assert len(server.answered) == 4


def test_an_evaluation_goes_on_after_it_was_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scripted_server: Start
) -> None:
    server = scripted_server(latency=0.05)
    options = ("--engine", f"one={server.url}", "--limit", 2, "--attempts", 2)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_after(1, selfbehave("evaluate", *options, "--output", killed), killed / "one")

    evaluate(capsys, *options, "--output", killed)

    assert len(set(server.answered)) == 4
    # What was in flight when it was killed may have been answered to nobody.
    assert len(server.answered) <= 4 + IN_FLIGHT
    evaluate(capsys, *options, "--output", whole)
    assert contents(killed) == contents(whole)


def test_engines_stand_side_by_side_in_the_table_and_on_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scripted_server: Start
) -> None:
    url = scripted_server().url
    own = replace(load_benchmark().problems[0], checks=())
    own = replace(own, task=replace(own.task, name="<script>alert(1)</script>"))
    file = benchmark_file(tmp_path, own)
    training = ("--training", file, ROOT / "tests/data/classic_seed_tasks.jsonl")
    engines = ("--engine", f"left={url}", "--engine", f"right={url}")

    options = ("--benchmark", file, *training, "--output", tmp_path)
    assert main(["evaluate", "--quiet", *engines, *map(str, options)]) == 0

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["reached", "left", "right"] in lines
    assert ["passing", "1.00", "1.00"] in lines
    page = (tmp_path / "evaluation.html").read_text()
    for words in ("left", "right", "1 scenario is near one of the", "so general is not told"):
        assert words in page
    assert "<script>" not in page


def test_a_limit_spreads_over_the_benchmark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scripted_server: Start
) -> None:
    options = ("--engine", scripted_server().url, "--limit", 3, "--output", tmp_path)

    told = evaluate(capsys, *options)

    assert list(told["engines"][0]["by"]["difficulty"]) == ["easy", "middle", "hard"]
    answers = rows(next(tmp_path.rglob("answers.jsonl")))
    assert [one["id"] for one in answers] == ["bench_001", "bench_041", "bench_081"]
    assert all("do not train on it" in one["canary"] for one in answers)


def test_prompts_show_no_scenario_of_the_benchmark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scripted_server: Start
) -> None:
    """The benchmark holds all but one of the seeds that examples are drawn from."""
    tasks = load_seeds("high_quality").tasks
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("".join(json.dumps(task.to_dict()) + "\n" for task in tasks[:4]))
    held_out = benchmark_file(tmp_path, *(Problem(task) for task in tasks[:3]))
    options = ("--benchmark", held_out, "--seed_tasks_path", seeds, "--output", tmp_path)

    evaluate(capsys, "--engine", f"one={scripted_server().url}", *options)

    with closing(sqlite3.connect(tmp_path / "one/journal.sqlite")) as journal:
        prompts = [prompt for (prompt,) in journal.execute("SELECT prompt FROM answers")]
    scenarios = [scenario_of(task.instruction) for task in tasks[:4]]
    for prompt in prompts:
        assert scenarios[3] in prompt
        assert sum(one in prompt for one in scenarios[:3]) == 1, "the one that is asked"


def test_a_family_whose_own_examples_are_in_the_benchmark_is_refused() -> None:
    family = BddTurnsFamily()
    shown = Problem(replace(SEED, instruction=family.fixed_instructions[0]))

    refuse_shown(family, load_benchmark().problems)
    with pytest.raises(SelfBehaveError, match="bdd_turns show an example that is near"):
        refuse_shown(family, [shown])


class WritingEngine(Writer, Engine):
    """A chat engine that goes on from begun answers."""


@pytest.mark.parametrize(("prompts", "begun"), [("bdd", ""), ("bdd_glue", "```python\n")])
def test_the_model_writes_the_whole_answer_unless_the_prompts_say_otherwise(
    tmp_path: Path, prompts: str, begun: str
) -> None:
    engine = WritingEngine("self.content = self.coins + coins")
    task = replace(SEED, instruction=instruction_for(PLAIN))
    benchmark = Benchmark("own", "", (Problem(task),))
    settings = AnswerSettings(prompts=prompts, attempts=2)

    done = run_evaluation(
        [NamedEngine("writer", engine)], benchmark, tmp_path, Reporter(), settings
    )

    assert {bool(one.begun) for one in engine.requests} == {bool(begun)}
    score = done.evaluation.engines[0].score("causal", 2)
    assert score is not None
    assert score.estimate.value == (1.0 if begun else 0.0)


def test_engines_are_named_by_what_is_given() -> None:
    given = ["llama=http://127.0.0.1:1/v1?key=3", "org/model", "http://127.0.0.1:2/v1"]

    named = named_engines(given, EngineSettings(model="qwen"))

    assert [one.name for one in named] == ["llama", "org/model", "qwen"]
    assert [one.engine.engine for one in named if isinstance(one.engine, EngineSettings)] == [
        "http://127.0.0.1:1/v1?key=3",
        *given[1:],
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--k", "2"], "--k must be from 1 to --attempts, 1, not 2"),
        (["--limit", "0"], "--limit must be at least 1"),
        (["--attempts", "0"], "--attempts must be at least 1"),
        (["--engine", "a=x", "--engine", "a=y"], "two engines are named 'a'"),
        (["--benchmark", "{empty}"], "empty.jsonl: the file has no records"),
        (["--benchmark", "{other}"], "other.jsonl:1: no field 'instruction'"),
        (["--benchmark", "{broken}"], "broken.jsonl:1: the scenario does not parse"),
        (["--training", "{other}"], "other.jsonl:1: no field 'instruction'"),
        (["--engine", "http://127.0.0.1:9/v1", "--max_wait", "0.1"], "cannot be reached"),
        (["--engine", "no engine"], "unknown engine 'no engine'"),
    ],
)
def test_bad_input_gets_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    broken = {"prompt": instruction_for("Scenario: a\n  Gven b"), "completion": ""}
    for name, text in (("empty", ""), ("other", '{"a": 1}'), ("broken", json.dumps(broken))):
        (tmp_path / f"{name}.jsonl").write_text(text)
    files = {path.stem: path for path in tmp_path.glob("*.jsonl")}
    given = [one.format(**files) for one in arguments]
    options = ["--quiet", "--limit", "1", "--output", str(tmp_path / "out")]

    assert main(["evaluate", *options, *given]) != 0

    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1


def test_a_budget_that_ends_early_gives_no_half_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scripted_server: Start
) -> None:
    options = ("--engine", f"one={scripted_server().url}", "--output", str(tmp_path))
    limits = ("--limit", "3", "--max_requests", "2")

    assert main(["evaluate", "--quiet", *options, *limits]) == 1

    assert "one has given 2 of 3 answers" in capsys.readouterr().err
    assert not (tmp_path / "evaluation.json").exists()
    assert evaluate(capsys, *options, "--limit", 3)["engines"][0]["answers"] == 3


def verdicts(folder: Path) -> list[tuple[str, float]]:
    """The verdicts in a journal, each with the time when it was found."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        return list(journal.execute("SELECT key, judged_at FROM verdicts ORDER BY key"))

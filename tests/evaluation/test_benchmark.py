"""The packaged benchmark is sound and apart from the seeds; other files are read or refused."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wordllama

from selfbehave.bdd.ladder import Rung
from selfbehave.bdd.scenario import parse_scenario
from selfbehave.core.canary import CANARY
from selfbehave.core.errors import SelfBehaveError
from selfbehave.evaluation.benchmark import Problem, load_benchmark
from selfbehave.evaluation.markdown import to_markdown
from selfbehave.evaluation.overlap import overlap_with
from selfbehave.evaluation.proof import prove
from selfbehave.novelty.rule import Pool
from selfbehave.prompts.bdd import instruction_for, scenario_of
from selfbehave.seeds.load import load_seeds
from selfbehave.seeds.packaged_names import PACKAGED

from ..helpers.paths import ROOT

PACKAGED_FILES = ROOT / "src/selfbehave/evaluation/packaged"
BENCHMARK = load_benchmark()
HIGHEST_ROUGE_L_TO_A_SEED = 0.3  # the novelty rule takes 0.7; the nearest pair has 0.27
HIGHEST_COSINE_TO_A_SEED = 0.71  # two league tables, one of rugby with other rules

ASKED = instruction_for(
    "Scenario: Jars\n  Given 3 jars\n  When Mia opens 1 jar\n  Then 2 jars are closed"
)

# A solution that knows the scenario's text by heart and works out nothing.
BY_HEART = """
from behave import given, step, then, use_step_matcher, when

use_step_matcher("re")
KNOWN = {known!r}


def said(context, step):
    table = [tuple(row.cells) for row in context.table or ()]
    return step, tuple(table), str(context.text or "")


@given("(.*)")
def step_given(context, step):
    context.said = (*getattr(context, "said", ()), said(context, step))


@when("(.*)")
def step_when(context, step):
    context.said = (*getattr(context, "said", ()), said(context, step))


@then("(.*)")
def step_then(context, step):
    context.said = (*context.said, said(context, step))
    assert any(one[: len(context.said)] == context.said for one in KNOWN)
"""


@pytest.fixture(scope="module")
def problems() -> tuple[Problem, ...]:
    return BENCHMARK.problems


def test_forty_scenarios_are_of_each_difficulty(problems: tuple[Problem, ...]) -> None:
    assert Counter(one.difficulty for one in problems) == {"easy": 40, "middle": 40, "hard": 40}


def test_no_two_scenarios_share_a_domain_and_all_have_the_same_axes(
    problems: tuple[Problem, ...],
) -> None:
    assert len({one.axes["domain"] for one in problems}) == len(problems)
    assert {tuple(one.axes) for one in problems} == {("domain", "sector", "rule", "gherkin")}


def test_each_line_carries_the_canary_and_two_hidden_checks(
    problems: tuple[Problem, ...],
) -> None:
    assert len({one.canary for one in problems}) == 1
    assert all(one.canary.startswith(CANARY) for one in problems)
    assert all(len(set(one.checks) - {one.scenario}) >= 2 for one in problems)


def test_each_scenario_has_one_action(problems: tuple[Problem, ...]) -> None:
    for one in problems:
        written = [line.split()[0] for line in one.scenario.splitlines() if line.strip()]
        assert written.count("When") == 1, one.task.id


def test_each_reference_is_causal_without_a_fault_and_general(
    problems: tuple[Problem, ...],
) -> None:
    proofs = prove([(one, one.task.instances[0].output) for one in problems])

    for problem, proof in zip(problems, proofs, strict=True):
        assert proof.ladder.rung == Rung.CAUSAL, problem.task.id
        assert proof.ladder.faults == (), problem.task.id
        assert proof.is_general, problem.task.id


def test_a_solution_that_knows_the_scenario_by_heart_is_never_general(
    problems: tuple[Problem, ...],
) -> None:
    answers = []
    for problem in problems:
        code = BY_HEART.format(known=_known(problem.scenario))
        answers.append((problem, f"```python\n{code}```"))

    proofs = prove(answers, Rung.PASSING)

    for problem, proof in zip(problems, proofs, strict=True):
        assert proof.ladder.rung == Rung.PASSING, (problem.task.id, proof.ladder.faults)
        assert not proof.is_general, problem.task.id


def test_hidden_checks_change_the_outcome_too(problems: tuple[Problem, ...]) -> None:
    """A check with the scenario's own outcome would let a constant pass."""
    for problem in problems:
        own = _outcomes(problem.scenario)
        assert any(_outcomes(check) != own for check in problem.checks), problem.task.id


def test_the_benchmark_is_apart_from_the_packaged_seeds(problems: tuple[Problem, ...]) -> None:
    pool = Pool(
        scenario_of(task.instruction) for name in PACKAGED for task in load_seeds(name).tasks
    )

    highest = {one.task.id: pool.compare(one.scenario).highest for one in problems}

    assert max(highest.values()) <= HIGHEST_ROUGE_L_TO_A_SEED, highest


def test_the_benchmark_is_apart_from_the_packaged_seeds_in_meaning(
    problems: tuple[Problem, ...],
) -> None:
    """By the cosine of the means of word vectors, without the component that all texts share."""
    model = wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, disable_download=True
    )
    seeds = {scenario_of(task.instruction) for name in PACKAGED for task in load_seeds(name).tasks}
    vectors = model.embed([*(one.scenario for one in problems), *sorted(seeds)], norm=True)
    vectors = vectors - vectors.mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    own, of_seeds = vectors[: len(problems)], vectors[len(problems) :]

    assert (own @ of_seeds.T).max() <= HIGHEST_COSINE_TO_A_SEED
    among_seeds = of_seeds @ of_seeds.T - np.eye(len(seeds))
    assert among_seeds.max() > HIGHEST_COSINE_TO_A_SEED - 0.05, "the seeds are as near each other"


def test_no_seed_prompt_or_other_data_holds_the_canary() -> None:
    holding = {
        path
        for folder in ("src", "examples", "high_quality_seed_data", "mixed_quality_seed_data")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and CANARY.encode() in path.read_bytes()
    }

    assert {path for path in holding if path.suffix != ".pyc"} == {
        ROOT / "src/selfbehave/core/canary.py",
        PACKAGED_FILES / "benchmark.jsonl",
        PACKAGED_FILES / "benchmark.md",
    }


def test_its_own_scenarios_are_novel_to_each_other(problems: tuple[Problem, ...]) -> None:
    pool = Pool(one.scenario for one in problems)

    assert all(novelty.highest <= 0.5 for novelty in pool.comparisons(0))


def test_the_page_for_review_shows_the_packaged_file() -> None:
    assert (PACKAGED_FILES / "benchmark.md").read_text() == to_markdown(BENCHMARK)


def test_training_data_that_holds_a_scenario_overlaps_with_it(
    problems: tuple[Problem, ...], tmp_path: Path
) -> None:
    training = tmp_path / "training.jsonl"
    row = {"prompt": f"{problems[3].task.instruction}\n", "completion": ""}
    training.write_text(json.dumps(row))

    overlap = overlap_with(problems, [training])

    assert overlap.near == (problems[3].task.id,)
    assert overlap.rows == 1


def test_an_answer_to_a_scenario_without_checks_is_not_general(
    problems: tuple[Problem, ...],
) -> None:
    problem = replace(problems[0], checks=())

    (proof,) = prove([(problem, problem.task.instances[0].output)], Rung.PASSING)

    assert proof.ladder.rung == Rung.PASSING
    assert not proof.is_general


@pytest.mark.parametrize(
    "answer", ["", "I cannot.", "```python\nassert", "```python\nimport os\n```"]
)
def test_an_answer_without_step_functions_stays_low(
    problems: tuple[Problem, ...], answer: str
) -> None:
    (proof,) = prove([(problems[0], answer)])

    assert proof.ladder.rung <= Rung.PARSED
    assert not proof.is_general


@pytest.mark.parametrize(
    "row",
    [
        {"id": "a", "instruction": ASKED, "input": "", "output": "```python\npass\n```"},
        {"prompt": f"Task: {ASKED}\n\n", "completion": "```python\npass\n```"},
        {
            "messages": [
                {"role": "user", "content": ASKED},
                {"role": "assistant", "content": "```python\npass\n```"},
            ]
        },
    ],
)
def test_rows_of_a_run_or_a_release_are_problems_without_checks(
    tmp_path: Path, row: dict[str, object]
) -> None:
    file = tmp_path / "rows.jsonl"
    other = {"prompt": ASKED.replace("3 jars", "4 jars"), "completion": ""}
    again = row | {"id": "b"} if "id" in row else row
    file.write_text("\n".join(map(json.dumps, [row, other, again])))

    benchmark = load_benchmark(str(file))

    first, second = benchmark.problems
    assert (first.task.id, second.task.id) == (row.get("id", "row_1"), "row_2")
    assert first.task.instruction == ASKED
    assert first.reference == "pass"
    assert first.checks == ()
    assert benchmark.repeats == 1


def test_the_columns_of_a_release_are_axes(tmp_path: Path) -> None:
    row = {"instruction": ASKED, "input": "", "output": "", "difficulty": "hard"}
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(row | {"rule_kind": "limit", "system_group": None}))

    (problem,) = load_benchmark(str(file)).problems

    assert problem.difficulty == "hard"
    assert problem.axes == {"rule_kind": "limit"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"checks": "none"}, "'checks' must be a list"),
        ({"axes": {"domain": 3}}, "'axes' must map"),
        ({"difficulty": 2}, "'difficulty' must be a text"),
        ({"instruction": "Write a poem"}, "no closed ```gherkin block"),
        ({"instruction": "```gherkin\nScenario: a\n  Gven b\n```"}, "the scenario does not parse"),
        ({"checks": ["Scenario: a"]}, "check 1 does not parse"),
        ({"instances": None, "instruction": None}, "'instances' must be a list"),
    ],
)
def test_a_broken_line_is_named(
    problems: tuple[Problem, ...], tmp_path: Path, change: dict[str, object], words: str
) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps(problems[0].to_dict() | change))

    with pytest.raises(SelfBehaveError, match=words) as raised:
        load_benchmark(str(file))

    assert "own.jsonl:1" in str(raised.value)


def test_a_repeated_id_is_refused(problems: tuple[Problem, ...], tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(f"{json.dumps(problems[0].to_dict())}\n" * 2)

    with pytest.raises(SelfBehaveError, match="bench_001"):
        load_benchmark(str(file))


def test_seed_tasks_are_read_as_a_benchmark_without_checks() -> None:
    seeds = ROOT / "src/selfbehave/seeds/packaged/high_quality_seed_tasks.jsonl"

    benchmark = load_benchmark(str(seeds))

    assert len(benchmark.problems) == 175
    assert all(not one.checks and not one.difficulty for one in benchmark.problems)


def _known(scenario: str) -> list[tuple[tuple[str, tuple[tuple[str, ...], ...], str], ...]]:
    """What `said` returns for the steps of each run of a scenario, in order."""
    import behave.parser

    feature = behave.parser.parse_feature(f"Feature: one\n\n{scenario}\n")
    return [
        tuple(
            (
                step.name,
                tuple(tuple(row.cells) for row in step.table or ()),
                str(step.text or ""),
            )
            for step in run.steps
        )
        for run in feature.walk_scenarios()
    ]


def _outcomes(scenario: str) -> str:
    """The scenario from its first outcome on, with the examples of an outline."""
    assert parse_scenario(scenario).steps
    return scenario[scenario.index("\n  Then ") :]

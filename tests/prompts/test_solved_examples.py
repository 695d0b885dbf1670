"""The examples in the prompts are what is asked for, and are held apart from the seed tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.yield_trials.judging import Judge
from benchmarks.yield_trials.kept import KeptRecords
from benchmarks.yield_trials.prompts import (
    messages_of_glue,
    messages_of_present,
    messages_of_scenario,
    messages_of_whole,
)
from selfbehave.axes.sums import is_right_sum
from selfbehave.bdd.fences import fence
from selfbehave.novelty.rule import THRESHOLD, Pool, rouge_l
from selfbehave.prompts.bdd import instruction_for, scenario_of
from selfbehave.prompts.solved_examples import EXAMPLES, SolvedExample
from selfbehave.seeds.load import load_seeds
from selfbehave.seeds.packaged_names import PACKAGED


def test_no_example_is_too_similar_to_a_packaged_seed() -> None:
    tasks = [task for name in PACKAGED for task in load_seeds(name).tasks]
    instructions = Pool(task.instruction for task in tasks)
    scenarios = Pool(scenario_of(task.instruction) for task in tasks)
    outputs = Pool(one.output for task in tasks for one in task.instances)
    assert len(scenarios) >= 300
    for example in EXAMPLES:
        assert instructions.nearest_too_similar(instruction_for(example.scenario)) is None
        assert scenarios.nearest_too_similar(example.scenario) is None
        for code in (example.class_first, example.functions_first):
            assert outputs.nearest_too_similar(fence("python", code)) is None


def test_examples_are_unlike_each_other() -> None:
    for number, one in enumerate(EXAMPLES):
        for other in EXAMPLES[:number]:
            assert rouge_l(one.scenario, other.scenario) <= THRESHOLD


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.request.splitlines()[0])
def test_an_example_is_a_clean_row_itself(example: SolvedExample, tmp_path: Path) -> None:
    with KeptRecords(tmp_path / "verdicts.jsonl") as kept:
        for code in (example.class_first, example.functions_first):
            verdict = Judge(kept).judge(example.scenario, code)
            assert verdict.is_clean, (verdict, code)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.request.splitlines()[0])
def test_the_sum_of_an_example_holds(example: SolvedExample) -> None:
    outcome = example.request.rpartition(" ")[2].strip('"')
    assert is_right_sum(example.sum, outcome)


def test_prompts_of_one_kind_share_all_but_their_last_turn() -> None:
    for make in (messages_of_scenario, messages_of_glue):
        one, other = (make(example.scenario) for example in EXAMPLES[:2])
        assert one[:-1] == other[:-1]
        assert one[-1] != other[-1]
        assert [turn["role"] for turn in one[:3]] == ["system", "user", "assistant"]


def test_a_whole_block_is_asked_for_with_its_heads() -> None:
    example = EXAMPLES[0]
    last = messages_of_whole(example.scenario)[-1]
    assert example.scenario in last["content"]
    assert all(head.code in last["content"] for head in example.heads)


def test_the_baseline_asks_as_the_stage_does() -> None:
    (message,) = messages_of_present(EXAMPLES[0].scenario)
    assert message["role"] == "user"
    assert message["content"].count("```gherkin") == 3, "two solved seed tasks and the scenario"
    assert EXAMPLES[0].scenario in message["content"]

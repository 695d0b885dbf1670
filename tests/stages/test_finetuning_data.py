"""Stage 4 turns raw answers into data, and tells why each loss was none."""

from typing import Any

import pytest

from selfbehave.bdd import Rung, sandbox
from selfbehave.core.jsonl import read_records
from selfbehave.core.records import RawInstances, SeedTask
from selfbehave.prompts.bdd import instruction_for
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.aim import Aim
from selfbehave.stages.finetuning_data import FinetuningData, finetuning_data

from ..helpers.paths import CLASSIC_SEEDS

SCENARIO = "Scenario: A walk\n  Given a dog\n  When it walks\n  Then it is tired"
CODE = "\n\n".join(
    ["from behave import *"]
    + [
        f"@{kind}({text!r})\ndef {kind}_it(context):\n    assert context"
        for kind, text in (("given", "a dog"), ("when", "it walks"), ("then", "it is tired"))
    ]
)
BOUND = f"```python\n{CODE}\n```"


def raw(answer: str, instruction: str = "Do it.", finish_reason: str | None = "stop") -> Any:
    metadata = {} if finish_reason is None else {"finish_reason": finish_reason}
    return RawInstances(instruction, answer, metadata, {}, {}, 0.0)


def prepared(*rows: RawInstances, labels: tuple[str, ...] = (), **settings: Any) -> FinetuningData:
    return finetuning_data(rows, dict.fromkeys(labels, True), **settings)


def reasons(result: FinetuningData) -> list[str]:
    return [dropped.reason for dropped in result.dropped]


def test_a_bound_pair_is_an_example_with_its_layout_kept() -> None:
    result = prepared(raw(BOUND, instruction_for(SCENARIO)))
    (example,) = result.examples
    assert example.output == BOUND
    (encoded,) = result.encoded
    assert SCENARIO in encoded["prompt"]
    assert encoded["prompt"].endswith("\n")
    assert encoded["completion"] == BOUND
    (ladder,) = result.climbed.values()
    assert ladder.rung == Rung.BOUND
    assert result.report.rungs["rows"] == result.report.rungs["every step bound"] == 1


def test_a_scenario_whose_answer_has_two_blocks_counts_once_by_the_better_one() -> None:
    two_blocks = f"```python\nx = 1\n```\n\n{BOUND}"
    rungs = prepared(
        raw(two_blocks, instruction_for(SCENARIO)),
        raw("```python\nx =\n```", instruction_for(SCENARIO.replace("A walk", "A run"))),
    ).report.rungs
    assert (rungs["rows"], rungs["scenario parses"]) == (2, 2)
    assert (rungs["Python compiles"], rungs["every step bound"]) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "finish_reason", "reason"),
    [
        ("```python\nx = 1\n", "length", "truncated"),
        ("```python\nx = 1\n", "stop", "unclosed_fence"),
        ("I cannot.", "stop", "no_instance"),
        ("I can", "length", "truncated"),
        ("```python\nx = 1\n```", "stop", "below_bound"),
        (BOUND.replace("it walks", "it runs"), "stop", "below_bound"),
        (BOUND.replace("    assert", "assert"), "stop", "below_bound"),
    ],
)
def test_an_answer_that_is_no_bound_pair_is_dropped(
    answer: str, finish_reason: str, reason: str
) -> None:
    result = prepared(raw(answer, instruction_for(SCENARIO), finish_reason))
    assert result.examples == ()
    assert reasons(result) == [reason]
    assert result.dropped[0].text


def test_a_lower_rung_may_be_asked_for() -> None:
    unbound = raw(BOUND.replace("it walks", "it runs"), instruction_for(SCENARIO))
    assert len(prepared(unbound, aim=Aim(Rung.PARSED)).examples) == 1


@pytest.mark.skipif(sandbox.missing() is not None, reason="no sandbox")
def test_a_pair_that_runs_red_is_told_so_and_dropped_if_passing_is_asked_for() -> None:
    red = raw(BOUND.replace("assert context", "assert not context"), instruction_for(SCENARIO))
    green = raw(BOUND, instruction_for(SCENARIO.replace("A walk", "Another")))
    result = prepared(red, green, aim=Aim(Rung.PASSING), top_rung=Rung.PASSING)
    assert [str(ladder.rung) for ladder in result.climbed.values()] == ["bound", "passing"]
    assert [example.instruction for example in result.examples] == [green.instruction]
    assert reasons(result) == ["below_passing"]
    assert "run: failed" in (result.dropped[0].detail or "")


def test_text_after_a_closed_block_is_left_out_even_if_the_answer_was_cut() -> None:
    result = prepared(raw(f"{BOUND}\n\nTask: write a", instruction_for(SCENARIO), "length"))
    assert result.examples[0].output == BOUND


def test_the_output_of_other_tools_without_a_finish_reason_is_taken_as_whole() -> None:
    assert len(prepared(raw("Example 1\nOutput: a", finish_reason=None)).examples) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Example 1\nInput: a\nOutput:", "empty_output"),
        ("Example 1\nInput: same\nOutput: same", "output_repeats_input"),
        ("Example 1\nInput: a\nOutput: the list is:", "unfinished"),
        ("Example 1\nInput: a", "no_output"),
        ("Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: b", "duplicate"),
    ],
)
def test_an_invalid_instance_is_dropped(answer: str, reason: str) -> None:
    assert reason in reasons(prepared(raw(answer)))


def test_an_input_with_two_labels_is_dropped_whole() -> None:
    answer = "Label: yes\nInput: a\nLabel: no\nInput: a\nLabel: no\nInput: b"
    result = prepared(raw(answer), labels=("Do it.",))
    assert [example.input for example in result.examples] == ["b"]
    assert reasons(result) == ["contradictory_labels"] * 2


def test_a_task_has_at_most_as_many_instances_as_asked_for() -> None:
    answer = "\n".join(f"Example {n}\nInput: {n}\nOutput: out {n}" for n in range(1, 9))
    result = prepared(raw(answer), max_instances_to_generate=5)
    assert len(result.examples) == 5
    assert reasons(result) == ["over_the_limit"] * 3
    inputs = [int(example.input) for example in result.examples]
    assert inputs == sorted(inputs)


def many(count: int) -> list[RawInstances]:
    return [raw(f"Example 1\nOutput: out {n}", f"Do number {n}.") for n in range(count)]


def test_instructions_are_sampled_and_every_example_is_kept_beside() -> None:
    result = prepared(*many(20), num_instructions=6)
    assert len(result.examples) == 20
    assert result.sampled_instructions == len(result.sampled) == len(result.encoded) == 6
    assert {example.output for example in result.sampled} == {
        encoded["completion"].strip() for encoded in result.encoded
    }


def test_the_random_seed_decides_templates_and_order() -> None:
    first, again = prepared(*many(30), random_seed=1), prepared(*many(30), random_seed=1)
    other = prepared(*many(30), random_seed=2)
    assert first.encoded == again.encoded != other.encoded
    texts = [encoded["prompt"] for encoded in first.encoded]
    assert len({text.split("Do number")[0] + text.split(".")[1] for text in texts}) > 2


def test_seed_tasks_are_included_on_request() -> None:
    seeds = read_records(CLASSIC_SEEDS, SeedTask.from_dict)
    result = prepared(*many(1), seeds=seeds)
    assert len(result.encoded) == 1 + sum(len(task.instances) for task in seeds)
    assert len(result.examples) == 1


def test_a_seed_generated_again_is_there_once() -> None:
    task = load_seeds("high_quality").tasks[0]
    again = raw(task.instances[0].output, task.instruction)
    assert len(prepared(again, again, seeds=[task]).encoded) == 1


def test_braces_in_a_task_are_not_placeholders() -> None:
    answer = "Example 1\nInput: {output}\nOutput: {instruction}"
    (encoded,) = prepared(raw(answer, "Fill {input} in {0}.")).encoded
    assert "Fill {input} in {0}." in encoded["prompt"]
    assert "{output}" in encoded["prompt"]
    assert encoded["completion"].strip() == "{instruction}"

"""Stages go through their instructions once, in order, and hold none of them."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from selfbehave.bdd.ladder import Ladder, Rung
from selfbehave.bdd.verdicts import Row
from selfbehave.core.records import Attempt, Classification, Instruction, RawInstances
from selfbehave.engines import Completion, Request
from selfbehave.prompts import FAMILIES
from selfbehave.prompts.bdd import instruction_for
from selfbehave.runs.scheduler import commit_in_order
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.bootstrap import BootstrapSettings
from selfbehave.stages.classify import ClassifySettings, TaskClasses
from selfbehave.stages.instances import InstancesSettings
from selfbehave.stages.new_instructions import NewInstructions
from selfbehave.stages.solving import RawAnswers

SCENARIO = "Scenario: {}\n  Given a\n  When b\n  Then c"


class Parrot:
    """An engine that answers with the end of the prompt."""

    identity, api, takes_grammar, notice = "parrot", "completions", False, None

    async def complete(self, request: Request) -> Completion:
        return Completion(request.prompt[-200:], "stop", 1, 1)

    def stop_retrying(self) -> None:
        pass


async def judge_nothing(rows: Sequence[Row], top: Rung) -> list[Ladder]:
    raise AssertionError("no instruction holds a scenario")


def do(stage: Any) -> None:
    async def answer(item: Any) -> Any:
        return await stage.answer(item, Parrot().complete)

    asyncio.run(
        commit_in_order(
            draw=stage.draw, ask=answer, commit=stage.commit, lag=lambda _: 3,
            break_off=lambda _: None,
        )
    )  # fmt: skip


def test_what_rules_and_the_engine_decide_is_kept_in_the_order_of_the_instructions() -> None:
    by_rule = [instruction_for(SCENARIO.format(number)) for number in range(5)]
    asked = [f"Is it Monday in {number}?\n```gherkin\nScenario: x\n```" for number in range(3)]
    texts = [by_rule[0], asked[0], asked[1], *by_rule[1:4], asked[2], by_rule[4]]
    kept: list[Classification] = []
    stage = TaskClasses(ClassifySettings(), lambda: texts, FAMILIES["bdd"], Parrot(), kept.append)
    do(stage)
    stage.finish()
    assert [one.instruction for one in kept] == texts
    assert [one.instruction for one in kept if one.decided_by == "engine"] == asked
    assert (stage.report.goal, stage.report.requests, stage.report.accepted) == (8, 3, 8)


def test_each_answer_is_kept_with_its_own_instruction() -> None:
    labelled = {"Task 1", "Task 4"}

    def instructions() -> Iterator[Instruction]:
        for number in range(6):
            yield Instruction(f"Task {number}", {"near": number / 10}, 0.0, {"n": number}, number)

    kept: list[RawInstances] = []

    def keep(one: RawInstances, attempts: Sequence[Attempt]) -> None:
        assert [attempt.is_kept for attempt in attempts] == [True], "it took one request"
        kept.append(one)

    stage = RawAnswers(
        InstancesSettings(generation_tasks_only=True), instructions, labelled, (),
        FAMILIES["classic"], Parrot(), 1, judge_nothing, keep,
    )  # fmt: skip
    do(stage)
    assert [one.instruction for one in kept] == ["Task 0", "Task 2", "Task 3", "Task 5"]
    for one in kept:
        assert f"Task: {one.instruction}\n" in one.raw_instances
        assert one.instruction_metadata == {"n": int(one.instruction[-1])}
    assert [one.text for one in stage.dropped] == ["Task 1", "Task 4"]
    assert stage.report.goal == 4


def test_a_bootstrap_needs_fewer_answers_the_more_they_yield() -> None:
    tasks = load_seeds("high_quality").tasks
    settings = BootstrapSettings(num_instructions_to_generate=40)
    stage = NewInstructions(settings, tasks, FAMILIES["bdd"], Parrot())
    assert stage.needed() == 40, "one each, before anything is known"
    request = stage.draw(0)
    assert request is not None
    words = "otter lamp copper dune quartz violin ember harbor mosaic tundra".split()
    blocks = "\n\n".join(
        f"```gherkin\nScenario: {a} {b}\n  Given {b} {c}\n  When {c} {d} {a}\n  Then {d} {a}\n```"
        for a, b, c, d in zip(words, words[1:], words[2:], words[3:], strict=False)
    )
    stage.commit(request, Completion(blocks.removeprefix("```gherkin\n"), "stop"))
    found = len(stage.accepted)
    assert found > 1
    assert stage.needed() < (40 - found)

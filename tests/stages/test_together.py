"""The program and the engine write step functions together, a segment at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pytest

from selfbehave.bdd import Rung, sandbox
from selfbehave.bdd.heads import heads_of
from selfbehave.bdd.ladder import Ladder
from selfbehave.bdd.scenario import parse_scenario
from selfbehave.bdd.verdicts import Row, climb_settled
from selfbehave.core.records import Attempt, Instruction, RawInstances
from selfbehave.engines import Completion, Request
from selfbehave.prompts import FAMILIES, Answer
from selfbehave.prompts.bdd import instruction_for
from selfbehave.prompts.glue import Outcome, write_with_glue
from selfbehave.stages.instances import InstancesSettings
from selfbehave.stages.solving import RawAnswers

pytestmark = pytest.mark.skipif(sandbox.missing() is not None, reason="no sandbox")

PLAIN = """\
Scenario: Coins come into the till
  Given the till holds 5 coins
  When 7 coins are put in
  Then the till holds 12 coins"""
OUTLINE = """\
Scenario Outline: Coins come into the till
  Given the till holds 5 coins
  When <new> coins are put in
  Then it holds <total> coins

  Examples:
    | new | total |
    | 7   | 12    |
    | 8   | 13    |"""
CELL = {"sum": "5 + 7 = 12"}
CELL_OF_OUTLINE = CELL | {"rows": [{"new": 7, "total": 12}, {"new": 8, "total": 13}]}


class Writer:
    """A chat engine that goes on from begun answers.

    Its sums and the bodies of its method are given in order, the last one again and again. "…" at
    the end of a text stands for one that the limit cut off.
    """

    identity, api, takes_grammar, takes_begun, notice = "writer", "chat", False, True, None

    def __init__(
        self,
        *methods: str,
        sums: tuple[str, ...] = ("5 + 7 = 12",),
        made: str = ".till = Till()\n",
    ) -> None:
        self._made = made
        self._methods, self._sums = iter(methods), iter(sums)
        self._method = self._sum = ""
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.requests.append(request)
        await asyncio.sleep(0)
        text = self._text(request.begun)
        for stop in request.stop:
            text = text.partition(stop)[0]
        if "…" in text:
            return Completion(text.partition("…")[0], "length", 10, 5)
        return Completion(text, "stop", 10, 5, cached_tokens=8)

    def _text(self, begun: str) -> str:
        line = begun.rpartition("\n")[2]
        if line == "#":
            self._sum = next(self._sums, self._sum)
            return f" {self._sum}\n"
        if line.endswith("self.content ="):
            self._method = next(self._methods, self._method)
            return f"{self._method.partition('=')[2]}\n\n\n@given"
        if line:
            return {
                "    context": self._made,
                "    assert context.till": ".content ==",
            }.get(line, ".put(" if begun.rpartition("\n@")[2].startswith("when") else ".coins =")
        self._method = next(self._methods, self._method)
        return f"        {self._method}\n\n\n@given"

    def stop_retrying(self) -> None:
        pass


async def judge(rows: Sequence[Row], top: Rung) -> list[Ladder]:
    return list(climb_settled(rows, top))


def solved(
    writer: Any, scenario: str = PLAIN, axes: dict[str, Any] = CELL, **settings: Any
) -> tuple[RawInstances, Sequence[Attempt], RawAnswers]:
    """The kept answer to the scenario, its attempts, and the generation."""
    kept: list[tuple[RawInstances, Sequence[Attempt]]] = []
    task = Instruction(instruction_for(scenario), {}, 0.0, {"axes": axes}, 0)
    generation = RawAnswers(
        InstancesSettings(**{"min_rung": "causal"} | settings), lambda: [task], (), (),
        FAMILIES["bdd_glue"], writer, 1, judge,
        lambda one, attempts: kept.append((one, attempts)),
    )  # fmt: skip
    item = generation.draw(0)
    assert item is not None
    tried = asyncio.run(generation.answer(item, writer.complete))
    assert generation.commit(item, tried)
    (found,) = kept
    return *found, generation


def test_the_program_writes_the_glue_and_the_model_the_names_and_the_method() -> None:
    writer = Writer("self.content = self.coins + coins")
    kept, attempts, generation = solved(writer)
    assert [(one.rung, one.faults) for one in attempts] == [("causal", ())]
    assert (
        kept.raw_instances
        == """\
```python
from behave import given, when, then


class Till:
    def __init__(self):
        self.coins = None
        self.content = None

    def put(self, coins):
        self.content = self.coins + coins


@given('the till holds {coins:d} coins')
def step_till_holds_coins(context, coins):
    context.till = Till()
    context.till.coins = coins


@when('{coins:d} coins are put in')
def step_coins_put(context, coins):
    context.till.put(coins)


@then('the till holds {coins:d} coins')
def step_till_holds_coins_2(context, coins):
    assert context.till.content == coins

```"""
    )
    last = writer.requests[-1]
    assert kept.instance_metadata["request_key"] == last.key(writer)
    assert "# 5 + 7 = 12" in last.begun, "the sum that the model wrote helps it, and is not kept"
    assert all(one.begun.startswith("```python\nfrom behave") for one in writer.requests)
    assert kept.instance_metadata["completion_tokens"] == 5 * len(writer.requests)
    assert (generation.report.proven, generation.report.requests) == (1, len(writer.requests))


def test_where_the_models_sum_stays_wrong_it_is_shown_the_programs_in_the_names_of_the_code() -> (
    None
):
    writer = Writer("self.content = self.coins + coins", sums=("5 + 7 = 13", "12 = 12"))
    _, attempts, _ = solved(writer)
    assert [(one.rung, one.faults) for one in attempts] == [("causal", ())]
    assert "# self.coins + coins\n" in writer.requests[-1].begun
    assert writer.requests[-1].begun.endswith("        self.content ="), "led to the outcome"


def test_a_sum_that_stays_wrong_ends_the_attempt_where_the_program_has_none() -> None:
    writer = Writer("self.content = self.coins + coins", sums=("12 = 12",))
    _, attempts, _ = solved(writer, axes={})
    assert [(one.rung, one.faults) for one in attempts] == [("none", ("python_not_found",))] * 3


def test_the_program_names_the_model_and_reads_the_table_where_the_model_would_not() -> None:
    table = """\
Scenario: A jar is chosen
  Given these jars stand there:
    | jar | coins |
    | red | 5     |
  When 7 coins are put into each
  Then the content is 12"""
    writer = Writer("self.content = self.jars['red'] + coins", made=".coins = 5\n")
    solved(writer, table, {}, attempts=1)
    begun = [one.begun for one in writer.requests]
    read = "    context.jars = Jars()\n    for row in context.table:\n        context.jars"
    assert any(one.endswith(read) for one in begun), begun[2]


def test_a_class_without_its_end_is_asked_for_again_and_never_kept() -> None:
    writer = Writer("self.content = self.coins…", "self.content = self.coins + coins")
    _, attempts, _ = solved(writer)
    assert [one.rung for one in attempts] == ["causal"]
    _, attempts, _ = solved(Writer("self.content = self.coins…"), attempts=1)
    assert [one.faults for one in attempts] == [("python_not_found",)]


def test_an_outline_has_typed_parameters_and_no_sum_of_the_models() -> None:
    writer = Writer("self.content = self.coins - new", "self.content = self.coins + new")
    _, attempts, _ = solved(writer, OUTLINE, CELL_OF_OUTLINE)
    assert [one.rung for one in attempts] == ["bound", "causal"]
    assert "@when('{new:d} coins are put in')" in attempts[1].raw_instances
    begun = [one.begun for one in writer.requests]
    assert not any(one.endswith("#") for one in begun)
    assert "# self.coins + new\n" in begun[-1], "the sum of the first row, in names"


def test_a_field_that_no_method_reads_is_asked_for_again_without_a_climb() -> None:
    writer = Writer("self.content = 12", "self.content = self.coins + coins")
    _, attempts, _ = solved(writer)
    assert [one.rung for one in attempts] == ["causal"]


def test_an_engine_that_takes_no_begun_answer_is_asked_for_a_whole_block() -> None:
    writer = Writer("")
    writer.takes_begun = False  # type: ignore[misc]
    solved(writer, attempts=1)
    (request,) = writer.requests
    assert request.begun == ""


def test_answers_are_written_one_after_another_so_that_each_keeps_its_prompt_cache() -> None:
    writer = Writer("self.content = self.coins + coins")
    scenarios = [PLAIN, PLAIN.replace("till", "jar")]
    tasks = [Instruction(instruction_for(one), {}, 0.0, {"axes": CELL}, 0) for one in scenarios]
    generation = RawAnswers(
        InstancesSettings(min_rung="causal", attempts=1), lambda: tasks, (), (),
        FAMILIES["bdd_glue"], writer, 1, judge, lambda *_: None,
    )  # fmt: skip
    items = [generation.draw(number) for number in range(2)]

    async def both() -> None:
        await asyncio.gather(*(generation.answer(one, writer.complete) for one in items if one))

    asyncio.run(both())
    prompts = [request.prompt for request in writer.requests]
    assert prompts == sorted(prompts, key=prompts.index), "no two are mixed"
    assert len({*prompts}) == 2


def test_a_second_attempt_comes_before_the_first_ones_of_later_instructions() -> None:
    writer = Writer("self.content = self.coins + coins")
    tasks = [
        Instruction(instruction_for(PLAIN.replace("till", one)), {}, 0.0, {"axes": CELL}, 0)
        for one in ("till", "jar", "box")
    ]
    rungs = iter((Rung.BOUND, *[Rung.CAUSAL] * 3))

    async def judge_in_turn(rows: Sequence[Row], top: Rung) -> list[Ladder]:
        return [Ladder(next(rungs), True, True, ())]

    generation = RawAnswers(
        InstancesSettings(min_rung="causal"), lambda: tasks, (), (),
        FAMILIES["bdd_glue"], writer, 1, judge_in_turn, lambda *_: None,
    )  # fmt: skip
    items = [generation.draw(number) for number in range(3)]

    async def all_three() -> None:
        await asyncio.gather(*(generation.answer(one, writer.complete) for one in items if one))

    asyncio.run(all_three())
    assert [index for index, _ in groupby(one.index for one in writer.requests)] == [0, 1, 0, 2]


@pytest.mark.parametrize(
    "made", [".class = Till()\n", ".till = None()\n", ".table = Table()\n", "s.till = Till()\n", ""]
)
def test_the_program_names_the_object_where_the_models_name_is_none(made: str) -> None:
    scenario = PLAIN.replace("the till holds 5", "class size 5 for")
    writer = Writer("self.content = 12", made=made)
    kept, *_ = solved(writer, scenario, {}, attempts=1)
    assert "context.system = System()" in kept.raw_instances or not kept.raw_instances
    assert any("context.system = System()" in one.begun for one in writer.requests)


def test_a_field_is_not_named_by_a_keyword_nor_twice() -> None:
    heads = heads_of(parse_scenario(PLAIN.replace("5 coins", "5 coins and 6 notes")))
    assert heads is not None
    writing = write_with_glue(heads, Outcome())
    segment, asked = next(writing), 0
    while True:
        asked += 1
        last = segment.begun.rpartition("\n")[2]
        text = ".till = Till()" if last == "    context" else ".class" if asked < 4 else ".coins"
        try:
            segment = writing.send(Answer(text, False))
        except StopIteration:
            break
        if "class Till" in segment.begun:
            break
    assert "context.till.coins = coins" in segment.begun
    assert ".class" not in segment.begun
    assert "context.till.notes = notes" in segment.begun


@pytest.mark.parametrize("text", ["-" * 6000 + "1", '"\ud800"', "(" * 400, "\0", "'''"])
def test_no_answer_of_a_model_ends_the_writing_with_an_error(text: str) -> None:
    for scenario in (PLAIN, OUTLINE):
        heads = heads_of(parse_scenario(scenario))
        assert heads is not None
        writing = write_with_glue(heads, Outcome("12", "5 + 7 = 12"))
        next(writing)
        for _ in range(60):
            try:
                writing.send(Answer(f" = {text}", False))
            except StopIteration:
                break
        else:
            pytest.fail("it goes on and on")


def test_each_retry_is_another_request() -> None:
    writer = Writer("self.content = 12", sums=("1 = 2",))
    solved(writer, axes={}, attempts=2, temperature=1.2)
    keys = [one.key(writer) for one in writer.requests]
    assert len({*keys}) == len(keys)
    assert {one.temperature for one in writer.requests} == {1.2}


def test_a_pattern_that_several_givens_share_is_asked_for_in_a_whole_block() -> None:
    twice = PLAIN.replace(
        "  When", '  And counter "A" has 5 coins\n  And counter "B" has 6 coins\n  When'
    )
    writer = Writer("")
    solved(writer, twice, {}, attempts=1)
    (request,) = writer.requests
    assert request.begun == ""
    assert "Heads:" in request.prompt

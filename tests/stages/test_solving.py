"""A scenario is attempted until its row is proven; the best attempt is kept."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from selfbehave.bdd import Rung, sandbox
from selfbehave.bdd.ladder import Ladder
from selfbehave.bdd.verdicts import Row, climb_settled
from selfbehave.core.records import Attempt, Instruction, RawInstances
from selfbehave.engines import Completion, Request
from selfbehave.prompts import FAMILIES
from selfbehave.prompts.bdd import instruction_for
from selfbehave.stages.instances import InstancesSettings
from selfbehave.stages.solving import RawAnswers

from ..helpers.till import HONEST, SCENARIO

GREEN = f"```python\n{HONEST}```"
RED = GREEN.replace("+= more", "-= more")
UNBOUND = GREEN.replace("more come", "coins arrive")

pytestmark = pytest.mark.skipif(sandbox.missing() is not None, reason="no sandbox")


class Chat:
    """A chat engine that gives its answers in order, the last one again and again."""

    identity, api, takes_grammar, notice = "chat", "chat", False, None
    takes_begun = False

    def __init__(self, *answers: str) -> None:
        self.answers = answers
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.requests.append(request)
        place = min(len(self.requests), len(self.answers)) - 1
        return Completion(self.answers[place], "stop", 10, 5)

    def stop_retrying(self) -> None:
        pass


async def judge(rows: Sequence[Row], top: Rung) -> list[Ladder]:
    return list(climb_settled(rows, top))


def solved(chat: Any, **settings: Any) -> tuple[RawInstances, Sequence[Attempt], RawAnswers]:
    """The kept answer to the scenario, its attempts, and the generation."""
    kept: list[tuple[RawInstances, Sequence[Attempt]]] = []
    task = Instruction(instruction_for(SCENARIO), {}, 0.0, {}, 0)
    generation = RawAnswers(
        InstancesSettings(**{"min_rung": "causal"} | settings), lambda: [task], (), (),
        FAMILIES["bdd_turns"], chat, 1, judge,
        lambda one, attempts: kept.append((one, attempts)),
    )  # fmt: skip
    item = generation.draw(0)
    assert item is not None
    tried = asyncio.run(generation.answer(item, chat.complete))
    assert generation.commit(item, tried)
    (found,) = kept
    return *found, generation


def test_after_a_red_attempt_comes_a_fresh_one_and_the_green_one_is_kept() -> None:
    chat = Chat(RED, GREEN)
    kept, attempts, generation = solved(chat)
    assert kept.raw_instances == GREEN
    assert [(one.rung, one.is_kept, one.repairs) for one in attempts] == [
        ("bound", False, None),
        ("causal", True, None),
    ]
    assert "run_failed" in attempts[0].faults
    first, second = chat.requests
    assert (first.prompt, first.before) == (second.prompt, second.before), "asked afresh"
    assert first.seed != second.seed
    assert first.temperature < second.temperature
    assert (generation.report.attempts, generation.report.proven) == (2, 1)


def test_a_repair_is_told_the_failing_line_and_both_values() -> None:
    chat = Chat(RED, GREEN)
    _, attempts, _ = solved(chat, repair=True)
    assert attempts[1].repairs == 0
    told = chat.requests[1].prompt
    assert "assert context.coins == coins" in told
    assert "context.coins is 1" in told
    assert "coins is 5" in told
    assert chat.requests[1].before[-1].content == RED, "it sees its last answer"


def test_a_repair_that_makes_things_worse_is_not_kept() -> None:
    chat = Chat(RED, UNBOUND, UNBOUND)
    kept, attempts, generation = solved(chat, repair=True)
    assert kept.raw_instances == RED
    assert [(one.rung, one.is_kept, one.repairs) for one in attempts] == [
        ("bound", True, None),
        ("parsed", False, 0),
        ("parsed", False, None),
    ]
    assert generation.report.proven == 0


def test_an_engine_that_always_answers_the_same_ends_after_its_attempts() -> None:
    chat = Chat(UNBOUND)
    kept, attempts, _ = solved(chat, attempts=4)
    assert len(chat.requests) == len(attempts) == 4
    assert [one.is_kept for one in attempts] == [True, False, False, False], "the first of equals"
    assert len({request.seed for request in chat.requests}) == 4
    assert kept.instance_metadata["attempt"] == 0


@pytest.mark.parametrize("settings", [{"attempts": 1}, {"min_rung": "bound", "top_rung": "bound"}])
def test_no_second_attempt_is_made_where_none_is_allowed_or_needed(
    settings: dict[str, Any],
) -> None:
    chat = Chat(RED)
    _, attempts, _ = solved(chat, **settings)
    assert len(chat.requests) == len(attempts) == 1


def test_an_answer_without_step_functions_is_an_attempt_too() -> None:
    _, attempts, _ = solved(Chat("I cannot.", GREEN))
    assert [(one.rung, one.faults) for one in attempts] == [
        ("none", ("python_not_found",)),
        ("causal", ()),
    ]

"""Which prompt cache of llama.cpp's server a request takes, and what the server says of it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from selfbehave.engines import Completion, EngineSettings, Request, open_engine, requests_in_flight
from selfbehave.engines.models import model_file, model_named
from selfbehave.engines.providers.llama_cpp import CONTEXT_TOKENS, server_parameters, slots_for
from selfbehave.engines.providers.prompt_caches import PromptCaches
from selfbehave.engines.settings import IN_FLIGHT, IN_FLIGHT_HERE

LINES = "The library lends a book for three weeks and fines every day after that.\n"
BEGINNINGS = {"bootstrap": "Write a scenario.\n" + LINES * 12, "instances": "Solve.\n" + LINES * 20}


def taken(caches: PromptCaches, *beginnings: str) -> list[int | None]:
    """The slots of requests that come one after the other."""
    slots = []
    for beginning in beginnings:
        with caches.taking(beginning) as slot:
            slots.append(slot)
    return slots


def test_requests_with_the_same_beginning_take_the_same_slot() -> None:
    assert taken(PromptCaches(3), "new", "solve", "new", "solve", "solve") == [0, 1, 0, 1, 1]


def test_a_new_beginning_takes_an_unused_slot_and_then_the_one_unused_for_longest() -> None:
    assert taken(PromptCaches(3), "a", "b", "a", "c", "d", "b") == [0, 1, 0, 2, 1, 0]


def test_requests_at_the_same_time_take_different_slots() -> None:
    caches = PromptCaches(3)
    with ExitStack() as stack:
        slots = [stack.enter_context(caches.taking("solve")) for _ in range(3)]
        assert slots == [0, 1, 2]
        assert stack.enter_context(caches.taking("solve")) is None, "the server may choose"
    assert taken(caches, "solve") in ([0], [1], [2])


def test_a_slot_is_free_again_after_a_failed_request() -> None:
    caches = PromptCaches(1)
    with pytest.raises(RuntimeError), caches.taking("solve"):
        raise RuntimeError("the server is gone")
    assert taken(caches, "solve") == [0]


def test_one_request_at_a_time_leaves_a_slot_for_every_beginning() -> None:
    assert slots_for(1) == 3
    assert slots_for(8) >= 8


def test_a_slot_holds_a_long_prompt_and_its_answer() -> None:
    slots = slots_for(1)
    parameters = server_parameters(model_file(model_named("embedded-small")), slots)
    assert parameters.n_ctx // slots == CONTEXT_TOKENS >= 3_000 + 1_024


def answers(settings: EngineSettings, requests: list[Request]) -> list[Completion]:
    async def work() -> list[Completion]:
        async with open_engine(settings) as engine:
            return await asyncio.gather(*map(engine.complete, requests))

    return asyncio.run(work())


@pytest.mark.model
def test_prompts_of_two_stages_by_turns_come_from_the_cache() -> None:
    """With the default settings, at least 70 % of their tokens, as the server counts them."""
    requests = [
        Request(stage, index, f"{BEGINNINGS[stage]}Book {index * 7919}:", 0.8, 0.95, 2, index)
        for index in range(6)
        for stage in BEGINNINGS
    ]
    done = answers(EngineSettings(engine="embedded-small"), requests)
    cached = sum(answer.cached_tokens for answer in done)
    assert cached / sum(answer.prompt_tokens for answer in done) >= 0.7
    assert all(answer.cached_tokens > 100 for answer in done[2:]), "only the first two are new"


@pytest.mark.model
def test_without_the_prompt_cache_the_same_request_gets_the_same_answer() -> None:
    settings = EngineSettings(engine="embedded-small", prompt_cache="off")
    request = Request("bootstrap", 0, BEGINNINGS["bootstrap"], 0.8, 0.95, 12, seed=1)
    other = Request("bootstrap", 1, BEGINNINGS["bootstrap"] + "A book", 0.8, 0.95, 2, seed=2)
    first, _, again = answers(settings, [request, other, request])
    assert first.text == again.text
    assert again.cached_tokens == 0


def test_fewer_requests_are_in_flight_where_the_model_runs_here() -> None:
    assert requests_in_flight(EngineSettings(engine="http://127.0.0.1:9/v1")) == IN_FLIGHT
    assert requests_in_flight(EngineSettings(engine="embedded-small")) == IN_FLIGHT_HERE
    assert requests_in_flight(EngineSettings(engine="embedded", request_batch_size=4)) == 4

"""Many requests answered at once: a Ray Data pipeline that fills the journal.

A worker gets a block of requests. It uses its own engine and sends each answer to the journal as
it arrives. If the worker is lost, another worker gets its block and sends only the requests whose
answers the journal lacks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import ray
import ray.data

from ..core.errors import SelfBehaveError
from ..engines import Client, Message, Request, open_engine, requests_in_flight
from ..engines.settings import EngineSettings
from ..events.events import Event, ParameterRefused
from .shared_journal import ask_anew
from .worker_errors import error_text, original_errors, raise_first

__all__ = ["answer_by_engine", "request_of", "row_of"]

_ROUNDS = 16  # rounds of requests in a block: slots are idle only during the last round


def answer_by_engine(
    requests: Sequence[Request], engine: EngineSettings, keeper: Any, workers: int
) -> None:
    """Return once all requests are answered in the journal.

    Args:
        requests: at least one.
        engine: the settings that `portable` makes; workers share its limit of requests.
        keeper: the actor that holds the journal.

    Raises:
        SelfBehaveError: a request was refused, or the engine stayed away. Requests in flight are
            answered first: they may have been paid for.
    """
    in_flight = requests_in_flight(engine)
    workers = min(workers, len(requests), in_flight)
    share = replace(engine, request_batch_size=in_flight // workers)
    block = min(_ROUNDS * (in_flight // workers), -(-len(requests) // workers))
    blocks = -(-len(requests) // block)
    answered = ray.data.from_items(
        [row_of(request) for request in requests],
        override_num_blocks=blocks,
    ).map_batches(
        _answer_block,
        batch_size=None,
        fn_args=(share, keeper),
        compute=ray.data.TaskPoolStrategy(size=min(workers, blocks)),
        num_cpus=0.1,  # it mostly waits
    )
    for _ in answered.iter_rows():
        pass
    raise_first([ray.get(keeper.fault.remote())])


def row_of(request: Request) -> dict[str, str]:
    """A request as a row of a dataset."""
    return {"request": json.dumps(asdict(request))}


def request_of(text: str) -> Request:
    """The request of a row that `row_of` made."""
    fields = json.loads(text)
    before = tuple(Message(**message) for message in fields["before"])
    return Request(**fields | {"stop": tuple(fields["stop"]), "before": before})


def _answer_block(
    batch: dict[str, Any], settings: EngineSettings, keeper: Any
) -> dict[str, list[Any]]:
    """Answer a block; return how many were asked. An error goes to the keeper and ends the work."""
    requests = [request_of(text) for text in batch["request"]]
    try:
        asked = asyncio.run(_answer(requests, settings, keeper))
    except SelfBehaveError as error:  # there is no such engine
        ray.get(keeper.break_off.remote(error_text(error)))
        asked = 0
    return {"asked": [asked]}


async def _answer(requests: Sequence[Request], settings: EngineSettings, keeper: Any) -> int:
    refused: list[ParameterRefused] = []

    def emit(event: Event) -> None:
        if isinstance(event, ParameterRefused):
            refused.append(event)

    async with open_engine(settings, emit) as engine:
        keys = [request.key(engine) for request in requests]
        unanswered, _ = await keeper.unanswered.remote(keys)
        await asyncio.gather(
            *(
                _answer_one(keeper, engine, request, key)
                for request, key, is_new in zip(requests, keys, unanswered, strict=True)
                if is_new
            )
        )
    if refused:
        await keeper.note_refused.remote(refused)
    return sum(unanswered)


async def _answer_one(keeper: Any, engine: Client, request: Request, key: str) -> None:
    try:
        with original_errors():
            await ask_anew(keeper, engine, request, key)
    except SelfBehaveError as error:
        await keeper.break_off.remote(error_text(error))
        engine.stop_retrying()  # the others in flight may still be answered

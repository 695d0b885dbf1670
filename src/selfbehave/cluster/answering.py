"""Many requests answered at once: a Ray Data pipeline that fills the journal.

A block of requests goes to a worker, which asks an engine of its own and sends each answer to the
journal as it arrives. The block of a worker that is lost goes to another, which asks only for what
the journal has not.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from typing import Any

import ray.data

from ..engines import Engine, Request, open_engine
from ..errors import SelfBehaveError
from ..settings import EngineSettings
from .journal import ask_anew
from .session import reported

__all__ = ["answer_by_engine", "request_of", "row_of"]

_BLOCK = 64  # requests that a worker is given at a time, at most
_BLOCKS_IN_FLIGHT = 3  # of a worker: the next begin while the last answers of one are awaited


def answer_by_engine(
    requests: Sequence[Request], engine: EngineSettings, keeper: Any, workers: int
) -> None:
    """Return once all requests are answered in the journal.

    Args:
        engine: as `portable` makes it; its requests in flight are shared among the workers.
        keeper: of the journal.

    Raises:
        SelfBehaveError: a request was refused, or the engine stayed away; by then whatever was in
            flight has been answered.
    """
    workers = min(workers, len(requests), engine.request_batch_size)
    share = replace(engine, request_batch_size=-(-engine.request_batch_size // workers))
    block = min(_BLOCK, -(-len(requests) // workers))
    blocks = -(-len(requests) // block)
    answered = ray.data.from_items(
        [row_of(request) for request in requests], override_num_blocks=blocks
    ).map_batches(
        Asking,
        batch_size=None,
        fn_constructor_args=(share, keeper),
        compute=ray.data.ActorPoolStrategy(
            size=workers,
            max_tasks_in_flight_per_actor=_BLOCKS_IN_FLIGHT,
            max_concurrent_calls_per_actor=_BLOCKS_IN_FLIGHT,
        ),
        num_cpus=0.1,  # it waits
    )
    with reported():
        for batch in answered.iter_batches(batch_size=None, batch_format="pandas"):
            for fault in filter(None, batch["fault"]):
                raise SelfBehaveError(**json.loads(fault))


def row_of(request: Request) -> dict[str, str]:
    """A request as a row of a dataset."""
    return {"request": json.dumps(asdict(request), ensure_ascii=False)}


def request_of(text: str) -> Request:
    """The request of such a row."""
    fields = json.loads(text)
    return Request(**fields | {"stop": tuple(fields["stop"])})


class Asking:
    """A worker's engine, and what it does with a block of requests."""

    def __init__(self, settings: EngineSettings, keeper: Any) -> None:
        self._settings = settings
        self._keeper = keeper
        self._open_until_the_worker_ends = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._engine: Engine | None = None

    async def __call__(self, batch: dict[str, Any]) -> AsyncIterator[dict[str, list[Any]]]:
        try:
            engine = await self._opened()
            answered, faults = await self._answer(engine, [*map(request_of, batch["request"])])
        except SelfBehaveError as error:
            answered, faults = 0, [error]
        told = [
            json.dumps({"what": one.what, "where": one.where, "mend": one.mend}) for one in faults
        ]
        yield {"answered": [answered], "fault": [told[0] if told else ""]}

    async def _answer(
        self, engine: Engine, requests: Sequence[Request]
    ) -> tuple[int, list[SelfBehaveError]]:
        keys = [request.key(engine) for request in requests]
        unanswered = await self._keeper.unanswered.remote(keys)
        answers = await asyncio.gather(
            *(
                ask_anew(self._keeper, engine, request, key)
                for request, key, is_new in zip(requests, keys, unanswered, strict=True)
                if is_new
            ),
            return_exceptions=True,  # the others may be paid for
        )
        faults = []
        for answer in answers:
            if isinstance(answer, SelfBehaveError):
                engine.stop_retrying()
                faults.append(answer)
            elif isinstance(answer, BaseException):
                raise answer
        return len(answers) - len(faults), faults

    async def _opened(self) -> Engine:
        async with self._opening:
            if self._engine is None:
                self._engine = await self._open_until_the_worker_ends.enter_async_context(
                    open_engine(self._settings)
                )
            return self._engine

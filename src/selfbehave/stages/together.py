"""Get an answer that the program and the engine write together, a segment at a time."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count

from ..bdd.fences import fence
from ..engines.base import Completion, Engine, Request
from ..prompts import Answer, Family, WritesTogether, Writing
from .base import Ask

__all__ = ["Together", "writer_for"]

_HOTTEST = 1.0


def writer_for(family: Family, engine: Engine) -> WritesTogether | None:
    """The family, if it writes answers together with this engine."""
    if isinstance(family, WritesTogether) and engine.api == "chat" and engine.takes_begun:
        return family
    return None


class Together:
    """Writes as many answers at once as the engine has requests in flight.

    Then the prompt cache that an answer uses is its own until it is whole: each segment finds
    there what was written before it. Those of the first instructions come first, so that a later
    attempt does not wait for the first attempts of all others.
    """

    def __init__(self, in_flight: int) -> None:
        self._free = in_flight
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrivals = count()

    async def write(
        self, writing: Writing, request: Request, ask: Ask
    ) -> tuple[Request, Completion, list[Completion]]:
        """Ask for the segments of an answer until it is whole.

        Args:
            request: of the attempt; each segment begins its answer.

        Returns:
            The request of the last segment, which holds all that was written before it, and a
            completion with the whole answer in a fence and the tokens of all segments; its text
            is "" where the writing failed. And the segments.
        """
        async with self._turn(request.index):
            return await _write(writing, request, ask)

    @asynccontextmanager
    async def _turn(self, index: int) -> AsyncIterator[None]:
        if self._free:
            self._free -= 1
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (index, next(self._arrivals), turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._pass_on()
                raise
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


async def _write(
    writing: Writing, request: Request, ask: Ask
) -> tuple[Request, Completion, list[Completion]]:
    asked, segments = request, list[Completion]()
    answer: Answer | None = None
    while True:
        try:
            segment = next(writing) if answer is None else writing.send(answer)
        except StopIteration as end:
            code: str | None = end.value
            text = "" if code is None else fence("python", code)
            return asked, _joined(text, segments), segments
        asked = replace(
            request,
            begun=segment.begun,
            stop=segment.stop,
            max_tokens=min(segment.max_tokens, request.max_tokens),
            temperature=max(
                request.temperature, min(_HOTTEST, request.temperature + segment.hotter)
            ),
            seed=(request.seed + segment.retry) % 2**31,
        )
        completion = await ask(asked)
        answer = Answer(completion.text, completion.is_truncated)
        segments.append(completion)


def _joined(text: str, segments: Sequence[Completion]) -> Completion:
    """One completion with the tokens of all segments."""
    return Completion(
        text,
        "stop",
        prompt_tokens=sum(one.prompt_tokens for one in segments),
        completion_tokens=sum(one.completion_tokens for one in segments),
        attempts=max(one.attempts for one in segments),
        is_replayed=all(one.is_replayed for one in segments),
        reasoning_tokens=sum(one.reasoning_tokens for one in segments),
        cached_tokens=sum(one.cached_tokens for one in segments),
    )

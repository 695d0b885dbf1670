"""Get an answer that the program and the engine write together, a segment at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

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
    there what was written before it.
    """

    def __init__(self, in_flight: int) -> None:
        self._free = asyncio.Semaphore(in_flight)

    async def write(
        self, writing: Writing, request: Request, ask: Ask
    ) -> tuple[Request, Completion, int]:
        """Ask for the segments of an answer until it is whole.

        Args:
            request: of the attempt; each segment begins its answer.

        Returns:
            The request of the last segment, which holds all that was written before it, and a
            completion with the whole answer in a fence and the tokens of all segments; its text
            is "" where the writing failed. And how many segments there were.
        """
        async with self._free:
            return await _write(writing, request, ask)


async def _write(writing: Writing, request: Request, ask: Ask) -> tuple[Request, Completion, int]:
    asked, total, count = request, Completion("", "stop"), 0
    answer: Answer | None = None
    while True:
        try:
            segment = next(writing) if answer is None else writing.send(answer)
        except StopIteration as end:
            code: str | None = end.value
            text = "" if code is None else fence("python", code)
            return asked, replace(total, text=text), count
        asked = replace(
            request,
            begun=segment.begun,
            stop=segment.stop,
            max_tokens=min(segment.max_tokens, request.max_tokens),
            temperature=min(_HOTTEST, request.temperature + segment.hotter),
        )
        completion = await ask(asked)
        answer = Answer(completion.text, completion.is_truncated)
        total, count = _added(total, completion), count + 1


def _added(total: Completion, one: Completion) -> Completion:
    return replace(
        total,
        prompt_tokens=total.prompt_tokens + one.prompt_tokens,
        completion_tokens=total.completion_tokens + one.completion_tokens,
        attempts=max(total.attempts, one.attempts),
        is_replayed=one.is_replayed,
        reasoning_tokens=total.reasoning_tokens + one.reasoning_tokens,
        cached_tokens=total.cached_tokens + one.cached_tokens,
    )

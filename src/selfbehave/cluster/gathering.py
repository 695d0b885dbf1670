"""Collect single requests and answer them in groups."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ..engines.base import Completion, Request

__all__ = ["Answered", "Gathering"]

Answered = Completion | Exception | None


class Gathering:
    """Waits until no more requests arrive, then gets the waiting ones answered together.

    Args:
        answer_all: answers requests, in their order; an error for one that gets no answer, and
            None for one that was given up.
    """

    def __init__(
        self, answer_all: Callable[[Sequence[Request]], Awaitable[Sequence[Answered]]]
    ) -> None:
        self._answer_all = answer_all
        self._waiting: list[tuple[Request, asyncio.Future[Completion]]] = []
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, request: Request) -> Completion:
        """Answer a request, together with all that are asked at the same time.

        Raises:
            asyncio.CancelledError: it was given up.
            Anything that `answer_all` raises, or gives for it.
        """
        answered: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answered))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer())
        return await answered

    async def _answer(self) -> None:
        while self._waiting:
            count = 0
            while count < len(self._waiting):  # all tasks that can ask now do so within one turn
                count = len(self._waiting)
                await asyncio.sleep(0)
            together, self._waiting = self._waiting, []
            try:
                completions = await self._answer_all([request for request, _ in together])
            except asyncio.CancelledError:
                for _, answered in together:
                    answered.cancel()
                raise
            except Exception as error:  # noqa: BLE001 (raised again for each request)
                for _, answered in together:
                    if not answered.done():
                        answered.set_exception(error)
                continue
            for (_, answered), completion in zip(together, completions, strict=True):
                if answered.done():
                    continue
                if completion is None:
                    answered.cancel()
                elif isinstance(completion, Exception):
                    answered.set_exception(completion)
                else:
                    answered.set_result(completion)
        self._answering = None

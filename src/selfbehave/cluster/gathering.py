"""Collect single questions, requests or rows to judge, and answer them in groups."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Gathering"]

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Gathering(Generic[Asked, Answer]):
    """Waits until no more questions arrive, then gets the waiting ones answered together.

    Args:
        answer_all: answers questions, in their order; an error for one that gets no answer, and
            None for one that was given up.
    """

    def __init__(
        self,
        answer_all: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer | Exception | None]]],
    ) -> None:
        self._answer_all = answer_all
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, question: Asked) -> Answer:
        """Answer a question, together with all that are asked at the same time.

        Raises:
            asyncio.CancelledError: it was given up.
            Anything that `answer_all` raises, or gives for it.
        """
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answered))
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
                answers = await self._answer_all([question for question, _ in together])
            except asyncio.CancelledError:
                for _, answered in together:
                    answered.cancel()
                raise
            except Exception as error:  # noqa: BLE001 (raised again for each question)
                for _, answered in together:
                    if not answered.done():
                        answered.set_exception(error)
                continue
            for (_, answered), answer in zip(together, answers, strict=True):
                if answered.done():
                    continue
                if answer is None:
                    answered.cancel()
                elif isinstance(answer, Exception):
                    answered.set_exception(answer)
                else:
                    answered.set_result(answer)
        self._answering = None

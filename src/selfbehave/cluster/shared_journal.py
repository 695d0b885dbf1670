"""A run's journal for all workers of a cluster: one actor holds it, on the driver's machine.

An answer is on that machine's disk before its request counts as answered, so no answer is lost
with a worker. The journal is the same as that of a run on one machine: each can continue the
other's run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ..core.locks import InUseError
from ..core.spending import Spending
from ..engines import Completion, Journal, Kept, Request
from ..engines.journal import Answering
from ..events.events import ParameterRefused
from .worker_errors import original_errors

__all__ = ["ClusterJournal"]

_FREED_WITHIN = 20  # seconds until the processes of a killed driver are gone


class ClusterJournal:
    """The journal for the driver. Workers use its `keeper`."""

    def __init__(self, batch_dir: Path) -> None:
        self.damaged = 0
        node = ray.get_runtime_context().get_node_id()
        self.keeper: Any = (
            ray.remote(Keeper)
            .options(
                num_cpus=0,
                max_restarts=-1,
                max_task_retries=-1,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
            )
            .remote(str(batch_dir.absolute()))
        )

    def __enter__(self) -> ClusterJournal:
        with original_errors():
            ray.get(self.keeper.open.remote())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            ray.get(self.keeper.close.remote())
        finally:
            ray.kill(self.keeper)

    async def unanswered(self, keys: Sequence[str]) -> list[bool]:
        """The requests that have no answer yet."""
        with original_errors():
            flags, damaged = await self.keeper.unanswered.remote(list(keys))
        self.damaged += damaged
        return list(flags)

    async def find(self, keys: Sequence[str]) -> list[Completion | None]:
        """The answers for keys of requests. Those kept since it was opened are not replayed."""
        with original_errors():
            answers, _ = await self.keeper.find.remote(list(keys))
        return list(answers)

    async def spent(self) -> Spending:
        """What all answers in the journal took."""
        with original_errors():
            spent: Spending = await self.keeper.spent.remote()
        return spent

    async def refused(self) -> list[ParameterRefused]:
        """The parameters that servers refused, to the workers' knowledge; each is told once."""
        with original_errors():
            return list(await self.keeper.refused.remote())

    def break_off(self) -> None:
        """Stop the workers from sending more requests."""
        self.keeper.break_off.remote("")

    async def ask(self, engine: Answering, request: Request) -> Completion:
        """Answer a request from the journal, or else ask the engine and store the answer."""
        key = request.key(engine)
        with original_errors():
            (known,), damaged = await self.keeper.find.remote([key])
            self.damaged += damaged
            answer: Completion = known or await ask_anew(self.keeper, engine, request, key)
        return answer


async def ask_anew(keeper: Any, engine: Answering, request: Request, key: str) -> Completion:
    """Get the engine's answer in this process; return once the answer is on disk."""
    asked_at = time.time()
    completion = await engine.complete(request)
    kept = Kept(key, engine.identity, engine.api, request, completion, asked_at)
    if await keeper.keep.remote([kept]):
        engine.stop_retrying()
    return completion


class Keeper:
    """The actor that holds the journal. It may be restarted: its whole state is on disk."""

    def __init__(self, batch_dir: str) -> None:
        self._batch_dir = Path(batch_dir)
        self._journal: Journal | None = None
        self._opening = asyncio.Lock()
        self._is_broken_off = False
        self._fault = ""
        self._refused: dict[ParameterRefused, bool] = {}  # whether the driver was told
        self._new: set[str] = set()  # keys of answers that the driver has not seen yet

    async def open(self) -> None:
        await self._opened()

    async def close(self) -> None:
        if self._journal is not None:
            self._journal.__exit__(None, None, None)
            self._journal = None

    async def find(self, keys: Sequence[str]) -> tuple[list[Completion | None], int]:
        """The answers, and how many kept answers were damaged."""
        journal = await self._opened()
        before = journal.damaged
        return [self._seen(key, journal.find(key)) for key in keys], journal.damaged - before

    async def spent(self) -> Spending:
        return await (await self._opened()).spent()

    async def unanswered(self, keys: Sequence[str]) -> tuple[list[bool], int]:
        """The keys without an answer (none once work is broken off), and the number damaged."""
        if self._is_broken_off:
            return [False] * len(keys), 0
        journal = await self._opened()
        before = journal.damaged
        return [journal.find(key) is None for key in keys], journal.damaged - before

    async def keep(self, answers: Sequence[Kept]) -> bool:
        """Store answers; once they are on disk, return whether the work is broken off."""
        journal = await self._opened()
        await asyncio.gather(*map(journal.keep, answers))
        self._new.update(answer.key for answer in answers)
        return self._is_broken_off

    async def break_off(self, fault: str) -> None:
        """Stop all further requests.

        Args:
            fault: an `error_text`, or "". Only the first one is kept.
        """
        self._is_broken_off = True
        self._fault = self._fault or fault

    async def fault(self) -> str:
        return self._fault

    async def note_refused(self, events: Sequence[ParameterRefused]) -> None:
        """Note what a worker learned of its server."""
        for event in events:
            self._refused.setdefault(event, False)

    async def refused(self) -> list[ParameterRefused]:
        """What was noted since the last call; several workers may have noted the same."""
        new = [event for event, is_told in self._refused.items() if not is_told]
        self._refused.update(dict.fromkeys(new, True))
        return new

    def _seen(self, key: str, answer: Completion | None) -> Completion | None:
        if answer is None or key not in self._new:
            return answer
        self._new.remove(key)
        return replace(answer, is_replayed=False)

    async def _opened(self) -> Journal:
        async with self._opening:
            if self._journal is None:
                self._journal = await self._open()
            return self._journal

    async def _open(self) -> Journal:
        """Open the journal. A driver that was killed may hold it for a few more seconds."""
        for _ in range(_FREED_WITHIN):
            with suppress(InUseError):
                return Journal(self._batch_dir)
            await asyncio.sleep(1.0)
        return Journal(self._batch_dir)

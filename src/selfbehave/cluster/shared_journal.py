"""A run's journal for all workers of a cluster: one process holds it, on the driver's machine.

An answer is on that machine's disk before its request counts as answered, so a worker that is lost
takes no answer with it. The journal is the one that a run on one machine has: either goes on where
the other was.
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
from ..engines import Client, Completion, Journal, Kept, Request
from .worker_errors import as_of_here

__all__ = ["ClusterJournal"]

_FREED_WITHIN = 20  # seconds until the processes of a killed driver are gone


class ClusterJournal:
    """The journal as the driver has it; `keeper` is what workers are given of it."""

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
        with as_of_here():
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
        """Which requests are yet to be asked."""
        with as_of_here():
            flags, damaged = await self.keeper.unanswered.remote(list(keys))
        self.damaged += damaged
        return list(flags)

    async def find(self, keys: Sequence[str]) -> list[Completion | None]:
        """The answers of requests' keys; those kept since it was opened are not replayed ones."""
        with as_of_here():
            answers, _ = await self.keeper.find.remote(list(keys))
        return list(answers)

    def break_off(self) -> None:
        """Let the workers ask for nothing more."""
        self.keeper.break_off.remote("")

    async def ask(self, engine: Client, request: Request) -> Completion:
        """Answer a request from the journal, or else by the engine, and then keep the answer."""
        key = request.key(engine)
        with as_of_here():
            (known,), damaged = await self.keeper.find.remote([key])
            self.damaged += damaged
            answer: Completion = known or await ask_anew(self.keeper, engine, request, key)
        return answer


async def ask_anew(keeper: Any, engine: Client, request: Request, key: str) -> Completion:
    """Have the engine answer, from any process, and return once the answer is on disk."""
    asked_at = time.time()
    completion = await engine.complete(request)
    kept = Kept(key, engine.identity, engine.api, request, completion, asked_at)
    if await keeper.keep.remote([kept]):
        engine.stop_retrying()
    return completion


class Keeper:
    """The process that holds the journal. It may be restarted: all it knows is on disk."""

    def __init__(self, batch_dir: str) -> None:
        self._batch_dir = Path(batch_dir)
        self._journal: Journal | None = None
        self._opening = asyncio.Lock()
        self._is_broken_off = False
        self._fault = ""
        self._new: set[str] = set()  # keys of answers that the driver has not seen

    async def open(self) -> None:
        await self._opened()

    async def close(self) -> None:
        if self._journal is not None:
            self._journal.__exit__(None, None, None)
            self._journal = None

    async def find(self, keys: Sequence[str]) -> tuple[list[Completion | None], int]:
        """The answers, and how many were found to be damaged."""
        journal = await self._opened()
        before = journal.damaged
        return [self._seen(key, journal.find(key)) for key in keys], journal.damaged - before

    async def unanswered(self, keys: Sequence[str]) -> tuple[list[bool], int]:
        """Which are yet to be asked, none once it was broken off; and how many are damaged."""
        if self._is_broken_off:
            return [False] * len(keys), 0
        journal = await self._opened()
        before = journal.damaged
        return [journal.find(key) is None for key in keys], journal.damaged - before

    async def keep(self, answers: Sequence[Kept]) -> bool:
        """Return, once they are on disk, whether no more are to be asked for."""
        journal = await self._opened()
        await asyncio.gather(*map(journal.keep, answers))
        self._new.update(answer.key for answer in answers)
        return self._is_broken_off

    async def break_off(self, fault: str) -> None:
        """Let no further request be asked.

        Args:
            fault: as `told` makes it, "" where there is none; the first is kept.
        """
        self._is_broken_off = True
        self._fault = self._fault or fault

    async def fault(self) -> str:
        return self._fault

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
        """Open the journal; a driver that was killed may hold it for a few seconds more."""
        for _ in range(_FREED_WITHIN):
            with suppress(InUseError):
                return Journal(self._batch_dir)
            await asyncio.sleep(1.0)
        return Journal(self._batch_dir)

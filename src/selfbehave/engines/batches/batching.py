"""Requests answered in batches: collected until nothing else goes on, sent, awaited, kept.

A batch goes once every item that is being answered waits for an answer: so it holds all requests
that are ready, first attempts as well as later ones. Each item then goes on with its answer, and
those that ask again make the next batch.

Batches that an earlier command sent are awaited like its own: the same requests are never sent
again while a batch holds them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ...core.errors import EXIT_USAGE, SelfBehaveError
from ...core.files import write_bytes
from ...core.spending import BudgetEnd, Spending
from ...events.events import BatchMoved, BatchOver, Emit
from ..base import Completion, Request
from ..budget import BudgetEndError, Purse
from ..client import Client
from ..journal import Journal, Kept
from ..providers.openai_compatible import OpenAICompatibleEngine
from .endpoints import BatchServer, BatchState
from .lines import MOST_LINES, files_of, line_of, results_in
from .log import BatchLog, OpenBatch, Step

__all__ = ["BatchSettings", "Batching", "CarriedError"]


class CarriedError(Exception):
    """The requests that wait were written to files, which the user carries to a server.

    Attributes:
        files: the paths of the files.
        requests: the number of requests in them.
    """

    def __init__(self, files: Sequence[Path], requests: int) -> None:
        super().__init__(", ".join(map(str, files)))
        self.files = files
        self.requests = requests


@dataclass(frozen=True)
class BatchSettings:
    """How batches are made.

    Attributes:
        window: how long the server may take, in its own words.
        poll: seconds between two looks at a batch.
        most_lines: requests in a file, at most.
        carry_to: a file to write instead of sending batches; the user carries it to a server.
    """

    window: str = "24h"
    poll: float = 30.0
    most_lines: int = MOST_LINES
    carry_to: Path | None = None


@dataclass
class _Waiting:
    """A request that waits for its answer."""

    key: str
    request: Request
    place: int
    answered: asyncio.Future[Completion]
    reserved: Spending | None = None
    is_sent: bool = False


class Batching:
    """Answers the requests of a stage in batches (see the module).

    Attributes:
        end: the limit of the budget that allowed no further request; None if none did.

    Args:
        journal: where answers are found and kept.
        engine: answers what no batch answered; its first server takes the batches.
        is_collecting: whether requests are made into new batches. If not, those in batches of
            earlier commands are awaited, and `ask_now` gets the others.
        ask_now: answers a request at once, from the journal or by the engine.
        purse: what the run may spend; None without limits.
        emit: called with an event for each step of a batch.

    Raises:
        SelfBehaveError: the engine has no server that takes batches, or one of an earlier command
            is in flight elsewhere.
    """

    def __init__(
        self,
        journal: Journal,
        engine: Client,
        log: BatchLog,
        settings: BatchSettings,
        *,
        is_collecting: bool,
        ask_now: Callable[[Request, int], Awaitable[Completion]],
        purse: Purse | None,
        emit: Emit,
    ) -> None:
        provider = engine.engines[0]
        if not isinstance(provider, OpenAICompatibleEngine):
            raise SelfBehaveError(
                f"--batch needs an OpenAI-compatible server, and {engine.identity} is none",
                mend="leave --batch out, or give --engine http(s)://…/v1",
                exit_code=EXIT_USAGE,
            )
        self._provider = provider
        self._server = BatchServer(
            provider.server.address, provider.server.headers, engine.max_wait
        )
        self._journal = journal
        self._engine = engine
        self._log = log
        self._settings = settings
        self._is_collecting = is_collecting
        self._ask_now = ask_now
        self._purse = purse
        self._emit = emit
        self._items = 0
        self._waiting: dict[str, _Waiting] = {}
        self._in_batches: dict[str, OpenBatch] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusal: Exception | None = None
        self._has_asked = self._will_consider = False
        self.end: BudgetEnd | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Batching]:
        """Go on with the batches of earlier commands; at the end leave those in flight behind."""
        async with self._server.opened():
            for batch in self._log.open_batches():
                self._check(batch)
                self._in_batches |= dict.fromkeys(batch.requests, batch)
                self._start(self._carry_through(batch, self._hold(batch)))
            try:
                yield self
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextmanager
    def answering_item(self) -> Iterator[None]:
        """Tell that an item is being answered: no batch goes before it waits or has ended."""
        self._items += 1
        try:
            yield
        finally:
            self._items -= 1
            self._consider_soon()

    async def ask(self, request: Request, place: int) -> Completion:
        """Answer a request, from the journal or by a batch.

        Args:
            place: of its item in the stage's order.

        Raises:
            BudgetEndError: the budget allows no further request.
            SelfBehaveError: the batch failed, or the engine refused the request.
            Anything that `close` was given.
        """
        key = request.key(self._engine)
        if not self._is_collecting and key not in self._in_batches:
            return await self._ask_now(request, place)
        if (known := self._journal.find(key)) is not None:
            return known
        if self._refusal is not None:
            raise self._refusal
        answered: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        one = self._waiting[key] = _Waiting(key, request, place, answered)
        one.is_sent = key in self._in_batches
        self._consider_soon()
        try:
            return await answered
        finally:
            self._waiting.pop(key, None)

    def begin_stage(self, ask_now: Callable[[Request, int], Awaitable[Completion]]) -> None:
        """Take requests of another stage: they may cost less than the budget has left."""
        self._ask_now = ask_now
        self._refusal = self.end = None

    def close(self, refusal: Exception) -> None:
        """Refuse requests from now on, and those that wait for a batch. Batches stay in flight."""
        self._refusal = self._refusal or refusal
        for one in list(self._waiting.values()):
            if not one.answered.done() and (not one.is_sent or one.key in self._in_batches):
                one.answered.set_exception(self._refusal)

    def _check(self, batch: OpenBatch) -> None:
        mend = "or forget it, with all that it may have cost: selfbehave batch drop"
        if batch.step is Step.CARRIED:
            raise SelfBehaveError(
                f"{len(batch.requests)} requests are in a file that you carry",
                where=batch.address,
                mend=f"read its answers with: selfbehave batch read, {mend}",
            )
        if batch.address != self._server.place:
            raise SelfBehaveError(
                f"the batch {batch.batch_id or batch.name} is in flight at {batch.address}",
                where=self._server.place,
                mend=f"go on with that address, {mend}",
            )

    def _hold(self, batch: OpenBatch) -> dict[str, Spending]:
        """What the budget keeps for the requests of a batch that is in flight."""
        if self._purse is None:
            return {}
        return {key: self._purse.hold(request) for key, request in batch.requests.items()}

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _consider_soon(self) -> None:
        # Not at once: all items that can ask now do so within one turn of the loop.
        if self._is_collecting and not self._will_consider:
            self._will_consider = True
            asyncio.get_running_loop().call_soon(self._consider)

    def _consider(self) -> None:
        """Send all requests that wait, once every item waits."""
        self._will_consider = False
        waiting = [one for one in self._waiting.values() if not one.answered.done()]
        ready = [one for one in waiting if not one.is_sent]
        if not ready or len(waiting) < self._items or self._refusal is not None:
            return
        ready.sort(key=lambda one: one.place)
        sent = self._within_budget(ready)
        if not sent:
            return
        for one in sent:
            one.is_sent = True
        self._start(self._send_or_refuse(sent))

    def _within_budget(self, ready: list[_Waiting]) -> list[_Waiting]:
        """The first requests that the budget holds for; the others wait for answers in flight."""
        if self._purse is None:
            return ready
        for number, one in enumerate(ready):
            try:
                one.reserved = self._purse.reserve(one.request)
            except BudgetEndError as error:
                if not number and not self._purse.is_waiting:
                    self.end = error.end
                    self.close(error)
                return ready[:number]
        return ready

    async def _send_or_refuse(self, ready: list[_Waiting]) -> None:
        try:
            await self._send(ready)
        except Exception as error:  # noqa: BLE001 (raised again for each request that waits)
            self._refuse(ready, error)

    async def _send(self, ready: list[_Waiting]) -> None:
        """Send requests: in files, or at once if there is only one.

        The first request of all goes at once too: what the server refuses in it would be refused
        in each line of a batch.
        """
        if self._settings.carry_to is not None:
            self._write(ready, self._settings.carry_to)
        alone = ready[:1] if len(ready) == 1 or not self._has_asked else []
        self._has_asked = True
        for one in alone:
            await self._answer_alone(one)
            # A refusal ends the run, and so does an interrupt that came meanwhile.
            if error := _error_of(one) or self._refusal:
                self._refuse(ready, error)
                return
        rest = {one.key: one for one in ready[len(alone) :]}
        lines = (
            (key, line_of(key, self._engine.api, self._provider.batch_body(one.request)))
            for key, one in rest.items()
        )
        for keys, content in files_of(lines, self._settings.most_lines):
            batch = self._log.write(
                self._engine.identity,
                self._engine.api,
                self._server.place,
                {key: rest[key].request for key in keys},
            )
            self._emit(BatchMoved(batch.name, "written", len(keys)))
            self._in_batches |= dict.fromkeys(keys, batch)
            reserved = {key: kept for key in keys if (kept := rest[key].reserved) is not None}
            self._start(self._carry_through(batch, reserved, content))

    def _write(self, ready: list[_Waiting], path: Path) -> NoReturn:
        """Write requests to files, for a user who carries them.

        Raises:
            CarriedError: they are written.
        """
        requests = {one.key: one.request for one in ready}
        lines = (
            (key, line_of(key, self._engine.api, self._provider.batch_body(request)))
            for key, request in requests.items()
        )
        files: list[Path] = []
        for keys, content in files_of(lines, self._settings.most_lines):
            file = path.with_stem(f"{path.stem}-{len(files) + 1}") if files else path
            write_bytes(file, content)
            files.append(file)
            of_file = {key: requests[key] for key in keys}
            identity, api = self._engine.identity, self._engine.api
            self._log.write(identity, api, str(file), of_file, Step.CARRIED)
        raise CarriedError(files, len(requests))

    async def _carry_through(
        self, batch: OpenBatch, reserved: Mapping[str, Spending], content: bytes | None = None
    ) -> None:
        """Take a batch from where it is to its end; its requests get their answers or its error."""
        try:
            await self._follow(batch, dict(reserved), content)
        except Exception as error:  # noqa: BLE001 (raised again for each request that waits)
            waiting = [self._waiting[key] for key in batch.requests if key in self._waiting]
            self._refuse(waiting, error)

    async def _follow(
        self, batch: OpenBatch, reserved: dict[str, Spending], content: bytes | None
    ) -> None:
        size = len(batch.requests)
        file_id, batch_id = batch.file_id, batch.batch_id
        if file_id is None:
            if content is None:
                content = b"".join(
                    line_of(key, batch.api, self._provider.batch_body(request))
                    for key, request in batch.requests.items()
                )
            file_id = await self._server.upload(batch.name, content)
            self._log.uploaded(batch.name, file_id)
            self._emit(BatchMoved(batch.name, "uploaded", size))
        if batch_id is None:
            may_be_begun = batch.step is Step.BEGUN
            self._log.begun(batch.name)
            batch_id = await self._server.begin(
                batch.name,
                file_id,
                batch.api,
                self._settings.window,
                may_be_begun=may_be_begun,
            )
            self._log.sent(batch.name, batch_id)
        state = await self._watched(batch_id, size)
        if state.status == "failed" and not state.files:
            self._log.over(batch.name, state.status)
            self._forget(batch, reserved)
            raise SelfBehaveError(
                f"the server refused the batch {batch_id}: {state.words or 'it gives no reason'}",
                where=self._server.place,
                mend="change what it objects to; the same command continues",
                goes_on=True,
            )
        await self._collect(batch, state, reserved)

    async def _watched(self, batch_id: str, size: int) -> BatchState:
        """Look at a batch until it is over; tell of each change."""
        told: BatchState | None = None
        while True:
            state = await self._server.look(batch_id)
            if state != told:
                told = state
                moved = (batch_id, state.status, size, state.completed, state.failed)
                self._emit(BatchMoved(*moved))
            if state.is_over:
                return state
            await asyncio.sleep(self._settings.poll)

    async def _collect(
        self, batch: OpenBatch, state: BatchState, reserved: dict[str, Spending]
    ) -> None:
        """Keep the answers of a batch that is over; what has none is asked alone."""
        lines = await self._server.lines(state)
        results = results_in(lines, batch.requests, self._server.place)
        now = time.time()
        await asyncio.gather(
            *(
                self._journal.keep(
                    Kept(
                        key,
                        batch.engine,
                        batch.api,
                        batch.requests[key],
                        completion,
                        batch.written_at,
                        now,
                    )
                )
                for key, completion in results.answers.items()
            )
        )
        self._log.over(batch.name, state.status)
        for key, completion in results.answers.items():
            if self._purse is not None:
                self._purse.settle(reserved.pop(key, Spending()), batch.requests[key], completion)
        lacking = [key for key in batch.requests if key not in results.answers]
        is_cancelled = state.status == "cancelled"
        again = [self._waiting[key] for key in lacking if key in self._waiting and not is_cancelled]
        for one in again:
            one.reserved = reserved.pop(one.key, None)
        self._forget(batch, reserved)
        counts = (len(results.answers), len(lacking), results.ignored)
        self._emit(BatchOver(state.id, state.status, *counts))
        for key, completion in results.answers.items():
            if key in self._waiting and not self._waiting[key].answered.done():
                self._waiting[key].answered.set_result(completion)
        if is_cancelled and lacking:
            raise SelfBehaveError(
                f"the batch {state.id} was cancelled: {len(lacking)} requests have no answer",
                where=self._server.place,
                mend="the same command asks them again",
                goes_on=True,
            )
        self._consider_soon()  # the budget may hold for more now
        await asyncio.gather(*map(self._answer_alone, again))

    async def _answer_alone(self, one: _Waiting) -> None:
        """Ask the engine for a single request, and keep its answer."""
        asked_at = time.time()
        try:
            completion = await self._engine.complete(one.request)
            identity, api = self._engine.identity, self._engine.api
            kept = Kept(one.key, identity, api, one.request, completion, asked_at)
            await self._journal.keep(kept)
        except BaseException as error:
            if self._purse is not None and one.reserved is not None:
                self._purse.release(one.reserved)
            if not isinstance(error, SelfBehaveError):
                raise
            self._refuse([one], error)
            return
        if self._purse is not None and one.reserved is not None:
            self._purse.settle(one.reserved, one.request, completion)
        if not one.answered.done():
            one.answered.set_result(completion)

    def _forget(self, batch: OpenBatch, reserved: Mapping[str, Spending]) -> None:
        """A batch is over: its requests are in none, and nothing is kept for them."""
        for key in batch.requests:
            self._in_batches.pop(key, None)
        for kept in reserved.values():
            if self._purse is not None:
                self._purse.release(kept)

    def _refuse(self, waiting: list[_Waiting], error: Exception | None) -> None:
        for one in waiting:
            if error is not None and not one.answered.done():
                one.answered.set_exception(error)


def _error_of(one: _Waiting) -> Exception | None:
    error = one.answered.exception() if one.answered.done() else None
    return error if isinstance(error, Exception) else None

"""The client of every engine: it retries, limits the requests in flight and emits events."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.spending import Budget
from ..events.events import Emit, ignore
from .base import Completion, Engine, Request
from .contact import Contact
from .pool import Pool
from .retrying import Retrying
from .watch import AnswerWatch

__all__ = ["REQUIRED", "Client", "check_limits"]

# What every engine must have.
REQUIRED = ("identity", "api", "takes_grammar", "notice", "address", "runs_here", "complete")


class Client(Engine):
    """An engine that wraps another engine, or several engines of the same model.

    It retries an attempt that raises `TryAgainError` or takes longer than `request_timeout`. It
    pauses between attempts and stops `max_wait` seconds after a request's first failure. A
    `SelfBehaveError` is final: the client sends no more requests. With several engines, each
    attempt goes to the least loaded one. An unavailable engine rests until it answers again.

    Args:
        engines: at least one; all have the same identity and endpoint kind.
        request_batch_size: requests in flight at once, at all engines together.
        max_wait: seconds to keep retrying one request.
        request_timeout: seconds to wait for one complete answer before retrying.
        budget: how much a run may spend at it; the run sees to it, not the client.
        emit: called with events about requests in flight, retries, and a server that stops or
            resumes answering.

    Raises:
        SelfBehaveError: a number is too low, or something is not an engine.
    """

    def __init__(
        self,
        *engines: Engine,
        request_batch_size: int = 5,
        max_wait: float = 600.0,
        request_timeout: float = 600.0,
        budget: Budget | None = None,
        emit: Emit = ignore,
    ) -> None:
        check_limits(request_batch_size, request_timeout)
        for engine in engines:
            _check(engine, engines[0])
        first = engines[0]
        self.identity = first.identity
        self.api = first.api
        self.takes_grammar = first.takes_grammar
        self.takes_begun = first.takes_begun
        self.additions = getattr(first, "additions", {})
        self.notice = first.notice
        self.address = ", ".join(sorted(filter(None, (one.address for one in engines)))) or None
        self.runs_here = first.runs_here
        self.engines = engines
        self.request_batch_size = request_batch_size
        self.max_wait = max_wait
        self.request_timeout = request_timeout
        self.budget = budget or Budget()
        self._emit = emit
        self._opened = AsyncExitStack()
        self._work: _Work | None = None

    def emitting(self, emit: Emit) -> Client:
        """A client with the same engines and limits that sends its events elsewhere."""
        return Client(
            *self.engines,
            request_batch_size=self.request_batch_size,
            max_wait=self.max_wait,
            request_timeout=self.request_timeout,
            budget=self.budget,
            emit=emit,
        )

    @property
    def class_name(self) -> str:
        """The class of the engines, with its module."""
        kind = type(self.engines[0])
        return f"{kind.__module__}.{kind.__qualname__}"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:
            for engine in self.engines:
                await opened.enter_async_context(engine)
            self._opened = opened.pop_all()
        self._work = _Work(self, self._emit)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._work = None
        await self._opened.__aexit__(kind, error, traceback)

    async def complete(self, request: Request) -> Completion:
        """Get a request answered, with as many attempts as needed.

        Raises:
            SelfBehaveError: an engine refused the request, or was unavailable for too long.
        """
        return await self._working.complete(request)

    def stop_retrying(self) -> None:
        """Stop retries; requests in flight may still be answered."""
        self._working.retrying.stop()

    @property
    def _working(self) -> _Work:
        if self._work is None:
            raise RuntimeError("a client is used within `async with`")
        return self._work


class _Work:
    """What a client keeps while it is open, in one event loop."""

    def __init__(self, client: Client, emit: Emit) -> None:
        self._contact = Contact(client.address or client.identity, emit)
        pool = Pool(client.engines, client.request_timeout)
        self.retrying = Retrying(pool, self._contact, client.max_wait)
        self._watch = AnswerWatch(client.engines, emit)
        self._free = asyncio.Semaphore(client.request_batch_size)
        # A permanent failure ends the run when it is committed; until then, send nothing more.
        self._failure: SelfBehaveError | None = None

    async def complete(self, request: Request) -> Completion:
        async with self._free:
            self.retrying.refuse_if_stopping()
            if self._failure is not None:
                raise self._failure
            try:
                self._watch.refuse_if_useless(request)
                with self._contact.in_flight():
                    completion = await self.retrying.complete(request)
            except SelfBehaveError as error:
                self._failure = error
                raise
            finally:
                self._watch.tell_changes()
            self._watch.note(request, completion)
            return completion


def check_limits(request_batch_size: int, request_timeout: float) -> None:
    """Refuse limits that allow no requests.

    Raises:
        SelfBehaveError: a limit allows no requests.
    """
    if request_batch_size < 1:
        raise SelfBehaveError("--request_batch_size must be at least 1", exit_code=EXIT_USAGE)
    if not request_timeout > 0:
        raise SelfBehaveError("--request_timeout must be more than 0", exit_code=EXIT_USAGE)


def _check(engine: Engine, first: Engine) -> None:
    lacking = [name for name in REQUIRED if not hasattr(engine, name)]
    if lacking:
        raise SelfBehaveError(
            f"not an engine: {type(engine).__name__} has no {' and no '.join(lacking)}",
            mend="make it a subclass of selfbehave.Engine, which has defaults for most",
        )
    if (engine.identity, engine.api) != (first.identity, first.api):
        raise SelfBehaveError(
            f"the engines are of different models: {first.identity} ({first.api}) and "
            f"{engine.identity} ({engine.api})",
            mend="give engines of one model",
        )

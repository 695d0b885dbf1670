"""A budget while a run asks: what is spent, what is in flight, and which request goes next.

A request goes only if the budget holds for the longest answer that it may have. So a budget is
never exceeded, and it always counts requests in flight.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence
from itertools import count

from ..core.errors import SelfBehaveError
from ..core.spending import Budget, BudgetEnd, Spending, estimated_tokens
from .base import Completion, Engine, Request
from .journal import Answering

__all__ = ["BudgetEndError", "BudgetGate", "Gated", "Purse", "budget_refusal", "spent_by"]

# Tokens of a prompt for each byte of it, before an answer has told. English and code have about
# 0.3; a wrong guess holds a request back only while others are in flight.
_FIRST_GUESS = 0.5
_MARGIN = 1.1  # over the densest prompt so far
_TEMPLATE_TOKENS = 16  # what a chat template adds to a short prompt


class BudgetEndError(Exception):
    """The budget allows no further request; `end` says which of its limits."""

    def __init__(self, end: BudgetEnd) -> None:
        super().__init__(f"{end.limit} {end.most:g}")
        self.end = end


def budget_refusal(end: BudgetEnd, lacking: str) -> SelfBehaveError:
    """The error of work that cannot go on within its budget.

    Args:
        lacking: what is missing for want of answers, in a clause.
    """
    return SelfBehaveError(
        f"--{end.limit} {end.most:g} allows no further request, and {lacking}",
        mend=f"give the same command a larger --{end.limit}; what is answered is kept",
    )


class Purse:
    """What a run has spent, and what its requests in flight may cost at most.

    Attributes:
        budget: the limits.
        spent: by all answers in the run's journal.

    Args:
        spent: by the answers that the journal holds at the beginning.
        thinking_tokens: what an engine may write beyond the limit of an answer.
    """

    def __init__(self, budget: Budget, spent: Spending, thinking_tokens: int = 0) -> None:
        self.budget = budget
        self.spent = spent
        self._in_flight = Spending()
        self._thinking_tokens = thinking_tokens
        self._density: float | None = None  # tokens for each byte, of the densest prompt so far

    @property
    def is_waiting(self) -> bool:
        """Whether requests are in flight, whose answers may cost less than is kept for them."""
        return self._in_flight.requests > 0

    def reserve(self, request: Request) -> Spending:
        """Keep what a request may cost at most, until it is settled or released.

        Raises:
            BudgetEndError: the budget does not hold for it, beside all that is in flight.
        """
        most = self._most_of(request)
        if end := self.budget.exceeded_by(self.spent + self._in_flight + most):
            raise BudgetEndError(end)
        self._in_flight += most
        return most

    def hold(self, request: Request) -> Spending:
        """Keep what a request may cost that is in flight already, whatever the budget says."""
        most = self._most_of(request)
        self._in_flight += most
        return most

    def settle(self, reserved: Spending, request: Request, completion: Completion) -> None:
        """Replace what was kept for a request by what its answer cost."""
        self._in_flight -= reserved
        self.spent += spent_by(request, completion)
        if completion.prompt_tokens:
            density = completion.prompt_tokens / max(1, len(_bytes_of(request.transcript)))
            self._density = max(self._density or 0.0, density)

    def release(self, reserved: Spending) -> None:
        """Give back what was kept for a request that got no answer."""
        self._in_flight -= reserved

    def affordable(self, requests: Sequence[Request]) -> Sequence[Request]:
        """The first requests, as many as the budget holds for together; nothing is kept for them.

        Raises:
            BudgetEndError: it holds for none of them.
        """
        kept: list[Spending] = []
        try:
            for request in requests:
                kept.append(self.reserve(request))
        except BudgetEndError:
            if not kept:
                raise
        finally:
            for one in kept:
                self.release(one)
        return requests[: len(kept)]

    def _most_of(self, request: Request) -> Spending:
        return Spending(
            requests=1,
            prompt_tokens=self._most_tokens_of(request.transcript),
            completion_tokens=request.max_tokens + self._thinking_tokens,
        )

    def _most_tokens_of(self, text: str) -> int:
        density = _FIRST_GUESS if self._density is None else self._density * _MARGIN
        return int(len(_bytes_of(text)) * density) + _TEMPLATE_TOKENS


def spent_by(request: Request, completion: Completion) -> Spending:
    """What an answer took; estimated from its length if the server did not count its tokens."""
    if completion.prompt_tokens or completion.completion_tokens:
        return Spending(
            1,
            completion.prompt_tokens,
            completion.cached_tokens,
            completion.completion_tokens,
            completion.reasoning_tokens,
        )
    return Spending(
        requests=1,
        prompt_tokens=estimated_tokens(request.transcript),
        completion_tokens=estimated_tokens(completion.text),
        uncounted=1,
    )


class BudgetGate:
    """Lets the requests of a stage through to the engine while the budget holds for them.

    The item that comes first in the stage's order goes first. So when the budget ends, the answers
    that it paid for belong to the first items, which can be committed. A request that does not fit
    beside those in flight waits for their answers. Once one does not fit with nothing in flight,
    the budget has ended, for all requests of the stage.

    Attributes:
        purse: what is spent, and what requests in flight may cost.
        end: the limit that ended the budget; None while it has not ended.

    Args:
        at_once: how many requests the engine takes.
    """

    def __init__(self, purse: Purse, at_once: int) -> None:
        self.purse = purse
        self.end: BudgetEnd | None = None
        self._at_once = at_once
        self._in_flight = 0
        self._arrivals = count()
        self._waiting: list[tuple[int, int, Request, asyncio.Future[Spending]]] = []
        self._refusal: Exception | None = None

    def before(self, engine: Answering, place: int) -> Gated:
        """An engine whose requests pass this gate.

        Args:
            place: of the item in the stage's order.
        """
        return Gated(engine, self, place)

    async def complete(self, engine: Answering, request: Request, place: int) -> Completion:
        """Get a request answered once its turn comes.

        Raises:
            BudgetEndError: the budget allows no further request.
            Anything that `close` was given, or that the engine raises.
        """
        reserved = await self._entry(request, place)
        try:
            completion = await engine.complete(request)
        except BaseException:
            self.purse.release(reserved)
            raise
        else:
            self.purse.settle(reserved, request, completion)
        finally:
            self._in_flight -= 1
            self._let_in()
        return completion

    def close(self, refusal: Exception) -> None:
        """Let nothing more through: all requests that wait, and all later ones, raise an error."""
        self._refusal = self._refusal or refusal
        for *_, entry in self._waiting:
            if not entry.done():
                entry.set_exception(self._refusal)
        self._waiting.clear()

    async def _entry(self, request: Request, place: int) -> Spending:
        """Wait for a request's turn; what is kept for it."""
        if self._refusal is not None:
            raise self._refusal
        entry: asyncio.Future[Spending] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (place, next(self._arrivals), request, entry))
        # Not at once: items that ask in the same turn of the loop go in the order of their places.
        asyncio.get_running_loop().call_soon(self._let_in)
        try:
            return await entry
        except asyncio.CancelledError:
            if entry.done() and not entry.cancelled() and entry.exception() is None:
                self.purse.release(entry.result())
                self._in_flight -= 1
                self._let_in()
            raise

    def _let_in(self) -> None:
        while self._waiting and self._in_flight < self._at_once:
            *_, request, entry = self._waiting[0]
            if entry.done():  # cancelled
                heapq.heappop(self._waiting)
                continue
            try:
                reserved = self.purse.reserve(request)
            except BudgetEndError as error:
                if not self.purse.is_waiting:
                    self.end = error.end
                    self.close(error)
                return
            heapq.heappop(self._waiting)
            self._in_flight += 1
            entry.set_result(reserved)


class Gated(Engine):
    """An engine behind a gate, for one item: what the journal asks."""

    def __init__(self, engine: Answering, gate: BudgetGate, place: int) -> None:
        self.identity = engine.identity
        self.api = engine.api
        self._engine = engine
        self._gate = gate
        self._place = place

    async def complete(self, request: Request) -> Completion:
        """Get a request answered once its turn comes (see `BudgetGate.complete`)."""
        return await self._gate.complete(self._engine, request, self._place)

    def stop_retrying(self) -> None:
        """Stop retries; requests in flight may still be answered."""
        self._engine.stop_retrying()


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "replace")

"""Many items in flight, committed in order, which makes a concurrent run reproducible."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

__all__ = ["NoAnswerError", "commit_in_order", "default_lag", "growing_lag"]

_LEAST_LAG = 6  # the start of a growing lag: the default number in flight, plus one

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_lag(concurrency: int, *, is_even: bool) -> int:
    """How many requests to draw ahead, so that a slow answer does not delay those behind it.

    A larger lag keeps the engine busier, but the run's own instructions become examples later.
    The factors come from a simulation (`python -m benchmarks lag`). For a server,
    `2 * b * b.bit_length()` is the least that keeps the wall time of a run within 1.10 of the
    ideal; factor 3 leaves a margin for what the simulation lacks. The lag grows faster than `b`,
    because with more requests in flight a very slow one is more likely.

    Args:
        concurrency: requests in flight at once.
        is_even: whether all answers take about equally long, as with a model on this machine.
    """
    if concurrency <= 1:
        return 1
    if is_even:
        return concurrency + concurrency // 2
    return 3 * concurrency * concurrency.bit_length()


def growing_lag(lag: int) -> Callable[[int], int]:
    """The lag of each request; the largest is `lag`.

    With the largest lag from the start, a short run could end before it draws any request from
    its own answers, which is the point of a bootstrap. So each request, except the first few, sees
    at least a quarter of those before it. The lag depends on the index alone, so that a run can
    be extended.
    """
    return lambda index: min(lag, max(_LEAST_LAG, lag // 6, index * 3 // 4))


class NoAnswerError(Exception):
    """An item gets no answer now. The work ends before it, and may go on later."""


async def commit_in_order(
    *,
    draw: Callable[[int], Item | None],
    ask: Callable[[Item], Awaitable[Result]],
    commit: Callable[[Item, Result], bool],
    lag: Callable[[int], int],
    break_off: Callable[[int], None],
    needed: Callable[[], int] | None = None,
    keep_surplus: Callable[[], None] | None = None,
) -> bool:
    """Draw items ahead, get them answered concurrently, and commit the results in order.

    An item is one request, or needs a chain of requests. Item i is drawn after item i - lag(i) is
    committed and before the next one is, in whatever order the results arrive. So the items depend
    only on results, never on timing. It does not matter when an item is asked. The engine decides
    how many requests are in flight at once.

    Args:
        draw: makes the item with an index, counted from 0; None when there are no more.
        ask: gets an item answered. It must not depend on what is committed meanwhile.
        commit: takes the result of the next item in order; returns whether to continue.
        lag: for an item's index, how many items are drawn ahead of the next one to commit; at
        least 1, and it grows by at most one from an item to the next.
        break_off: called when the work breaks off, with the number of items still in flight,
        before waiting for these.
        needed: how many more items will probably be needed, so that near the end no answer is
        paid for in vain; by default all drawn items are asked.
        keep_surplus: called when `commit` ends the work with items in flight, which are then
        awaited; it must let no further request through. By default they are cancelled.

    Returns:
        Whether the work ended as it should: not because `ask` raised `NoAnswerError`. Then all
        items before the first one without an answer are committed, and those still in flight have
        ended.

    Raises:
        Anything else that `ask` or `commit` raises, after the items still in flight have ended:
        they may have been paid for. When `commit` ends the work, they are cancelled instead, unless
        `keep_surplus` is given.
        KeyboardInterrupt: without waiting for anything.
    """
    drawn: deque[Item] = deque()  # but not asked yet
    asked: deque[tuple[Item, asyncio.Future[Result]]] = deque()
    index = 0
    is_exhausted = False
    try:
        while True:
            while not is_exhausted and len(asked) + len(drawn) < lag(index):
                item = draw(index)
                if item is None:
                    is_exhausted = True
                    break
                drawn.append(item)
                index += 1
            most = max(1, needed()) if needed else index
            while drawn and len(asked) < most:
                item = drawn.popleft()
                begun = asyncio.ensure_future(_answered(ask, item))
                begun.add_done_callback(_look_at_error)
                asked.append((item, begun))
            if not asked:
                return True
            item, answering = asked.popleft()
            try:
                result = await asyncio.shield(answering)
            except NoAnswerError:
                return False
            except BaseException:
                asked.appendleft((item, answering))
                raise
            if not commit(item, result):
                if keep_surplus is not None:
                    keep_surplus()
                else:
                    for _, superfluous in asked:
                        superfluous.cancel()
                return True
    except BaseException:
        break_off(sum(not answering.done() for _, answering in asked))
        raise
    finally:
        # A second interrupt may arrive in here rather than in the event loop: then leave at once.
        if not isinstance(sys.exception(), KeyboardInterrupt):
            await asyncio.gather(*(answering for _, answering in asked), return_exceptions=True)


def _look_at_error(answering: asyncio.Future[Any]) -> None:
    """Take note of an error. If nobody does, asyncio prints it when a run is interrupted twice."""
    if not answering.cancelled():
        answering.exception()


async def _answered(ask: Callable[[Item], Awaitable[Result]], item: Item) -> Result:
    """Get an item answered; after a cancellation, end as cancelled, whatever a library raises.

    Otherwise asyncio prints the library's traceback when a run is interrupted twice.
    """
    try:
        return await ask(item)
    except (Exception, BaseExceptionGroup) as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise

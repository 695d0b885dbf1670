"""Many items in flight, committed in order: what makes a concurrent run reproducible."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

__all__ = ["commit_in_order", "default_lag", "growing_lag"]

_LEAST_LAG = 6  # that a growing lag begins with: what is in flight by default, and one more

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_lag(concurrency: int, *, is_even: bool) -> int:
    """How many requests to draw ahead, so that those behind a slow answer need not wait for it.

    The wider, the fuller the engine is kept, and the later its own instructions become examples.
    Found by simulation (`python -m benchmarks lag`): at a server twice `b * b.bit_length()` is the
    least that holds the wall time of a run within 1.10 of the ideal, three times leaves room for
    what a simulation lacks. With more in flight there is more often a very slow one among them.

    Args:
        concurrency: requests in flight at once.
        is_even: whether all answers take about as long, as those of a model run here do.
    """
    if concurrency <= 1:
        return 1
    if is_even:
        return concurrency + concurrency // 2
    return 3 * concurrency * concurrency.bit_length()


def growing_lag(lag: int) -> Callable[[int], int]:
    """The lag of each request, of which the widest is `lag`.

    At once the widest would let a short run end before any request has been drawn from its own
    answers, which is what a bootstrap is about. So a request sees at least a quarter of those
    before it, but for the first few. It depends on the index alone: a run may be prolonged.
    """
    return lambda index: min(lag, max(_LEAST_LAG, lag // 6, index * 3 // 4))


async def commit_in_order(
    *,
    draw: Callable[[int], Item | None],
    ask: Callable[[Item], Awaitable[Result]],
    commit: Callable[[Item, Result], bool],
    lag: Callable[[int], int],
    break_off: Callable[[int], None],
    needed: Callable[[], int] | None = None,
) -> None:
    """Draw items ahead, have them answered side by side, and commit the results in order.

    An item is a request, or what takes a chain of requests to answer. Item i is drawn after item
    i - lag(i) was committed and before the next one is, whatever order the results arrive in: so
    what is drawn depends on results alone, never on their timing. When an item is asked makes no
    difference; how many requests are in flight at once is the engine's affair.

    Args:
        draw: makes the item of an index, counted from 0; None when there are no more.
        ask: has an item answered. It must not depend on what is committed meanwhile.
        commit: takes the result of the next item in order; returns whether to go on.
        lag: by an item's index, how many are drawn ahead of the one to be committed with it; at
            least 1, and growing by one at most from an item to the next.
        break_off: called when the work breaks off, with the number of items still in flight,
            before these are waited for.
        needed: how many more items it will probably take, so that near the end none is paid
            for in vain; by default all that are drawn are asked.

    Raises:
        Whatever `ask` or `commit` raise, after the items still in flight have ended: they may
        have been paid for. When `commit` ends the work, they are cancelled instead.
        KeyboardInterrupt: without waiting for anything.
    """
    drawn: deque[Item] = deque()  # and not yet asked
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
                asked.append((item, asyncio.ensure_future(_answered(ask(item)))))
            if not asked:
                return
            item, answering = asked.popleft()
            try:
                result = await asyncio.shield(answering)
            except BaseException:
                asked.appendleft((item, answering))
                raise
            if not commit(item, result):
                for _, superfluous in asked:
                    superfluous.cancel()
                return
    except BaseException:
        break_off(sum(not answering.done() for _, answering in asked))
        raise
    finally:
        # A second interrupt may arrive in here rather than in the event loop: then leave at once.
        if not isinstance(sys.exception(), KeyboardInterrupt):
            await asyncio.gather(*(answering for _, answering in asked), return_exceptions=True)


async def _answered(answering: Awaitable[Result]) -> Result:
    """Await a result. Once cancelled, end as cancelled, whatever a library raises on its way out.

    Otherwise asyncio prints the library's traceback when a run is interrupted twice.
    """
    try:
        return await answering
    except (Exception, BaseExceptionGroup) as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise

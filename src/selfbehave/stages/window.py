"""Many requests in flight, committed in order: what makes a concurrent run repeatable."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from ..engines.protocol import Completion, Request

__all__ = ["commit_in_order"]


async def commit_in_order(
    *,
    draw: Callable[[int], Request | None],
    ask: Callable[[Request], Awaitable[Completion]],
    commit: Callable[[Request, Completion], bool],
    lag: int,
    break_off: Callable[[int], None],
) -> None:
    """Ask up to `lag` requests at once and commit their answers in the order of the requests.

    Request i is drawn after request i - lag was committed and before i - lag + 1 is, whatever
    order the answers arrive in: so what is drawn depends on answers alone, never on their timing.

    Args:
        draw: makes the request of an index, counted from 0; None when there are no more.
        ask: gets a request answered.
        commit: takes the answer of the next request in order; returns whether to go on.
        lag: requests drawn ahead of the one to be committed, at least 1.
        break_off: called when the work breaks off, with the number of requests still in flight,
            before these are waited for.

    Raises:
        Whatever `ask` or `commit` raise, after the answers still in flight have arrived: they
        may have been paid for. When `commit` ends the work, they are cancelled instead.
    """
    window: deque[tuple[Request, asyncio.Task[Completion]]] = deque()
    index = 0
    is_exhausted = False
    try:
        while True:
            while not is_exhausted and len(window) < lag:
                request = draw(index)
                if request is None:
                    is_exhausted = True
                    break
                window.append((request, asyncio.ensure_future(ask(request))))
                index += 1
            if not window:
                return
            request, answering = window.popleft()
            try:
                completion = await asyncio.shield(answering)
            except BaseException:
                window.appendleft((request, answering))
                raise
            if not commit(request, completion):
                for _, superfluous in window:
                    superfluous.cancel()
                return
    except BaseException:
        break_off(sum(not answering.done() for _, answering in window))
        raise
    finally:
        await asyncio.gather(*(answering for _, answering in window), return_exceptions=True)

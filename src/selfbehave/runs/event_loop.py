"""Run a coroutine from synchronous code, even if an event loop runs already (in a notebook)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

__all__ = ["run_coroutine"]

Result = TypeVar("Result")


def run_coroutine(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end and return its result.

    Without a running event loop this is `asyncio.run`. Within one, as in a notebook's cell, the
    coroutine gets an event loop in a separate thread. Interrupts work the same either way: the
    first one cancels the coroutine and waits for it to end; the second one ends its loop at once.

    Raises:
        KeyboardInterrupt: it was interrupted. By then the coroutine has ended.
        Anything that the coroutine raises.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    result: Result = _LoopInThread(coroutine).result()
    return result


class _LoopInThread:
    """A coroutine with an event loop in a separate thread, which receives its interrupts."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._has_begun = threading.Event()
        self._has_ended = threading.Event()
        self._result: Any = None
        self._error: BaseException | None = None
        self._interrupts = 0  # received
        self._passed_on = 0  # passed on to the loop

    def result(self) -> Any:
        """Run the coroutine and wait for its end, even if interrupts arrive."""
        with self._taking_interrupts():
            threading.Thread(target=self._work, name="selfbehave event loop").start()
            # `Thread.join` of Python 3.11 considers the thread ended if the join is interrupted.
            self._wait_for(self._has_begun)
            self._pass_on()
            self._wait_for(self._has_ended)
        if self._interrupts and isinstance(self._error, asyncio.CancelledError):
            raise KeyboardInterrupt from None
        if self._error is not None:
            raise self._error
        return self._result

    def _work(self) -> None:
        try:
            self._result = asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 (it is raised again, in the caller's thread)
            self._error = error
        finally:
            self._has_begun.set()
            self._has_ended.set()

    async def _main(self) -> Any:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._has_begun.set()
        return await self._coroutine

    @contextmanager
    def _taking_interrupts(self) -> Iterator[None]:
        """Handle Ctrl-C's signal, like asyncio: an exception could arrive between two waits."""
        before = signal.getsignal(signal.SIGINT)
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or before is not signal.default_int_handler:
            yield  # other code handles interrupts here
            return
        signal.signal(signal.SIGINT, lambda *_: self._interrupt())
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _wait_for(self, event: threading.Event) -> None:
        while not event.is_set():
            try:
                event.wait()
            except KeyboardInterrupt:  # from other code's handler
                self._interrupt()

    def _interrupt(self) -> None:
        self._interrupts += 1
        if self._has_begun.is_set():
            self._pass_on()

    def _pass_on(self) -> None:
        """Handle the first interrupt and later ones in the loop, like asyncio."""
        while self._passed_on < self._interrupts:
            self._passed_on += 1
            if self._loop is None or self._task is None:
                return  # it ended before it started
            action: Callable[[], object] = (
                self._task.cancel if self._passed_on == 1 else _raise_interrupt
            )
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(action)


def _raise_interrupt() -> None:
    raise KeyboardInterrupt

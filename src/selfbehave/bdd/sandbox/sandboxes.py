"""A pool of started sandboxes, shared by all callers that run pairs."""

from __future__ import annotations

import os
import weakref
from collections import deque
from types import TracebackType

from .alone import run_in_new_sandbox
from .bubblewrap import Limits
from .outcome import Outcome, Run
from .runner import judged
from .warm import BrokenSandboxError, WarmSandbox

__all__ = ["Sandboxes", "run_pair"]

_MOST_BREAKDOWNS = 3


class Sandboxes:
    """A pool with one started sandbox for each pair that runs at the same time.

    Each runs one pair at a time; threads may share the object. A sandbox that a pair may have
    damaged is discarded. If a started sandbox breaks down, the pair runs in a new sandbox, so that
    its verdict is the same. If started sandboxes always break down, as on a system that allows no
    namespaces inside a sandbox, no more are started.

    All sandboxes are killed by `close`, at the end of a `with` block, when the object is no longer
    used, and when the process ends for any reason. A forked process starts its own.

    Attributes:
        started: how many sandboxes have been started so far, successfully or not.
        breakdown: one line on the last breakdown; None if there was none.
    """

    def __init__(self) -> None:
        self.started = 0
        self.breakdown: str | None = None
        self._breakdowns = 0
        self._has_worked = False
        self._idle = self._keep_idle()

    def run_pair(self, feature_text: str, code: str, limits: Limits | None = None) -> Outcome:
        """Run a feature with its step functions.

        Raises:
            SelfBehaveError: there is no sandbox here. The code is never run without one.
        """
        return judged(feature_text, code, limits or Limits(), self._run)

    def close(self) -> None:
        """Kill the idle sandboxes; those that run a pair are killed afterwards."""
        self._idle.close()

    def __enter__(self) -> Sandboxes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, feature: bytes, code: bytes, token: bytes, limits: Limits) -> Run:
        if self._has_worked or self._breakdowns < _MOST_BREAKDOWNS:
            try:
                run = self._run_in_started(feature, code, token, limits)
            except BrokenSandboxError as error:
                self.breakdown = str(error)
                self._breakdowns += 1
            else:
                self._has_worked = True
                return run
        return run_in_new_sandbox(feature, code, token, limits)

    def _run_in_started(self, feature: bytes, code: bytes, token: bytes, limits: Limits) -> Run:
        idle = self._idle
        if idle.process != os.getpid():  # we were forked, and these belong to our parent
            idle = self._keep_idle()
        sandbox = idle.take()
        if sandbox is None:
            self.started += 1
            sandbox = WarmSandbox()
        try:
            return sandbox.run(feature, code, token, limits)
        finally:
            idle.give_back(sandbox)

    def _keep_idle(self) -> _Idle:
        idle = self._idle = _Idle()
        weakref.finalize(self, idle.close)
        return idle


class _Idle:
    """The idle sandboxes of one process. It needs no lock, so none is held during a fork."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._sandboxes: deque[WarmSandbox] = deque()
        self._is_closed = False

    def take(self) -> WarmSandbox | None:
        try:
            return self._sandboxes.pop()
        except IndexError:
            return None

    def give_back(self, sandbox: WarmSandbox) -> None:
        """Keep a sandbox, or kill it if it cannot be used again."""
        if not sandbox.is_usable:
            sandbox.close()
            return
        self._sandboxes.append(sandbox)
        if self._is_closed:
            self.close()

    def close(self) -> None:
        self._is_closed = True
        while self.process == os.getpid() and (sandbox := self.take()):
            sandbox.close()


_shared = Sandboxes()


def run_pair(feature_text: str, code: str, limits: Limits | None = None) -> Outcome:
    """Run a feature with its step functions in one of the sandboxes that this process keeps.

    Raises:
        SelfBehaveError: there is no sandbox here. The code is never run without one.
    """
    return _shared.run_pair(feature_text, code, limits)

"""A sandbox that starts once and runs one pair after another."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import threading
import time
from concurrent.futures import Future
from typing import Any

from .bubblewrap import Limits, in_memory, is_root, resources, start_waiting, stop
from .outcome import Run
from .run_output import read_all

__all__ = ["BrokenSandboxError", "WarmSandbox"]

_SECONDS_TO_START = 30.0
_LEAST_SECONDS = 0.001  # a socket's timeout of 0 means something else
_MESSAGE_BYTES = 8192
# In a new sandbox, its first process counts as the pair's if we are not root.
_COUNTED_ELSEWHERE = 1


class BrokenSandboxError(Exception):
    """A sandbox does not start or does not answer; this says nothing about the pair."""


class WarmSandbox:
    """A started sandbox with behave imported in it, for one pair at a time.

    After `run` it can be used again like a new one (see `inside.waiting`). If `is_usable` is false,
    discard it: a pair exceeded a limit, or the sandbox did not answer.
    """

    def __init__(self) -> None:
        """Start it.

        Raises:
            BrokenSandboxError: it does not start.
        """
        self.is_usable = False
        self._control, inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with inside:
                self._process = _start_in_lasting_thread(inside)
        except BaseException as error:
            self._control.close()
            if isinstance(error, OSError):
                raise BrokenSandboxError(f"it does not start: {error}") from error
            raise
        try:
            self._answer(_SECONDS_TO_START)
        except BrokenSandboxError as error:
            said = self._last_words()
            self.close()
            raise BrokenSandboxError(f"it does not start: {said or error}") from error
        except BaseException:
            self.close()
            raise
        self.is_usable = True

    def run(self, feature: bytes, code: bytes, token: bytes, limits: Limits) -> Run:
        """Run a pair.

        Raises:
            BrokenSandboxError: the pair did not run, or did not finish.
        """
        self.is_usable = False
        output_read, output_write = os.pipe()
        report_read, report_write = os.pipe()
        try:
            request = in_memory(_request(feature, code, token, limits))
            try:
                socket.send_fds(self._control, [b"run"], [request, output_write, report_write])
            except OSError as error:
                raise BrokenSandboxError(f"it takes no pair: {error}") from error
            finally:
                for fd in (request, output_write, report_write):
                    os.close(fd)
            self._answer(_SECONDS_TO_START)  # the pair has begun
            deadline = time.monotonic() + limits.seconds
            control = self._control.fileno()
            written = read_all(output_read, report_read, limits, deadline, ended=control)
        finally:
            os.close(output_read)
            os.close(report_read)
        if written.stopped:
            return Run(-1, written.output, written.report, written.stopped)
        status = self._answer(deadline - time.monotonic())["status"]
        self.is_usable = True
        return Run(status, written.output, written.report, None)

    def close(self) -> None:
        """Kill everything in it."""
        self.is_usable = False
        self._control.close()
        stop(self._process)

    def _answer(self, seconds: float) -> dict[str, Any]:
        """Wait for a message from the waiting process.

        Raises:
            BrokenSandboxError: it sends none, is dead, or cannot run a pair.
        """
        self._control.settimeout(max(seconds, _LEAST_SECONDS))
        try:
            message = self._control.recv(_MESSAGE_BYTES)
        except TimeoutError as error:
            raise BrokenSandboxError("it does not answer") from error
        except ConnectionResetError:
            message = self._control.recv(_MESSAGE_BYTES)  # sent before it died
        if not message:
            raise BrokenSandboxError("it died")
        answer: dict[str, Any] = json.loads(message)
        if "fault" in answer:
            raise BrokenSandboxError(f"it cannot run a pair: {answer['fault']}")
        return answer

    def _last_words(self) -> str:
        """The last line that bubblewrap or Python printed before it died."""
        self._process.kill()
        assert self._process.stdout is not None
        lines = self._process.stdout.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


def _request(feature: bytes, code: bytes, token: bytes, limits: Limits) -> bytes:
    its_limits = resources(limits)
    if not is_root():
        its_limits["RLIMIT_NPROC"] -= _COUNTED_ELSEWHERE
    request = {
        "feature": feature.decode(),
        "code": code.decode(),
        "token": token.decode(),
        "limits": its_limits,
        "tmp": limits.file_size,
    }
    return json.dumps(request).encode()


# Bubblewrap dies with the thread that started it, so one thread is kept for this.

_Start = tuple["Future[subprocess.Popen[bytes]]", socket.socket]
_starts: queue.SimpleQueue[_Start] | None = None
_starts_lock = threading.Lock()


def _start_in_lasting_thread(inside: socket.socket) -> subprocess.Popen[bytes]:
    """Start a sandbox in a thread that lives as long as this process."""
    global _starts
    with _starts_lock:
        if _starts is None:
            _starts = queue.SimpleQueue()
            threading.Thread(target=_start_each, args=[_starts], daemon=True).start()
        starts = _starts
    future: Future[subprocess.Popen[bytes]] = Future()
    starts.put((future, inside))
    return future.result()


def _start_each(starts: queue.SimpleQueue[_Start]) -> None:
    while True:
        future, inside = starts.get()
        try:
            future.set_result(start_waiting(inside))
        except BaseException as error:  # noqa: BLE001 (it is raised where the start is asked for)
            future.set_exception(error)


def _forget_thread() -> None:
    """Forget the parent's thread, which does not exist in a forked process."""
    global _starts, _starts_lock
    _starts, _starts_lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_thread)

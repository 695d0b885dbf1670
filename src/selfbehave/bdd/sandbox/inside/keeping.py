"""The first process of a pid namespace: it forks for each pair, and kills all that a pair leaves.

Between two pairs it is alone in its namespace. Its memory contains nothing from any pair: the
process that runs a request also reads it, see `shut_in`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from .linux import drop_capabilities
from .network import Network
from .shut_in import Ready, own_proc, run_shut_in

__all__ = ["Connection", "keep"]

_WAIT_FOR_ALL = 0x40000000  # __WALL: also for processes created by other means than fork
_LAST_PID = "/proc/sys/kernel/ns_last_pid"


class Connection:
    """The connection to the outside, a SOCK_SEQPACKET socket.

    Each incoming message has three file descriptors: the request (JSON: `feature`, `code`, `token`,
    `limits` by name of the resource, `tmp` in bytes), the pair's output, and its report. The
    answers are JSON. The first is empty and means that this process is ready. For each pair,
    another empty one means that it has begun. When all of its processes are dead, its `status`
    follows, as in a shell. A `fault` in place of any answer says why no pair can run.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    def receive(self) -> list[int]:
        """Wait for a message; return its file descriptors, or none if the connection is closed."""
        _, fds, _, _ = socket.recv_fds(self._control, 16, 3)
        return fds

    def answer(self, answer: dict[str, Any]) -> None:
        self._control.send(json.dumps(answer).encode())


def keep(ready: Ready, connection: Connection, network: Network, pairs: int) -> NoReturn:
    """Act as the first process of a pid namespace for this many pairs, then exit with 0."""
    status = 1
    try:
        os.setsid()
        number_next = _numbering()
        own_proc()
        for _ in range(pairs if number_next else 1):
            network.renew_if_used()
            fds = connection.receive()
            if not fds:
                break
            if number_next:
                number_next()
            pair = os.fork()
            if pair == 0:
                run_shut_in(ready, *fds)
            if ready.user is None:
                drop_capabilities()  # not needed to kill the pair, which has the same user
            for fd in fds:
                os.close(fd)
            connection.answer({})
            connection.answer(_ended(pair, ready.faults[0]))
        else:
            status = 0
    except OSError as error:
        connection.answer({"fault": str(error)})
    finally:
        os._exit(status)


def _ended(pair: int, faults: int) -> dict[str, Any]:
    """Wait until the pair's process ends, and kill any processes that it leaves behind."""
    ended = 0
    while ended != pair:
        ended, status = os.waitpid(-1, _WAIT_FOR_ALL)
        if ended == pair:
            code = os.waitstatus_to_exitcode(status)
    # All processes of the pair are in this namespace; we inherit those whose parent is dead.
    with suppress(ChildProcessError):
        while True:
            with suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
            os.waitpid(-1, _WAIT_FOR_ALL)
    with suppress(BlockingIOError):  # no fault was reported
        return {"fault": os.read(faults, 4096).decode("utf-8", "replace")}
    return {"status": code if code >= 0 else 128 - code}


def _numbering() -> Callable[[], None] | None:
    """A function to number the next process 2, so that no pair knows how many came before it.

    None if the kernel does not support this.
    """
    try:
        fd = os.open(_LAST_PID, os.O_WRONLY)
        os.pwrite(fd, b"1", 0)
    except OSError:
        return None

    def number_next() -> None:
        os.pwrite(fd, b"1", 0)

    return number_next

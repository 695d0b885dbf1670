"""Waits in the sandbox with behave imported, and forks for each pair.

No generated code runs in the waiting process, nor does it read any: a pair's request is read by
the process that will run it. For each pair the waiting process forks a first process into a new pid
namespace, and that forks the one that runs the pair:

- when the first process ends, the kernel kills all that is left in its namespace before the waiting
  process learns of it. The first process ends as soon as the pair's does;
- the pair's process mounts a tmp, a /proc and the pair's files in a mount namespace of its own,
  which goes when it ends, then gives up all rights and loads the filter of system calls;
- neither can name the waiting process: it is in none of their namespaces.

The network namespace is renewed only after a pair has sent something: a connection is remembered
for a minute after it was closed, and its port is taken.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
from dataclasses import dataclass
from typing import Any, NoReturn

from .linux import (
    Mount,
    Namespace,
    bring_loopback_up,
    drop_bounding_capabilities,
    drop_capabilities,
    load_filter,
    mount,
    set_dumpable,
    setns,
    unshare,
)
from .prepared import FEATURES, PreparedBehave
from .restrictions import become_user, close_all_but, take_limits

__all__ = ["main"]

_TMP = Mount.NO_SUID | Mount.NO_DEVICES
_PROC = _TMP | Mount.NO_EXEC
# Old ways to the host's hardware and settings, which bubblewrap covers as well.
_COVERED = ("sys", "sysrq-trigger", "irq", "bus")


@dataclass(frozen=True)
class _Waiting:
    """What the waiting process has ready for each pair.

    Attributes:
        behave: runs the pair.
        filter: of system calls.
        user: the ordinary user that the pair's process becomes, where we are root; else None.
        ids: the user and the group that the pair's process has, where we are not root.
        faults: two ends of a pipe, for what goes wrong before generated code runs.
    """

    behave: PreparedBehave
    filter: bytes
    user: int | None
    ids: tuple[int, int]
    faults: tuple[int, int]


def main(arguments: dict[str, Any]) -> None:
    """Run pairs until the outside closes the connection.

    Each message from the outside has three file descriptors: the request (JSON: `feature`, `code`,
    `token`, `limits` by name of the resource, `tmp` in bytes), where the pair's output goes, and
    where its report goes. There are two answers, in JSON: an empty one when the pair has begun, and
    its `status` as a shell gives it when all of its processes are dead; either may be a `fault`
    instead, why the pair could not be run. An empty one comes first of all, when this is ready.

    Args:
        arguments: `control`, the file descriptor of the connection (a SOCK_SEQPACKET socket);
            `filter` in hexadecimal digits; `user` and `ids`, see `_Waiting`.
    """
    set_dumpable(False)
    # A handler would let a pair's processes interrupt the first process of their namespace.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    control = socket.socket(fileno=arguments["control"])
    faults = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    program = bytes.fromhex(arguments["filter"])
    waiting = _Waiting(PreparedBehave(), program, arguments["user"], arguments["ids"], faults)
    own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    # No fork looks for garbage in what exists now: that would only copy its memory.
    gc.collect()
    gc.freeze()
    _answer(control, {})
    sent_before = _sent_over_network()
    while True:
        message, fds, _, _ = socket.recv_fds(control, 16, 3)
        if not message:
            return
        _serve(waiting, fds, own_pids, control)
        if _sent_over_network() != sent_before:
            unshare(Namespace.NET)
            bring_loopback_up()
            sent_before = _sent_over_network()


def _serve(waiting: _Waiting, fds: list[int], own_pids: int, control: socket.socket) -> None:
    """Run one pair, and answer when all of its processes are dead."""
    try:
        unshare(Namespace.PID)
        first = os.fork()
        if first == 0:
            _be_first(waiting, *fds)
        setns(own_pids, Namespace.PID)
    except OSError as error:
        _answer(control, {"fault": str(error)})
        return
    finally:
        for fd in fds:
            os.close(fd)
    _answer(control, {})
    _, ended = os.waitpid(first, 0)
    try:
        fault = os.read(waiting.faults[0], 4096).decode("utf-8", "replace")
    except BlockingIOError:  # nothing went wrong
        fault = ""
    status = os.waitstatus_to_exitcode(ended)
    if status < 0 and not fault:
        fault = f"the first process was killed by signal {-status}"
    _answer(control, {"fault": fault} if fault else {"status": status})


def _answer(control: socket.socket, answer: dict[str, Any]) -> None:
    control.send(json.dumps(answer).encode())


def _be_first(waiting: _Waiting, request_fd: int, output_fd: int, report_fd: int) -> NoReturn:
    """Be process 1 of the pair's namespace: end as the pair's process does, and all with it."""
    try:
        os.setsid()
        pair = os.fork()
        if pair == 0:
            _run_pair(waiting, request_fd, output_fd, report_fd)
        close_all_but(waiting.faults[1])
        drop_capabilities()
        while True:
            ended, status = os.wait()
            if ended == pair:
                code = os.waitstatus_to_exitcode(status)
                os._exit(code if code >= 0 else 128 - code)
    except BaseException as error:  # noqa: BLE001
        _fail(waiting, error)


def _run_pair(waiting: _Waiting, request_fd: int, output_fd: int, report_fd: int) -> NoReturn:
    """Shut this process in, and run the pair in it."""
    faults = waiting.faults[1]
    try:
        with open(request_fd, "rb") as file:
            request = json.load(file)
        _mount_all(request)
        os.dup2(output_fd, 1)
        os.dup2(output_fd, 2)
        close_all_but(report_fd, faults)
        _give_up_rights(waiting)
        # Last: a new user namespace would hold its parent to these limits as well.
        take_limits(request["limits"])
        load_filter(waiting.filter)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    except BaseException as error:  # noqa: BLE001 (whatever it is, the pair is not to blame)
        _fail(waiting, error)
    os.close(faults)
    waiting.behave.run(report_fd, request["token"].encode())


def _give_up_rights(waiting: _Waiting) -> None:
    """Become an ordinary user without any capability."""
    if waiting.user is not None:
        drop_bounding_capabilities()
        become_user(waiting.user)
    else:
        # Here we are root in a user namespace in which only we exist: be who we are outside.
        set_dumpable(True)  # as a process of an ordinary user is, and to write the files below
        unshare(Namespace.USER)
        user, group = waiting.ids
        for name, text in (
            ("setgroups", "deny"), ("uid_map", f"{user} 0 1"), ("gid_map", f"{group} 0 1"),
        ):  # fmt: skip
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(text)
        drop_bounding_capabilities()
    drop_capabilities()


def _mount_all(request: dict[str, Any]) -> None:
    """Give this process the pair's files, a tmp, and a /proc of its own pid namespace."""
    unshare(Namespace.MOUNT | Namespace.IPC)
    mount("none", "/", Mount.RECURSIVE | Mount.PRIVATE)
    mount("proc", "/proc", _PROC)
    for name in _COVERED:
        path = f"/proc/{name}"
        if os.path.exists(path):  # noqa: PTH110
            mount(path, path, Mount.BIND)
            mount("none", path, Mount.BIND | Mount.REMOUNT | Mount.READ_ONLY | _PROC)
    for path in ("/tmp", "/dev/shm"):
        mount("tmpfs", path, _TMP, f"mode=1777,size={request['tmp']}")
    mount("tmpfs", FEATURES, _TMP, "mode=755")
    os.mkdir(f"{FEATURES}/steps", 0o755)  # noqa: PTH102
    for name, text in (("one.feature", request["feature"]), ("steps/steps.py", request["code"])):
        with open(f"{FEATURES}/{name}", "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
            file.write(text)
    mount("none", FEATURES, Mount.BIND | Mount.REMOUNT | Mount.READ_ONLY | _TMP)
    os.chdir("/tmp")


def _fail(waiting: _Waiting, error: BaseException) -> NoReturn:
    os.write(waiting.faults[1], f"{type(error).__name__}: {error}".encode())
    os._exit(1)


def _sent_over_network() -> bytes:
    """The counters of the loopback interface, the only one: they change with every packet."""
    with open("/proc/self/net/dev", "rb") as file:  # noqa: PTH123
        return file.read()

"""Isolate a process, and run a pair in it."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from typing import Any, NoReturn

from .linux import (
    Mount,
    Namespace,
    drop_bounding_capabilities,
    drop_capabilities,
    load_filter,
    mount,
    set_dumpable,
    unshare,
)
from .prepared import FEATURES, PreparedBehave
from .restrictions import become_user, close_all_but, take_limits

__all__ = ["Ready", "own_proc", "run_shut_in"]

_TMP = Mount.NO_SUID | Mount.NO_DEVICES
_PROC = _TMP | Mount.NO_EXEC
# Old interfaces to the host's hardware and settings, which bubblewrap also hides.
_COVERED = ("sys", "sysrq-trigger", "irq", "bus")


@dataclass(frozen=True)
class Ready:
    """What is prepared before the pair is known.

    Attributes:
        behave: runs the pair.
        filter: the filter of system calls.
        user: the ordinary user that the pair's process becomes if we are root; otherwise None.
        ids: the user and the group of the pair's process if we are not root.
        faults: both ends of a pipe, for errors before generated code runs.
    """

    behave: PreparedBehave
    filter: bytes
    user: int | None
    ids: tuple[int, int]
    faults: tuple[int, int]


def own_proc() -> None:
    """Give this process a mount namespace with a /proc for its own pid namespace."""
    unshare(Namespace.MOUNT)
    mount("none", "/", Mount.RECURSIVE | Mount.PRIVATE)
    mount("proc", "/proc", _PROC)
    for name in _COVERED:
        path = f"/proc/{name}"
        if os.path.exists(path):  # noqa: PTH110
            mount(path, path, Mount.BIND)
            mount("none", path, Mount.BIND | Mount.REMOUNT | Mount.READ_ONLY | _PROC)


def run_shut_in(ready: Ready, request_fd: int, output_fd: int, report_fd: int) -> NoReturn:
    """Run a pair in this process and end it; `own_proc` must have been called before.

    The process gets its own tmp folders and files, only the open files that the pair may have, no
    rights, and the limits of the request.
    """
    faults = ready.faults[1]
    try:
        os.setsid()
        with open(request_fd, "rb") as file:
            request = json.load(file)
        _mount_files(request)
        os.dup2(output_fd, 1)
        os.dup2(output_fd, 2)
        close_all_but(report_fd, faults)
        _give_up_rights(ready)
        # Last, because these limits would also apply to the parent of a new user namespace.
        take_limits(request["limits"])
        load_filter(ready.filter)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    except BaseException as error:  # noqa: BLE001 (whatever it is, the pair is not to blame)
        os.write(faults, f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    os.close(faults)
    ready.behave.run(report_fd, request["token"].encode())


def _mount_files(request: dict[str, Any]) -> None:
    unshare(Namespace.MOUNT | Namespace.IPC)
    for path in ("/tmp", "/dev/shm"):
        mount("tmpfs", path, _TMP, f"mode=1777,size={request['tmp']}")
    mount("tmpfs", FEATURES, _TMP, "mode=755")
    os.mkdir(f"{FEATURES}/steps", 0o755)  # noqa: PTH102
    for name, text in (("one.feature", request["feature"]), ("steps/steps.py", request["code"])):
        with open(f"{FEATURES}/{name}", "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
            file.write(text)
    mount("none", FEATURES, Mount.BIND | Mount.REMOUNT | Mount.READ_ONLY | _TMP)
    os.chdir("/tmp")


def _give_up_rights(ready: Ready) -> None:
    """Become an ordinary user without any capability."""
    if ready.user is not None:
        drop_bounding_capabilities()
        become_user(ready.user)
    else:
        # We are root in a user namespace with no other users: return to our outside user.
        set_dumpable(True)  # as for an ordinary user's process, and to write the files below
        unshare(Namespace.USER)
        user, group = ready.ids
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} 0 1"),
            ("gid_map", f"{group} 0 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(text)
        drop_bounding_capabilities()
    drop_capabilities()

"""System calls that Python has no function for: namespaces, mounts, capabilities, the filter."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from enum import IntFlag

__all__ = [
    "Mount",
    "Namespace",
    "bring_loopback_up",
    "drop_bounding_capabilities",
    "drop_capabilities",
    "load_filter",
    "mount",
    "set_dumpable",
    "setns",
    "unshare",
]

# PyDLL keeps the interpreter's lock: the process has one thread, and releasing it costs more.
_LIBC = ctypes.PyDLL(None, use_errno=True)

_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_CAPBSET_READ, _PR_CAPBSET_DROP = 4, 22, 23, 24
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_BYTES_OF_INSTRUCTION = 8  # struct sock_filter


class Namespace(IntFlag):
    """Kinds of namespaces, CLONE_NEW… in clone(2)."""

    MOUNT = 0x00020000
    IPC = 0x08000000
    USER = 0x10000000
    PID = 0x20000000
    NET = 0x40000000


class Mount(IntFlag):
    """Flags of mount(2)."""

    READ_ONLY = 1
    NO_SUID = 2
    NO_DEVICES = 4
    NO_EXEC = 8
    REMOUNT = 32
    BIND = 4096
    RECURSIVE = 16384
    PRIVATE = 1 << 18


def unshare(kinds: Namespace) -> None:
    """Enter new namespaces; a new pid namespace holds only processes that are forked later.

    Raises:
        OSError: the kernel refuses, or there are already too many.
    """
    _call("unshare", ctypes.c_int(kinds))


def setns(fd: int, kind: Namespace) -> None:
    """Return to a namespace through its open file (/proc/self/ns/…); see `unshare`."""
    _call("setns", ctypes.c_int(fd), ctypes.c_int(kind))


def mount(kind: str, place: str, flags: Mount, options: str = "") -> None:
    """Mount a file system of a kind at a place, or bind or change an existing one.

    Raises:
        OSError: the kernel refuses.
    """
    arguments = [os.fsencode(kind), os.fsencode(place), os.fsencode(kind)]
    _call("mount", *arguments, ctypes.c_ulong(flags), os.fsencode(options))


def set_dumpable(is_dumpable: bool) -> None:
    """Set whether other processes of this user may trace this one and read its memory."""
    _prctl(_PR_SET_DUMPABLE, int(is_dumpable))


def drop_bounding_capabilities() -> None:
    """Prevent executed programs from gaining capabilities (needs CAP_SETPCAP)."""
    capability = 0
    # -1 is the result for the first capability that the kernel does not know.
    while (is_held := _LIBC.prctl(_PR_CAPBSET_READ, ctypes.c_ulong(capability), 0, 0, 0)) >= 0:
        if is_held:
            _prctl(_PR_CAPBSET_DROP, capability)
        capability += 1


def drop_capabilities() -> None:
    """Give up all capabilities that this process has."""
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _call("capset", header, bytes(24))


def load_filter(program: bytes) -> None:
    """Permanently load a filter of system calls, an array of struct sock_filter (seccomp(2))."""
    instructions = ctypes.create_string_buffer(program, len(program))
    length = len(program) // _BYTES_OF_INSTRUCTION
    where = struct.pack("HP", length, ctypes.addressof(instructions))  # struct sock_fprog
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, where)


def bring_loopback_up() -> None:
    """Bring the loopback interface of a new network namespace up."""
    request = struct.pack("16sH22x", b"lo", _IFF_UP)  # struct ifreq
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


def _prctl(option: int, *arguments: int | bytes) -> None:
    given = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    _call("prctl", ctypes.c_int(option), *given, *[ctypes.c_ulong(0)] * (4 - len(given)))


def _call(name: str, *arguments: object) -> None:
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")

"""A system-call filter for the sandbox: no namespaces, mounts, tracing or hidden memory.

A process that can create a user namespace can mount memory file systems, which no limit counts. A
limit on the address space does not count shared memory objects either.
"""

from __future__ import annotations

import platform
import struct

__all__ = ["MACHINES", "program"]

_CLONE_NEWUSER = 0x10000000
_EPERM, _ENOSYS = 1, 38
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data

# Audit architecture, number of clone, numbers refused: mount, umount2, pivot_root, chroot, unshare,
# setns, ptrace, process_vm_readv, process_vm_writev, add_key, request_key, keyctl, bpf,
# perf_event_open, userfaultfd, memfd_create, memfd_secret, shmget, msgget, semget.
_OF_MACHINE = {
    "x86_64": (
        0xC000003E,
        56,
        "165 166 155 161 272 308 101 310 311 248 249 250 321 298 323 319 447 29 68 64",
    ),
    "aarch64": (
        0xC00000B7,
        220,
        "40 39 41 51 97 268 117 270 271 217 218 219 280 241 282 279 447 194 186 190",
    ),
}
# Same numbers on every machine. clone3 hides its flags behind a pointer, so glibc must fall back to
# clone. Then io_uring_setup, open_tree, move_mount, fsopen, fsmount and mount_setattr.
_CLONE3, _NEWER = 435, (425, 428, 429, 430, 432, 442)
_X32 = 0x40000000

MACHINES = tuple(_OF_MACHINE)


def program() -> bytes:
    """The filter in the kernel's format: an array of struct sock_filter (seccomp(2))."""
    architecture, clone, refused = _OF_MACHINE[platform.machine()]
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
    ]
    for number in (*map(int, refused.split()), *_NEWER):
        code += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | _EPERM)]
    code += [
        (_JUMP_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),
        (_JUMP_EQUAL, 0, 3, clone),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_ANY_BIT, 0, 1, _CLONE_NEWUSER),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)

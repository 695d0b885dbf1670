"""Start Python in bubblewrap, with a limited view of the system and limited resources."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import seccomp

__all__ = [
    "Limits",
    "in_memory",
    "is_root",
    "resources",
    "start_waiting",
    "started_alone",
    "stop",
]

MIB = 1024 * 1024

_NOBODY = 65534


@dataclass(frozen=True)
class Limits:
    """The resources that one run may use.

    Attributes:
        seconds: wall-clock time, after which everything in the sandbox is killed.
        cpu_seconds: processor time for each process, in whole seconds.
        memory: bytes of address space for each process.
        file_size: bytes for each file; also the size of each of its two tmp folders.
        processes: processes and threads at one time; the sandbox itself needs two.
        open_files: the number of open files for each process.
        output: bytes of standard output and error together; more ends the run.
    """

    seconds: float = 10.0
    cpu_seconds: int = 5
    memory: int = 512 * MIB
    file_size: int = 16 * MIB
    processes: int = 16
    open_files: int = 64
    output: int = 64 * 1024


@contextmanager
def started_alone(
    feature: bytes, code: bytes, limits: Limits
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a sandbox that runs one pair; when the context ends, kill everything in it.

    The sandbox waits for the report's token on its standard input; see `inside.alone`.

    Yields:
        the process, with output and errors in one pipe; and the file descriptor to read its report
        from.
    """
    files = {f"{_FEATURES}/one.feature": feature, f"{_FEATURES}/steps/steps.py": code}
    report_read, report_write = os.pipe()
    with os.fdopen(report_read, "rb", buffering=0):
        program = in_memory(seccomp.program())
        try:
            arguments = {"report": report_write, "limits": resources(limits), "user": _user()}
            options = [*_system(limits), *_capabilities(()), "--seccomp", str(program)]
            process = _start("alone", arguments, options, files, [report_write, program])
        finally:
            os.close(program)
            os.close(report_write)
        try:
            yield process, report_read
        finally:
            stop(process)


def start_waiting(control: socket.socket) -> subprocess.Popen[bytes]:
    """Start a sandbox that waits for pairs at its end of a connection; see `inside.waiting`.

    The sandbox dies with the thread that calls this (`--die-with-parent`), or through `stop`. The
    filter of system calls is loaded for each pair, because the waiting process creates namespaces.

    Args:
        control: the sandbox's end of a pair of SOCK_SEQPACKET sockets.
    """
    program = seccomp.program().hex()
    arguments = {"control": control.fileno(), "filter": program, "user": _user()}
    arguments["ids"] = os.geteuid(), os.getegid()
    options = [*_system(Limits()), *_capabilities(_CAPABILITIES_WAITING)]
    options += ["--dir", _FEATURES]
    if not is_root():
        # Otherwise bubblewrap makes two user namespaces, and we lose control over its mounts.
        options += ["--uid", "0", "--gid", "0"]
    return _start("waiting", arguments, options, {}, [control.fileno()])


def stop(process: subprocess.Popen[bytes]) -> None:
    """Kill a sandbox and wait until it ends; everything in it dies with bubblewrap."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def resources(limits: Limits) -> dict[str, int]:
    """Limits in the kernel's terms: values by the names of resources."""
    return {
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_AS": limits.memory,
        "RLIMIT_FSIZE": limits.file_size,
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
    }


def in_memory(data: bytes) -> int:
    """A file descriptor for a file that exists only in memory, so that nothing is left behind."""
    fd = os.memfd_create("pair")
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def is_root() -> bool:
    """Whether we are root; if so, the pair becomes another user in the sandbox."""
    return os.geteuid() == 0


_FEATURES = "/pair/features"
_INSIDE = "/pair/inside"

# Needed to create namespaces and mounts, bring a network up, kill what a pair leaves behind, give
# up capabilities permanently, and map the user that is root in this user namespace into another.
_CAPABILITIES_WAITING = (
    "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_KILL", "CAP_SETPCAP", "CAP_SETFCAP",
)  # fmt: skip

# -s, -P, -B: import nothing from the user's or the working folder, and write no bytecode.
_PYTHON_OPTIONS = ("-s", "-P", "-B", "-X", "utf8")
_RUN = (
    "import json, sys; sys.path.insert(0, '/pair'); from inside.{} import main; "
    "del sys.path[0]; main(json.loads(sys.argv[1]))"
)

# This is also the environment of bwrap itself, because the code can read /proc/1/environ. Hashes
# are not random, so that verdicts are reproducible.
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "PYTHONHASHSEED": "0",
}


def _user() -> int | None:
    """The user that a pair becomes in the sandbox; None if it stays the same user."""
    return _NOBODY if is_root() else None


def _capabilities(needed: Sequence[str]) -> list[str]:
    """Capabilities in the sandbox's own user namespace; they have no effect outside it."""
    if is_root():
        needed = [*needed, "CAP_SETUID", "CAP_SETGID"]
    arguments = ["--cap-drop", "ALL"]
    for capability in needed:
        arguments += ["--cap-add", capability]
    return arguments


def _system(limits: Limits) -> list[str]:
    """Options for what the sandbox can see of the system, and for its isolation."""
    arguments = ["--unshare-user", "--unshare-all", "--die-with-parent", "--new-session"]
    arguments += ["--hostname", "sandbox"]
    tmpfs = ["--perms", "1777", "--size", str(limits.file_size), "--tmpfs"]
    arguments += ["--proc", "/proc", "--dev", "/dev", *tmpfs, "/dev/shm"]
    arguments += ["--remount-ro", "/dev", *tmpfs, "/tmp"]
    return [*arguments, *_visible()]


@functools.cache
def _visible() -> tuple[str, ...]:
    # Parent folders are made here, since bwrap would make them accessible to root only.
    arguments = ["--ro-bind", "/usr", "/usr", "--perms", "0755", "--dir", "/etc"]
    arguments += ["--ro-bind-try", *["/etc/ld.so.cache"] * 2]
    for path in [*sorted(Path("/").glob("lib*")), Path("/bin"), Path("/sbin")]:
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir() and path.name != "lost+found":
            arguments += ["--ro-bind", str(path), str(path)]
    behave = importlib.util.find_spec("behave")
    assert behave is not None
    assert behave.origin is not None
    needed = [Path(sys.prefix), Path(sys.base_prefix), Path(behave.origin).parent.parent]
    seen = [Path("/usr")]
    for path in needed:
        if not any(path.is_relative_to(other) for other in seen):
            for parent in reversed(path.parents[:-1]):
                arguments += ["--perms", "0755", "--dir", str(parent)]
            arguments += ["--ro-bind", str(path), str(path)]
            seen.append(path)
    return tuple(arguments)


@functools.cache
def _inside_files() -> dict[str, bytes]:
    """The files of the sandbox besides the pair's: content by path in the sandbox."""
    folder = Path(__file__).with_name("inside")
    return {f"{_INSIDE}/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.py"))}


def _start(
    module: str,
    arguments: dict[str, Any],
    options: Sequence[str],
    files: dict[str, bytes],
    fds: Sequence[int],
) -> subprocess.Popen[bytes]:
    """Start bwrap with Python in it.

    Args:
        module: the module of `inside` whose `main` is called.
        arguments: the arguments of `main`.
        options: options for bwrap.
        files: content by path in the sandbox; read-only there.
        fds: additional file descriptors to keep open in the sandbox.
    """
    mounted: list[int] = []
    try:
        mounts: list[str] = []
        for path, data in (files | _inside_files()).items():
            mounted.append(in_memory(data))
            mounts += ["--perms", "0444", "--file", str(mounted[-1]), path]
        command = [sys.executable, *_PYTHON_OPTIONS, "-c", _RUN.format(module)]
        closed = ["--remount-ro", "/", "--chdir", "/tmp"]
        arguments_of_bwrap = [*options, *mounts, *closed, "--", *command, json.dumps(arguments)]
        return _start_bwrap(arguments_of_bwrap, [*fds, *mounted])
    finally:
        for fd in mounted:
            os.close(fd)


def _start_bwrap(arguments: Sequence[str], fds: Sequence[int]) -> subprocess.Popen[bytes]:
    """Start bwrap.

    As root, map the sandbox's user to nobody rather than to root, whose processes the kernel does
    not count. Since bwrap maps only the caller, we write the map ourselves while it waits.
    """
    bwrap = shutil.which("bwrap")
    assert bwrap is not None
    if not is_root():
        return _popen([bwrap, *arguments], fds)
    info_read, info_write = os.pipe()
    block_read, block_write = os.pipe()
    try:
        waiting = ["--info-fd", str(info_write), "--userns-block-fd", str(block_read)]
        process = _popen([bwrap, *waiting, *arguments], (*fds, info_write, block_read))
        try:
            os.close(info_write)
            info_write = -1
            info = b""
            while b"}" not in info and (more := os.read(info_read, 4096)):
                info += more
            if b"}" in info:  # otherwise bwrap has failed, and its message is in the output
                child = Path("/proc") / str(json.loads(info)["child-pid"])
                for name in ("uid_map", "gid_map"):
                    (child / name).write_text(f"0 0 1\n{_NOBODY} {_NOBODY} 1\n")
            os.write(block_write, b"1")
        except BaseException:
            stop(process)
            raise
        return process
    finally:
        for fd in (info_read, info_write, block_read, block_write):
            if fd >= 0:
                os.close(fd)


def _popen(arguments: Sequence[str], fds: Sequence[int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_ENVIRONMENT,
        pass_fds=fds,
        start_new_session=True,
    )

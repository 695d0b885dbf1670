"""Starts Python in bubblewrap: what of the system is visible there, and the limits on its use."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import seccomp

__all__ = ["Limits", "started"]

MIB = 1024 * 1024

_NOBODY = 65534


@dataclass(frozen=True)
class Limits:
    """What one run may use.

    Attributes:
        seconds: of wall-clock time, after which everything in the sandbox is killed.
        cpu_seconds: of processor time, each process; whole seconds.
        memory: bytes of address space, each process.
        file_size: bytes, each file; also the size of each of its two tmp folders.
        processes: processes and threads at one time, two of which the sandbox needs.
        open_files: each process.
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
def started(
    launcher: str, files: dict[str, bytes], limits: Limits
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A launcher running in the sandbox, killed with all it started when the context ends.

    Args:
        launcher: the path in the sandbox of a Python file among `files`. Its arguments are the file
            descriptor to report to, the limits it must take on, and the user it must become.
        files: path in the sandbox -> content, read-only there.

    Yields:
        the process, its standard input open, its output and errors in one pipe; and the file
        descriptor to read its report from.
    """
    report_read, report_write = os.pipe()
    try:
        with _open_files(files) as mounts:
            launch = [sys.executable, *_PYTHON_OPTIONS, launcher, str(report_write)]
            launch += [json.dumps(_resources(limits)), str(_NOBODY) if _is_root() else ""]
            options = [*_system(limits), *mounts.arguments, *_CLOSED]
            try:
                process = _start(options, launch, (*mounts.fds, report_write))
            finally:
                os.close(report_write)
        try:
            yield process, report_read
        finally:
            # bwrap's death ends all that is in the sandbox (--die-with-parent).
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
    finally:
        os.close(report_read)


# -s, -P, -B: nothing of the user's or the working folder's is imported, nothing is written.
_PYTHON_OPTIONS = ("-s", "-P", "-B", "-X", "utf8")

# The environment of bwrap itself, not only of the code: the code can read /proc/1/environ. Hashes
# are not random, so that a verdict can be had again.
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "PYTHONHASHSEED": "0",
}

_CLOSED = ("--remount-ro", "/", "--chdir", "/tmp")


def _resources(limits: Limits) -> dict[str, int]:
    return {
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_AS": limits.memory,
        "RLIMIT_FSIZE": limits.file_size,
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
    }


def _system(limits: Limits) -> list[str]:
    """What of the system is visible, and how the sandbox is closed off."""
    arguments = ["--unshare-user", "--unshare-all", "--die-with-parent", "--new-session"]
    arguments += ["--hostname", "sandbox", "--cap-drop", "ALL"]
    if _is_root():
        arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    tmpfs = ["--perms", "1777", "--size", str(limits.file_size), "--tmpfs"]
    arguments += ["--proc", "/proc", "--dev", "/dev", *tmpfs, "/dev/shm"]
    arguments += ["--remount-ro", "/dev", *tmpfs, "/tmp"]
    return [*arguments, *_visible()]


@functools.cache
def _visible() -> tuple[str, ...]:
    # Folders on the way are made here, since bwrap would make them for root only.
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


@dataclass(frozen=True)
class _Mounts:
    arguments: tuple[str, ...]
    fds: tuple[int, ...]


@contextmanager
def _open_files(files: dict[str, bytes]) -> Iterator[_Mounts]:
    """Files for the sandbox that exist in memory only, so that nothing is left behind."""
    arguments: list[str] = []
    fds: list[int] = []
    try:
        for path, data in files.items():
            fds.append(_in_memory(data))
            arguments += ["--perms", "0444", "--file", str(fds[-1]), path]
        fds.append(_in_memory(seccomp.program()))
        arguments += ["--seccomp", str(fds[-1])]
        yield _Mounts(tuple(arguments), tuple(fds))
    finally:
        for fd in fds:
            os.close(fd)


def _in_memory(data: bytes) -> int:
    fd = os.memfd_create("pair")
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _start(
    options: Sequence[str], command: Sequence[str], fds: Sequence[int]
) -> subprocess.Popen[bytes]:
    """Start bwrap.

    As root, the sandbox's user is mapped to nobody rather than to root, whose processes the kernel
    doesn't count; bwrap maps only the caller, so that we write the map and it waits for us.
    """
    bwrap = shutil.which("bwrap")
    assert bwrap is not None
    if not _is_root():
        return _popen([bwrap, *options, "--", *command], fds)
    info_read, info_write = os.pipe()
    block_read, block_write = os.pipe()
    try:
        waiting = ["--info-fd", str(info_write), "--userns-block-fd", str(block_read)]
        arguments = [bwrap, *waiting, *options, "--", *command]
        process = _popen(arguments, (*fds, info_write, block_read))
        os.close(info_write)
        info_write = -1
        info = b""
        while b"}" not in info and (more := os.read(info_read, 4096)):
            info += more
        if b"}" in info:  # else bwrap has failed, and its words are in the output
            child = Path("/proc") / str(json.loads(info)["child-pid"])
            for name in ("uid_map", "gid_map"):
                (child / name).write_text(f"0 0 1\n{_NOBODY} {_NOBODY} 1\n")
        os.write(block_write, b"1")
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


def _is_root() -> bool:
    return os.geteuid() == 0

"""Run a pair in a sandbox that is started for it and discarded afterwards."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .bubblewrap import Limits, started_alone
from .outcome import Reason, Run
from .run_output import read_all

__all__ = ["run_in_new_sandbox"]


def run_in_new_sandbox(feature: bytes, code: bytes, token: bytes, limits: Limits) -> Run:
    """Run a pair; its time limit includes starting the sandbox."""
    deadline = time.monotonic() + limits.seconds
    with started_alone(feature, code, limits) as (process, report_fd):
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(token)
        with _end_of(process) as ended:
            written = read_all(process.stdout.fileno(), report_fd, limits, deadline, ended)
        stopped = written.stopped
        if stopped is None:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                stopped = Reason.TIME_LIMIT
        status = -1 if process.returncode is None else process.returncode
    return Run(status, written.output, written.report, stopped)


@contextmanager
def _end_of(process: subprocess.Popen[bytes]) -> Iterator[int | None]:
    """A file descriptor that becomes readable when a process ends; None on kernels before 5.3."""
    try:
        ended = os.pidfd_open(process.pid)
    except OSError:
        yield None
        return
    try:
        yield ended
    finally:
        os.close(ended)

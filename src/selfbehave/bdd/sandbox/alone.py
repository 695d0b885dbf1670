"""Runs a pair in a sandbox that is started for it and thrown away."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress

from .bubblewrap import Limits, started_alone
from .outcome import Reason, Run
from .reading import read_all

__all__ = ["run_in_new_sandbox"]


def run_in_new_sandbox(feature: bytes, code: bytes, token: bytes, limits: Limits) -> Run:
    """Run a pair; its limit of time includes the sandbox's start."""
    deadline = time.monotonic() + limits.seconds
    with started_alone(feature, code, limits) as (process, report_fd):
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(token)
        written = read_all(process.stdout.fileno(), report_fd, limits, deadline)
        stopped = written.stopped
        if stopped is None:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                stopped = Reason.TIME_LIMIT
        status = -1 if process.returncode is None else process.returncode
    return Run(status, written.output, written.report, stopped)

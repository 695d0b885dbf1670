"""Read the output and the report of a run, within its limits of time and output."""

from __future__ import annotations

import os
import selectors
import time
from dataclasses import dataclass

from .bubblewrap import Limits
from .outcome import Reason

__all__ = ["Written", "read_all"]

_REPORT_BYTES = 8 * 1024 * 1024
_PIECE = 65536


@dataclass(frozen=True)
class Written:
    """What a run wrote, and the limit that it reached during reading, if any."""

    output: bytes
    report: bytes
    stopped: Reason | None


def read_all(
    output_fd: int, report_fd: int, limits: Limits, deadline: float, ended: int | None = None
) -> Written:
    """Read a run's output and report until both are closed.

    Args:
        deadline: on the clock of `time.monotonic`.
        ended: a file descriptor that becomes readable when the run is over. Then only the data
            already in the pipes is read, even if another process still has them open.
    """
    got = {output_fd: bytearray(), report_fd: bytearray()}
    most = {output_fd: limits.output, report_fd: _REPORT_BYTES}
    stopped: Reason | None = None
    open_fds = set(got)
    with selectors.PollSelector() as selector:
        for fd in got:
            os.set_blocking(fd, False)
            selector.register(fd, selectors.EVENT_READ)
        if ended is not None:
            selector.register(ended, selectors.EVENT_READ)
        while open_fds and not stopped:
            ready = {key.fd for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
            if not ready:
                stopped = Reason.TIME_LIMIT
            has_ended = ended in ready
            for fd in open_fds if has_ended else open_fds & ready:
                # Reads no more than the limit allows: the rest of an endless output is never read.
                while data := _read(fd, most[fd] - len(got[fd])):
                    got[fd] += data
                if data is not None:
                    selector.unregister(fd)
            open_fds &= set(selector.get_map())
            if any(len(got[fd]) >= most[fd] for fd in got):
                stopped = Reason.OUTPUT_LIMIT
            if has_ended:
                break
    return Written(bytes(got[output_fd]), bytes(got[report_fd]), stopped)


def _read(fd: int, most: int) -> bytes | None:
    """Read up to `most` bytes; empty at the end of the file, None if there is no data yet."""
    try:
        return os.read(fd, most)
    except BlockingIOError:
        return None

"""Reads every bomb for one reader, within bounds: `python -m tests.hostile.detonate READER`.

Prints, before each bomb, what it is, and after it the processor's seconds and the outcome. Past a
bound it raises: SECONDS for a bomb, and for the process MEMORY beyond the interpreter and what is
imported, counted as address space.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

SECONDS = 5.0
MEMORY = 512 * 2**20  # bytes


class TooLongError(BaseException):
    """A bomb took longer than SECONDS."""


def main(name: str, only: str | None = None) -> int:
    from .bombs import bombs_for  # here, as the fuzzer has SECONDS before it instruments these
    from .readers import outcome

    signal.signal(signal.SIGPROF, _refuse)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    failed = 0
    for what, data in bombs_for(name):
        if only not in (None, what):
            continue
        print(what, end="", flush=True)
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            told = outcome(name, data)
        except (Exception, TooLongError) as error:  # noqa: BLE001 (each is a defect to be told)
            signal.setitimer(signal.ITIMER_PROF, 0)
            failed += 1
            frames = traceback.extract_tb(error.__traceback__)
            ours = [one for one in frames if "/selfbehave/" in one.filename] or list(frames)
            told = f"FAILED {type(error).__name__} {str(error)[:200]!r} at {ours[-1]}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        print(f": {time.process_time() - began:.2f} s: {json.dumps(told[:500])}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak: {peak} MiB")
    return 1 if failed else 0


def _refuse(number: int, frame: FrameType | None) -> None:
    raise TooLongError


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Runs a scenario and its step functions by real behave in a sandbox of bubblewrap, never outside.

The code sees Python, behave and a small tmp of its own: no network, no home, no other process, a
read-only system, and limits on all it can use up.

What the code says about itself is not believed: a launcher started before it notes each step's
status and sends the notes out with a secret token; a run passes only if every step of every
scenario is noted as passed, behave's functions are the ones that were there before, and behave
exits with 0. What remains possible: the code shares a process with behave and the launcher, so code
written against this very launcher can find the token in memory, or restore what it patched. It can
lie about its own verdict; it can't leave the sandbox by that. Also: the memory limit is per
process, so that all together may take `processes` times as much; the kernel itself is shared; and
a pair's files are visible to the code itself.
"""

from .availability import missing, require
from .bubblewrap import Limits
from .failure import Failure, Frame, Operand
from .outcome import Outcome, Reason
from .pool import Sandboxes, run_pair
from .runner import run_pair_alone

__all__ = [
    "Failure",
    "Frame",
    "Limits",
    "Operand",
    "Outcome",
    "Reason",
    "Sandboxes",
    "missing",
    "require",
    "run_pair",
    "run_pair_alone",
]

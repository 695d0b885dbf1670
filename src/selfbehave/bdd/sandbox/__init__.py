"""Run a scenario and its step functions under real behave, only in a bubblewrap sandbox.

The code sees Python, behave and a small private tmp. It has no network, no home and no access to
other processes; the system is read-only, and all resources are limited.

The code's own claims are not trusted. A launcher that starts before the code records each step's
status and sends the records out with a secret token. A run passes only if every step of every
scenario is recorded as passed, behave's functions are unchanged, and behave exits with 0.

Remaining limits: the code shares a process with behave and the launcher. So code written against
this launcher can find the token in memory, or undo its own patches. It can lie about its own
verdict, but cannot leave the sandbox that way. The memory limit applies to each process, so all of
them together may use `processes` times as much. The kernel is shared. The code can read the pair's
files.
"""

from .availability import missing, require
from .bubblewrap import Limits
from .failure import Failure, Frame, Operand
from .outcome import Outcome, Reason
from .runner import run_pair_alone
from .sandboxes import Sandboxes, run_pair

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

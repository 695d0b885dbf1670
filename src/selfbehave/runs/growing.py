"""Runs that grow until enough rows are proven, in blocks of instructions.

After each block the yield so far says how many instructions the next one takes. Everything here
depends on what was committed only, so the same command grows the same blocks again.
"""

from __future__ import annotations

import math
from collections.abc import Collection

__all__ = ["FIRST_BLOCK", "MAX_BARREN_INSTRUCTIONS", "next_goal"]

FIRST_BLOCK = 10  # instructions: enough to estimate a yield
MAX_BARREN_INSTRUCTIONS = 60  # without a proven row, then the run stops


def next_goal(rows: int, accepted: int, proven: Collection[str]) -> int:
    """How many instructions a run should have accepted at the end of its next block.

    A block is at most as large as all before it together, so that the rows proven early soon
    become examples, and a yield estimated from few instructions does not decide much.

    Args:
        rows: wanted in all.
        accepted: instructions so far.
        proven: those of them whose rows are proven.
    """
    if not accepted:
        return min(rows, FIRST_BLOCK)
    missing = rows - len(proven)
    # Half a row more than were proven: the estimate of a yield of none is not zero.
    needed = math.ceil(missing * (accepted + 1) / (len(proven) + 0.5))
    return accepted + max(1, min(needed, max(accepted, FIRST_BLOCK)))

"""The bit counting of `overlap`, compiled by numba: the extra `fast`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

__all__ = ["bit_count", "sharing_enough"]


@intrinsic  # type: ignore[untyped-decorator]
def bit_count(_: Any, word: Any) -> Any:
    """How many bits of an unsigned 64-bit word are set; only for compiled functions."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@njit(cache=True)  # type: ignore[untyped-decorator]
def sharing_enough(
    bitmaps: NDArray[np.uint64],
    bitmap: NDArray[np.uint64],
    least: int,
    parts: NDArray[np.uint8],
    low: int,
    high: int,
) -> NDArray[np.intp]:
    """The result of `overlap.sharing_enough`, in one pass over the bitmaps."""
    # First write a byte for each column, then collect those that are set: the compiler vectorizes
    # a loop without branches over rows sliced to start at index 0.
    enough = np.zeros((high - low + 7) // 8 * 8, np.uint8)
    first, second = bitmaps[0, low:high], bitmaps[1, low:high]
    third, fourth = bitmaps[2, low:high], bitmaps[3, low:high]
    theirs = parts[low:high]
    for at in range(high - low):
        shared = (
            bit_count(first[at] & bitmap[0])
            + bit_count(second[at] & bitmap[1])
            + bit_count(third[at] & bitmap[2])
            + bit_count(fourth[at] & bitmap[3])
        )
        enough[at] = np.int64(shared) >= least + np.int64(theirs[at])
    found = np.empty(high - low, np.intp)
    count = 0
    eights = enough.view(np.uint64)
    for eight in range(len(eights)):
        if eights[eight]:
            for at in range(8 * eight, 8 * eight + 8):
                if enough[at]:
                    found[count] = low + at
                    count += 1
    return found[:count]

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
    bitmaps: NDArray[np.uint64], bitmap: NDArray[np.uint64], least: int, parts: NDArray[np.uint8]
) -> NDArray[np.intp]:
    """What `overlap.sharing_enough` tells, in one pass over the bitmaps."""
    found = np.empty(len(parts), np.intp)
    count = 0
    first, second, third, fourth = bitmap
    for at in range(len(parts)):
        shared = (
            bit_count(bitmaps[0, at] & first)
            + bit_count(bitmaps[1, at] & second)
            + bit_count(bitmaps[2, at] & third)
            + bit_count(bitmaps[3, at] & fourth)
        )
        if np.int64(shared) - least >= parts[at]:
            found[count] = at
            count += 1
    return found[:count]

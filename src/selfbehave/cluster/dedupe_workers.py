"""Near duplicates on a Ray cluster: the work of `near_duplicates.sharding`, run by Ray's workers.

Blocks and decisions lie in a folder beside the file that is written, which all nodes must see.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import ray

__all__ = ["RayExecutor"]


class RayExecutor(Executor):
    """Hands what it is given to the workers of the cluster that this process is connected to.

    What a killed worker was doing is done again by another.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = ray.remote(fn).remote(*args, **kwargs).future()
        return future

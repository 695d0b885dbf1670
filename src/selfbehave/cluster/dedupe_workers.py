"""Near-duplicate removal on a Ray cluster: `novelty.dedupe.sharding` with Ray's workers.

Blocks and decisions are in a folder beside the output, which all nodes must see.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import ray

__all__ = ["RayExecutor"]


class RayExecutor(Executor):
    """Runs functions on the workers of the cluster that this process is connected to.

    If a worker is killed, another worker does its task again.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = ray.remote(fn).remote(*args, **kwargs).future()
        return future

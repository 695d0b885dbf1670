"""Connecting to a Ray cluster, or starting one on this machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import ray
import ray.data

from ..core.errors import EXIT_USAGE, SelfBehaveError

__all__ = ["ClusterSettings", "connected"]

_STARTS = 3  # attempts of 30 s each: a busy machine may need more than one
_LOCAL_STORE_BYTES = 512 * 1024 * 1024  # rows pass through it a block at a time


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """Which cluster, and how much of it.

    Attributes:
        address: of a Ray cluster, as `ray.init` takes it; None starts one on this machine.
        workers: processes at a time; None takes one for each core of the cluster.
    """

    address: str | None = None
    workers: int | None = None


@contextmanager
def connected(settings: ClusterSettings) -> Iterator[int]:
    """Connect to a cluster for the `with` block; yield how many workers to use.

    An existing connection, such as a notebook's, is used and left open.

    Raises:
        SelfBehaveError: there is no such cluster.
    """
    if settings.workers is not None and settings.workers < 1:
        raise SelfBehaveError("--workers must be at least 1", exit_code=EXIT_USAGE)
    is_new = not ray.is_initialized()
    if is_new:
        _connect(settings)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield settings.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        if is_new:
            ray.shutdown()


def _connect(settings: ClusterSettings) -> None:
    address = settings.address or os.environ.get("RAY_ADDRESS")
    if not address:
        _start(settings.workers)
        return
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SelfBehaveError(
            f"the cluster cannot be reached: {str(error).splitlines()[0]}",
            where=address,
            mend="check --address and that the cluster is up",
        ) from error


def _start(workers: int | None) -> None:
    """Start a cluster of this machine only. It ends with this process."""
    for attempt in range(_STARTS):
        try:
            ray.init(
                address="local",
                num_cpus=workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
                object_store_memory=_LOCAL_STORE_BYTES,
                _system_config={"agent_register_timeout_ms": 60_000},  # for a busy machine
            )
            return
        except Exception as error:  # what Ray raises if it does not start within 30 s
            ray.shutdown()
            if attempt == _STARTS - 1:
                raise SelfBehaveError(
                    f"Ray does not start on this machine: {str(error).splitlines()[0]}",
                    mend="see the logs in /tmp/ray/session_latest/logs, and that the machine has "
                    "a processor and 1 GB of memory to spare",
                ) from error

"""Connecting to a Ray cluster, or starting one on this machine; and what goes wrong there."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# Read when Ray is loaded.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody

import ray
import ray.data

from ..errors import EXIT_USAGE, SelfBehaveError

__all__ = ["ClusterSettings", "connected", "reported"]

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
    """Be connected to a cluster; yields how many workers are wanted.

    A connection that is there already, such as a notebook's, is used and left as it is.

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
    try:
        if address:
            ray.init(address=address, log_to_driver=False, logging_level="error")
        else:
            ray.init(
                address="local",
                num_cpus=settings.workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
                object_store_memory=_LOCAL_STORE_BYTES,
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SelfBehaveError(
            f"the cluster cannot be reached: {str(error).splitlines()[0]}",
            where=address or "this machine",
            mend="check --address and that the cluster is up",
        ) from error


@contextmanager
def reported() -> Iterator[None]:
    """Raise what a worker raised for the user to see as such, not as the failure of a worker."""
    try:
        yield
    except Exception as error:
        if isinstance(error, SelfBehaveError) and not isinstance(error, ray.exceptions.RayError):
            raise
        found = _told(error)
        if found is None:
            raise
        raise found from error


def _told(error: BaseException | None) -> SelfBehaveError | None:
    while error is not None:
        if isinstance(error, SelfBehaveError) and not isinstance(error, ray.exceptions.RayError):
            return error
        error = getattr(error, "cause", None) or error.__cause__
    return None

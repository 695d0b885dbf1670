"""Give up a process's rights before it imports generated code."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping

__all__ = ["become_user", "close_all_but", "take_limits"]

_MOST_FILES = 1024


def close_all_but(*kept: int) -> None:
    """Close all files except the standard ones and those given; standard input becomes empty."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    start = 3
    for fd in sorted(kept):
        os.closerange(start, fd)
        start = fd + 1
    os.closerange(start, _MOST_FILES)


def become_user(user: int) -> None:
    """Become an ordinary user, because the kernel does not count processes of the host's root."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def take_limits(limits: Mapping[str, int]) -> None:
    """Set soft and hard limits: values by names of resources, such as RLIMIT_CPU."""
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))

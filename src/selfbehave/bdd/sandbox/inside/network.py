"""The network of the pairs: only a loopback interface, in the state of a new one for each."""

from __future__ import annotations

from .linux import Namespace, bring_loopback_up, unshare

__all__ = ["Network"]


class Network:
    """The network namespace of this process, which the processes that it forks share.

    It is renewed only after data was sent in it. The kernel remembers a closed connection for a
    minute and keeps its port in use; everything else ends with the processes that used it.
    """

    def __init__(self) -> None:
        self._unused = _counters()

    def renew_if_used(self) -> None:
        """Enter a new network namespace if anything was ever sent in this one."""
        if _counters() != self._unused:
            unshare(Namespace.NET)
            bring_loopback_up()
            self._unused = _counters()


def _counters() -> bytes:
    """The amount of data that the loopback interface has sent and received."""
    with open("/proc/self/net/dev", "rb") as file:  # noqa: PTH123
        return file.read()

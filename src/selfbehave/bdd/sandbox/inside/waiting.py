"""Wait in the sandbox, with behave imported, for one pair after another.

The waiting process neither runs nor reads generated code. It forks a keeper into a new pid
namespace, see `keeping`, and forks another when the keeper has run its share of pairs.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
from typing import Any

from .keeping import Connection, keep
from .linux import Namespace, set_dumpable, setns, unshare
from .network import Network
from .prepared import PreparedBehave
from .shut_in import Ready

__all__ = ["main"]

# If we are root, a pair is another user, who cannot affect the keeper. Otherwise it is the same
# user, who may lower the keeper's limits and priority, so each pair has its own keeper.
_PAIRS_OF_KEEPER = 100


def main(arguments: dict[str, Any]) -> None:
    """Run pairs until the outside closes the connection.

    Args:
        arguments: `control`, the file descriptor of the connection, see `keeping.Connection`;
            `filter`, of system calls, in hexadecimal digits; `user` and `ids`, see `shut_in.Ready`.
    """
    set_dumpable(False)
    # With a handler, a pair could interrupt the keeper, the first process of its namespace.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    user = arguments["user"]
    ready = Ready(
        behave=PreparedBehave(),
        filter=bytes.fromhex(arguments["filter"]),
        user=user,
        ids=arguments["ids"],
        faults=os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC),
    )
    connection = Connection(socket.socket(fileno=arguments["control"]))
    network = Network()
    own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    # Forks do not collect garbage among existing objects: that would only copy their memory.
    gc.collect()
    gc.freeze()
    is_first = go_on = True
    while go_on:
        network.renew_if_used()
        try:
            unshare(Namespace.PID)
            keeper = os.fork()
            if keeper == 0:
                keep(ready, connection, network, 1 if user is None else _PAIRS_OF_KEEPER)
            setns(own_pids, Namespace.PID)
        except OSError as error:
            connection.answer({"fault": str(error)})
            return
        if is_first:
            connection.answer({})
            is_first = False
        go_on = os.waitpid(keeper, 0)[1] == 0

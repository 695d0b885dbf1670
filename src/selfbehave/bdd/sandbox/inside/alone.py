"""Run one pair in its own sandbox, with files and filter set up by bubblewrap.

This starts before the generated code, and is trusted until that code is imported. The token that
proves that the report is ours comes on standard input.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from .restrictions import become_user, close_all_but, take_limits

__all__ = ["main"]


def main(arguments: dict[str, Any]) -> None:
    """Run the pair and end with behave's exit code.

    Args:
        arguments: `report`, the file descriptor to report to; `limits` by name of the resource;
            `user`, the id to become, null to keep the current one.
    """
    os.setsid()  # as in a kept sandbox, where the pair must not share its keeper's session
    token = sys.stdin.buffer.read()
    close_all_but(arguments["report"])
    if arguments["user"] is not None:
        become_user(arguments["user"])
    take_limits(arguments["limits"])

    from .prepared import PreparedBehave  # this import must obey the limits, too

    PreparedBehave().run(arguments["report"], token)

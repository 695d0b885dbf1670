"""Run one pair in its own sandbox, whose files and filter bubblewrap has set up.

Started before the generated code, and trusted until that is imported. The token that proves the
report to be ours comes on standard input.
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
            `user`, the id to become, null to stay.
    """
    os.setsid()  # as in a kept sandbox, where the pair must not be in its keeper's session
    token = sys.stdin.buffer.read()
    close_all_but(arguments["report"])
    if arguments["user"] is not None:
        become_user(arguments["user"])
    take_limits(arguments["limits"])

    from .prepared import PreparedBehave  # under the limits, too

    PreparedBehave().run(arguments["report"], token)

"""How an engine says that an attempt failed and may succeed later.

What can never succeed is a `SelfBehaveError`.
"""

from __future__ import annotations

from enum import Enum, auto

__all__ = ["Cause", "TryAgainError"]


class Cause(Enum):
    """Why an attempt failed, which decides who is asked next and when."""

    FAILED = auto()  # the server answered, with a failure of its own or with nothing usable
    BUSY = auto()  # the server answered that it gets too many requests
    GATEWAY = auto()  # a proxy answered for a server that is away
    UNREACHED = auto()  # nobody answered

    @property
    def is_absence(self) -> bool:
        """Whether the server itself did not answer."""
        return self in (Cause.GATEWAY, Cause.UNREACHED)


class TryAgainError(Exception):
    """An attempt failed in a way that may pass.

    Args:
        reason: in a word or two, such as the status code.
        words: the server's own, or the connection's.
        retry_after: seconds that the server wants to be left alone.
        cause: what is known of who failed.
    """

    def __init__(
        self,
        reason: str,
        words: str = "",
        *,
        retry_after: float | None = None,
        cause: Cause = Cause.FAILED,
    ) -> None:
        super().__init__(f"{reason}: {words}" if words else reason)
        self.reason = reason
        self.words = words
        self.retry_after = retry_after
        self.cause = cause

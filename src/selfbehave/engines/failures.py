"""The error with which an engine reports that an attempt failed but may succeed later.

A permanent failure is a `SelfBehaveError`.
"""

from __future__ import annotations

from enum import Enum, auto

__all__ = ["Cause", "TryAgainError"]


class Cause(Enum):
    """Why an attempt failed, which decides when and at which engine to retry."""

    FAILED = auto()  # the server answered with a failure
    BUSY = auto()  # the server reported too many requests
    GATEWAY = auto()  # a proxy answered for an unavailable server
    UNREACHED = auto()  # nothing answered
    UNUSABLE = auto()  # the server answered with a success that contains no answer

    @property
    def is_absence(self) -> bool:
        """Whether the server itself did not answer."""
        return self in (Cause.GATEWAY, Cause.UNREACHED)


class TryAgainError(Exception):
    """An attempt failed temporarily.

    Args:
        reason: in a word or two, such as the status code.
        words: the message of the server or the connection.
        retry_after: the pause in seconds that the server asks for.
        cause: which part failed, as far as known.
        mend: advice to the user, if it fails for good.
    """

    def __init__(
        self,
        reason: str,
        words: str = "",
        *,
        retry_after: float | None = None,
        cause: Cause = Cause.FAILED,
        mend: str = "",
    ) -> None:
        super().__init__(f"{reason}: {words}" if words else reason)
        self.reason = reason
        self.words = words
        self.retry_after = retry_after
        self.cause = cause
        self.mend = mend

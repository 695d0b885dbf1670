"""What can happen in a run, told the moment it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ..core.records import Dropped, Example

if TYPE_CHECKING:
    from .stage_report import StageReport

__all__ = [
    "Accepted",
    "Dropped",
    "EngineOpened",
    "Event",
    "InFlight",
    "Outcome",
    "Progressed",
    "Retry",
    "RunFinished",
    "RunStarted",
    "Said",
    "ServerBack",
    "ServerGone",
    "StageFinished",
    "StageStarted",
    "Stopping",
    "Tell",
    "unheard",
]

Outcome = Literal["done", "failed", "interrupted"]


@dataclass(frozen=True)
class RunStarted:
    """A command began: `run`, or one of the stages; `folder` is the run's, where there is one."""

    command: str
    folder: str | None


@dataclass(frozen=True)
class EngineOpened:
    """What answers; `notice` are terms of it that its user must know of."""

    identity: str
    api: str
    notice: str | None


@dataclass(frozen=True)
class StageStarted:
    """A stage began; its report is kept up to date while it works."""

    report: StageReport


@dataclass(frozen=True)
class Progressed:
    """A stage came further."""

    report: StageReport


@dataclass(frozen=True)
class StageFinished:
    """A stage ended; not `is_whole` if it broke off."""

    report: StageReport
    is_whole: bool


@dataclass(frozen=True)
class Accepted:
    """A stage kept something.

    Attributes:
        output: what was made for the instruction: an answer as it came (instances), Yes or No
            (classify), an example's output (prepare); None where the instruction itself is new.
        request_idx: of the request it came from, where that is one.
    """

    stage: str
    instruction: str
    output: str | None = None
    request_idx: int | None = None


@dataclass(frozen=True)
class InFlight:
    """How many requests the engine is working on."""

    count: int


@dataclass(frozen=True)
class Retry:
    """A request failed in a way that may pass.

    Attributes:
        stage, request_idx: of the request.
        attempt: which one failed, from 1.
        reason: in a word or two: the status code, or "no answer".
        words: the server's own, or the connection's.
        wait: seconds until it is tried again.
    """

    stage: str
    request_idx: int
    attempt: int
    reason: str
    words: str
    wait: float


@dataclass(frozen=True)
class ServerGone:
    """The server answers nobody any more; `since` is when it first did not."""

    address: str
    since: datetime
    reason: str
    words: str


@dataclass(frozen=True)
class ServerBack:
    """The server that was gone answers again, after so many seconds."""

    address: str
    seconds: float


@dataclass(frozen=True)
class Said:
    """Something for people to read."""

    text: str


@dataclass(frozen=True)
class Stopping:
    """The run breaks off, but first waits for the answers that may have been paid for."""

    awaited: int


@dataclass(frozen=True)
class RunFinished:
    """A command ended.

    Attributes:
        error: why it failed, in one line; None unless it did.
        reports: of the stages that were done.
        example: one of what was made, to look at.
        advice: what its user may want to know next.
    """

    outcome: Outcome
    error: str | None = None
    reports: tuple[StageReport, ...] = ()
    example: Example | None = None
    advice: str | None = None


Event = (
    RunStarted
    | EngineOpened
    | StageStarted
    | Progressed
    | StageFinished
    | Accepted
    | Dropped
    | InFlight
    | Retry
    | ServerGone
    | ServerBack
    | Said
    | Stopping
    | RunFinished
)

Tell = Callable[[Event], None]


def unheard(event: Event) -> None:
    """Tell nobody."""

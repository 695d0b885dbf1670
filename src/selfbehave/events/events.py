"""The events of a run, as typed records. Each is emitted the moment it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ..core.records import Attempt, Dropped, Example
from ..core.spending import BudgetEnd, Spending

if TYPE_CHECKING:
    from .stage_report import StageReport

__all__ = [
    "Accepted",
    "Attempt",
    "BatchMoved",
    "BatchOver",
    "Dropped",
    "Emit",
    "EngineOpened",
    "Estimated",
    "Event",
    "Figure",
    "Grown",
    "InFlight",
    "ParameterRefused",
    "Progressed",
    "Retry",
    "RunFinished",
    "RunOutcome",
    "RunStarted",
    "Said",
    "ServerBack",
    "ServerGone",
    "Spent",
    "StageFigures",
    "StageFinished",
    "StageStarted",
    "Stopping",
    "ignore",
]

RunOutcome = Literal["done", "failed", "interrupted"]


@dataclass(frozen=True)
class RunStarted:
    """A command began: `run` or a stage. `folder` is the run's folder, where there is one."""

    command: str
    folder: str | None


@dataclass(frozen=True)
class EngineOpened:
    """The engine is open. `notice` contains the terms of its model that the user must know."""

    identity: str
    api: str
    notice: str | None


@dataclass(frozen=True)
class StageStarted:
    """A stage started. Its report is kept up to date while it works."""

    report: StageReport


@dataclass(frozen=True)
class Progressed:
    """A stage made progress."""

    report: StageReport


@dataclass(frozen=True)
class StageFinished:
    """A stage ended. `is_whole` is false if it broke off."""

    report: StageReport
    is_whole: bool


@dataclass(frozen=True)
class Accepted:
    """A stage kept something.

    Attributes:
        output: the result for the instruction: the raw answer (instances), Yes or No
            (classify), an example's output (prepare). None if the instruction itself is new.
            request_idx: the request that it came from, if there is one.
    """

    stage: str
    instruction: str
    output: str | None = None
    request_idx: int | None = None


@dataclass(frozen=True)
class InFlight:
    """The number of requests that the engine is working on."""

    count: int


@dataclass(frozen=True)
class Retry:
    """A request failed and will be retried.

    Attributes:
        stage, request_idx: the request.
        attempt: the number of the attempt that failed, from 1.
        reason: in a word or two: the status code, or "no answer".
        words: the message of the server, or of the connection.
        wait: seconds until the next attempt.
    """

    stage: str
    request_idx: int
    attempt: int
    reason: str
    words: str
    wait: float


@dataclass(frozen=True)
class ParameterRefused:
    """The server refuses a parameter, and gets requests without it from now on.

    Attributes:
        name: of the parameter.
        instead: the name under which its value is sent; "" if it is left out.
    """

    address: str
    name: str
    instead: str


@dataclass(frozen=True)
class ServerGone:
    """The server has stopped answering. `since` is the time of its first missing answer."""

    address: str
    since: datetime
    reason: str
    words: str


@dataclass(frozen=True)
class ServerBack:
    """The server answers again, after `seconds` without an answer."""

    address: str
    seconds: float


@dataclass(frozen=True)
class Grown:
    """A block of a run ended that grows until enough rows are proven.

    Attributes:
        wanted: rows in all.
        proven: rows so far.
        instructions: accepted so far.
    """

    wanted: int
    proven: int
    instructions: int


@dataclass(frozen=True)
class Said:
    """A message for people."""

    text: str


@dataclass(frozen=True)
class BatchMoved:
    """A batch of requests got further.

    Attributes:
        batch: the server's name for it, or its own before the server has told one.
        status: "written", "uploaded", then the server's word, such as "in_progress".
        requests: the number of its requests.
        completed, failed: how many of them the server has answered, or could not answer.
    """

    batch: str
    status: str
    requests: int
    completed: int = 0
    failed: int = 0


@dataclass(frozen=True)
class BatchOver:
    """The answers of a batch are in the journal.

    Attributes:
        batch: the server's name for it.
        status: the server's last word.
        answered: the number of its requests with an answer.
        asked_again: the number of those without, which are asked alone if they are still wanted.
        ignored: lines of its files that belong to none of its requests, or repeat one.
    """

    batch: str
    status: str
    answered: int
    asked_again: int
    ignored: int


@dataclass(frozen=True)
class Figure:
    """An estimated figure with its 95% interval, which may be unknown."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class StageFigures:
    """What a stage will take in all; None for what cannot be told.

    Attributes:
        stage: its name, or words for all stages.
        cost: in the currency of the prices.
        seconds: the time of the engine, with as many requests in flight as the run has.
    """

    stage: str
    requests: Figure | None
    prompt_tokens: Figure | None
    completion_tokens: Figure | None
    cost: Figure | None
    seconds: Figure | None


@dataclass(frozen=True)
class Estimated:
    """What a whole run will take, from a sample of each stage.

    Attributes:
        stages, whole: the figures, with what is spent already.
        items: the number of items in the sample.
        spent: by all answers in the journal so far.
        cost: of these; None without prices.
    """

    stages: tuple[StageFigures, ...]
    whole: StageFigures
    items: int
    spent: Spending
    cost: float | None


@dataclass(frozen=True)
class Spent:
    """What a run has spent in all; emitted after the last stage that asks, if it has a budget.

    Attributes:
        spent: by all answers in its journal, earlier commands' too.
        cost: in the currency of the prices; None without prices.
        end: the limit that ended the run before its goals; None if none did.
    """

    spent: Spending
    cost: float | None
    end: BudgetEnd | None


@dataclass(frozen=True)
class Stopping:
    """The run breaks off. It first waits for answers in flight, which may have been paid for."""

    awaited: int


@dataclass(frozen=True)
class RunFinished:
    """A command ended.

    Attributes:
        error: why it failed, in one line; None if it did not fail.
        reports: those of the stages that finished.
        example: one of the generated examples, for display.
        advice: what the user may want to do next.
    """

    outcome: RunOutcome
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
    | Attempt
    | Dropped
    | Grown
    | InFlight
    | Retry
    | ParameterRefused
    | ServerGone
    | ServerBack
    | Said
    | Estimated
    | BatchMoved
    | BatchOver
    | Spent
    | Stopping
    | RunFinished
)
"""Any of the events."""

Emit = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Do nothing with an event."""

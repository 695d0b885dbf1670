"""The counts of a stage, for its progress and its summary."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from ..core.records import Example
from ..core.spending import BudgetEnd
from .pace import Pace

__all__ = ["StageReport"]


class _Answered(Protocol):
    """The parts of an answer that a report counts; an engine's `Completion` has them."""

    @property
    def prompt_tokens(self) -> int: ...
    @property
    def completion_tokens(self) -> int: ...
    @property
    def reasoning_tokens(self) -> int: ...
    @property
    def is_replayed(self) -> bool: ...


@dataclass
class StageReport:
    """The counts of one stage, kept up to date while it works.

    Attributes:
        stage: its name.
        unit: what it makes or processes, in the plural.
        goal: how many it should make or process.
        done: how many of the goal are done.
        accepted: how many were kept.
        dropped: how many were dropped, by reason.
        requests, replayed: committed requests, and how many of them the journal answered.
        in_flight: requests that the engine is working on.
        retried: failed attempts that were retried, by reason.
        prompt_tokens, completion_tokens: of all committed requests.
        reasoning_tokens: those of the completion tokens that went into thoughts.
        new_tokens: completion tokens that the engine generated in this run of the stage.
        notes: messages for the user, one line each.
        files: the files that it wrote.
        rungs: for scenarios, how many candidates reached each mark of the BDD ladder.
        attempts: answers to the instructions that are done, all attempts counted.
        reached: for scenarios that are done, how many have their best attempt at each rung.
        proven: how many of these are what the run's aim wants.
        example: one of the rows that it made, for display.
        budget_end: the limit of the budget that ended it before its goal; None if none did.
        is_used_up: whether it ended before its goal because nothing was left to ask for.
    """

    stage: str
    unit: str
    goal: int
    done: int = 0
    accepted: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    replayed: int = 0
    in_flight: int = 0
    retried: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    new_tokens: int = 0
    notes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    rungs: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    proven: int = 0
    example: Example | None = None
    budget_end: BudgetEnd | None = None
    is_used_up: bool = False
    _started: float = field(default_factory=time.monotonic, repr=False)
    _ended: float | None = field(default=None, repr=False)
    _pace: Pace = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pace = Pace(self._started, self.done)

    def count(self, completion: _Answered) -> None:
        """Count a committed answer."""
        self.requests += 1
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens
        self.reasoning_tokens += completion.reasoning_tokens
        if completion.is_replayed:
            self.replayed += 1
        else:
            self.new_tokens += completion.completion_tokens

    def mark(self) -> None:
        """Record the progress, for the rates. Call it after each committed answer."""
        now = time.monotonic()
        if self.requests and self.requests == self.replayed:
            self._pace.restart(now, self.done)  # the journal's speed is not the engine's
        else:
            self._pace.mark(now, self.done)

    def end(self) -> None:
        """Record the end of the stage, for its wall time."""
        self._ended = time.monotonic()

    @property
    def retries(self) -> int:
        """The number of failed attempts that were retried."""
        return self.retried.total()

    @property
    def seconds(self) -> float:
        """Wall time of the stage, in seconds."""
        return (self._ended or time.monotonic()) - self._started

    @property
    def tokens_per_second(self) -> float:
        """Tokens that the engine generated per second of the stage."""
        return self.new_tokens / self.seconds if self.seconds > 0 else 0.0

    @property
    def per_second(self) -> float | None:
        """The recent pace, in items a second; None before the engine answers."""
        return self._pace.per_second(self._ended or time.monotonic())

    @property
    def seconds_left(self) -> float | None:
        """Seconds left at the recent pace; None before the engine answers."""
        rate = self.per_second
        return max(0, self.goal - self.done) / rate if rate else None

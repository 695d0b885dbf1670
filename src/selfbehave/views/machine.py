"""The view for programs: each event as a JSON object on a line of its own (`--json`).

The events and their fields are an interface. docs/how-to/watch-a-run.md lists them, and a test
checks this. Fields may be added; no field is renamed, removed or given another meaning.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TextIO

from ..core.errors import SelfBehaveError
from ..events.events import (
    Accepted,
    Attempt,
    BatchMoved,
    BatchOver,
    Dropped,
    EngineOpened,
    Estimated,
    Event,
    Grown,
    ParameterRefused,
    Progressed,
    Retry,
    RunFinished,
    RunStarted,
    ServerBack,
    ServerGone,
    Spent,
    StageFinished,
    StageStarted,
)
from ..events.stage_report import StageReport

__all__ = ["JsonLines"]

_FORMAT = 1  # of the events; it is raised only if older readers would misread them
_PROGRESS_EVERY = 1.0  # seconds


class JsonLines:
    """Writes each event to a stream as soon as it happens (see `View`)."""

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self._progress_at = float("-inf")

    def show(self, event: Event) -> None:
        if isinstance(event, Progressed):
            now = time.monotonic()
            if now - self._progress_at < _PROGRESS_EVERY:
                return
            self._progress_at = now
        fields = _fields(event)
        if fields is not None and self._stream is not None:
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._write(self._stream, json.dumps({"time": at, **fields}))

    def _write(self, stream: TextIO, line: str) -> None:
        try:
            print(line, file=stream, flush=True)
        except BrokenPipeError as error:
            self._stream = None
            if stream is sys.stdout:  # or Python complains at exit that it could not flush
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SelfBehaveError(
                "the reader of the events is gone",
                mend="the same command continues",
            ) from error


def _fields(event: Event) -> dict[str, Any] | None:
    """An event's name and fields; None for an event that is for people only."""
    match event:
        case RunStarted(command, folder):
            return {
                "event": "run_started", "format": _FORMAT, "command": command, "folder": folder
            }  # fmt: skip
        case EngineOpened(identity, api):
            return {"event": "engine_opened", "engine": identity, "api": api}
        case StageStarted(report):
            return {"event": "stage_started", **_place(report)}
        case Progressed(report):
            rate, left = report.per_second, report.seconds_left
            return {
                "event": "progress",
                **_place(report),
                "in_flight": report.in_flight,
                "per_minute": None if rate is None else round(rate * 60, 2),
                "seconds_left": None if left is None else round(left, 1),
            }
        case Accepted(stage, instruction, output, request_idx):
            return {
                "event": "accepted",
                "stage": stage,
                "request_idx": request_idx,
                "instruction": instruction,
                "output": output,
            }
        case Dropped(stage, reason, text, request_idx, detail):
            return {
                "event": "dropped",
                "stage": stage,
                "request_idx": request_idx,
                "reason": reason,
                "detail": detail,
                "text": text,
            }
        case Retry(stage, request_idx, attempt, reason, words, wait):
            return {
                "event": "retry",
                "stage": stage,
                "request_idx": request_idx,
                "attempt": attempt,
                "reason": reason,
                "words": words,
                "wait": round(wait, 3),
            }
        case ParameterRefused(address, name, instead):
            return {
                "event": "parameter_refused",
                "address": address,
                "name": name,
                "instead": instead or None,
            }
        case ServerGone(address, since, reason, words):
            return {
                "event": "server_gone",
                "address": address,
                "since": since.isoformat(timespec="milliseconds"),
                "reason": reason,
                "words": words,
            }
        case ServerBack(address, seconds):
            return {"event": "server_back", "address": address, "seconds": round(seconds, 3)}
        case BatchMoved():
            return {"event": "batch_moved", **asdict(event)}
        case BatchOver():
            return {"event": "batch_over", **asdict(event)}
        case Estimated(stages, whole, items, spent, cost):
            return {
                "event": "estimated",
                "stages": [asdict(stage) for stage in stages],
                "whole": asdict(whole),
                "items": items,
                "spent_requests": spent.requests,
                "spent_cost": cost,
            }
        case Spent(spent, cost, end):
            return {
                "event": "spent",
                **asdict(spent),
                "cost": cost,
                "budget_end": None if end is None else end.limit,
            }
        case Attempt():
            return {
                "event": "attempt",
                "stage": "instances",
                "attempt": event.attempt,
                "repairs": event.repairs,
                "rung": event.rung,
                "faults": list(event.faults),
                "kept": event.is_kept,
                "instruction": event.instruction,
            }
        case Grown():
            return {"event": "grown", **asdict(event)}
        case StageFinished(report, is_whole):
            return {"event": "stage_finished", "whole": is_whole, **_place(report), **_sum(report)}
        case RunFinished(outcome, error, reports):
            return {
                "event": "run_finished",
                "outcome": outcome,
                "error": error,
                "files": [file for report in reports for file in report.files],
            }
    return None


def _place(report: StageReport) -> dict[str, Any]:
    return {
        "stage": report.stage,
        "unit": report.unit,
        "goal": report.goal,
        "done": report.done,
    }


def _sum(report: StageReport) -> dict[str, Any]:
    return {
        "accepted": report.accepted,
        "dropped": dict(report.dropped),
        "requests": report.requests,
        "replayed": report.replayed,
        "retries": dict(report.retried),
        "prompt_tokens": report.prompt_tokens,
        "completion_tokens": report.completion_tokens,
        "reasoning_tokens": report.reasoning_tokens,
        "seconds": round(report.seconds, 3),
        "rungs": dict(report.rungs),
        "attempts": report.attempts,
        "reached": dict(report.reached),
        "proven": report.proven,
        "notes": report.notes,
        "budget_end": None if report.budget_end is None else report.budget_end.limit,
    }

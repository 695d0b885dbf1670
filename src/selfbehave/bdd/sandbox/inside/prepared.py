"""Prepare behave to run a pair, as far as possible before the pair is known."""

from __future__ import annotations

import json
import linecache
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import behave.__main__
import behave.model
import behave.runner
from behave.configuration import Configuration
from behave.formatter import _registry
from behave.formatter.plain import PlainFormatter

from .first_failure import failure_of
from .guard import Guard

__all__ = ["FEATURES", "PreparedBehave"]

FEATURES = "/pair/features"
_CODE_PATH = Path(FEATURES, "steps/steps.py")

# Output is not captured, so that endless printing hits the output limit, not the memory limit.
_OPTIONS = ("--no-capture", "--no-capture-stderr", "--no-logcapture", "--no-color", "--no-summary")
_ERROR_CHARACTERS = 300
_MOST_NAMES = 5


class PreparedBehave:
    """Behave with its options read and its functions recorded; it runs once in a process."""

    def __init__(self) -> None:
        self._notes = _Notes()
        _registry.register_as("noted", self._notes.formatter())
        self._configuration = Configuration([*_OPTIONS, "--format", "noted", FEATURES])
        # Behave looks up its own source lines whenever something is set in `context`.
        for module in (behave.model, behave.runner):
            linecache.getlines(module.__file__)
        self._guard = Guard()

    def run(self, report_fd: int, token: bytes) -> NoReturn:
        """Run the features, report, and end the process with behave's exit code.

        The report is the token and JSON: behave's exit `code`, what `ended` it early, what the code
        `patched`, each step's name, status and error in `steps`, and the facts about the first
        `failure`, null if there was none.
        """
        status = 1
        try:
            report = self._report()
            data = token + json.dumps(report).encode()
            while data:
                data = data[os.write(report_fd, data) :]
            status = report["code"]
        except BaseException:  # noqa: BLE001 (generated code may have replaced what is used here)
            traceback.print_exc()
        finally:
            # Not sys.exit: threads and exit handlers of the code must not outlive the report.
            os._exit(status)

    def _report(self) -> dict[str, Any]:
        ended = ""
        code = 1
        try:
            code = behave.__main__.run_behave(self._configuration)
        except BaseException as error:  # noqa: BLE001 (generated code raises what it likes)
            self._notes.note_failure(error, error.__traceback__, None)
            ended = f"{type(error).__name__}: {error}"[:_ERROR_CHARACTERS]
        # No code patches behave to fail, and this check takes a tenth of the time. Outside, a run
        # without the check never passes.
        is_red = code != 0 or any(status != "passed" for _, status, _ in self._notes.steps)
        patched = None if is_red else self._guard.changes()[:_MOST_NAMES]
        sys.stdout.flush()
        sys.stderr.flush()
        return {
            "code": code,
            "ended": ended,
            "patched": patched,
            "steps": self._notes.steps,
            "failure": self._notes.failure,
        }


class _Notes:
    """Notes taken while behave runs.

    Attributes:
        steps: name, status and error of each step.
        failure: the facts about the first failure, see `failure_of`, and the `step` that failed.
    """

    def __init__(self) -> None:
        self.steps: list[tuple[str, str, str]] = []
        self.failure: dict[str, Any] | None = None

    def note_failure(
        self, error: BaseException, where: TracebackType | None, step: str | None
    ) -> None:
        """Note the facts about a failure of a step, or of the import, if it is the first."""
        if self.failure is not None:
            return
        # This runs code of the pair. If that raises, there are no facts, but still a verdict.
        with suppress(BaseException):
            self.failure = failure_of(error, where, _CODE_PATH.read_text("utf-8")) | {"step": step}

    def formatter(self) -> type[PlainFormatter]:
        """Behave's plain output, extended to note each step's result here."""
        notes = self

        class Noted(PlainFormatter):  # type: ignore[misc]
            def result(self, step: Any) -> None:
                last = (step.error_message or "").strip().rpartition("\n")[2]
                notes.steps.append((step.name, step.status.name, last[:_ERROR_CHARACTERS]))
                if step.exception is not None and step.status.name != "passed":
                    notes.note_failure(step.exception, step.exc_traceback, step.name)
                super().result(step)

        return Noted

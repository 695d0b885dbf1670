"""The outcome of a run in the sandbox, judged from its output and report."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from .failure import Failure, read_failure

__all__ = ["Outcome", "Reason", "Run", "judge"]


class Reason(StrEnum):
    """Why a run did not pass."""

    FAILED = "failed"
    TIME_LIMIT = "time limit"
    CPU_LIMIT = "cpu limit"
    OUTPUT_LIMIT = "output limit"
    FILE_SIZE_LIMIT = "file size limit"
    KILLED = "killed"
    FORGED_RESULT = "forged result"


_REASONS = {
    128 + signal.SIGKILL: Reason.KILLED,
    128 + signal.SIGXCPU: Reason.CPU_LIMIT,
    128 + signal.SIGXFSZ: Reason.FILE_SIZE_LIMIT,
}


@dataclass(frozen=True)
class Outcome:
    """The outcome of one run.

    Attributes:
        passed: whether every step of every scenario ran and passed.
        reason: why it did not pass; None if it passed.
        detail: the step and its error, or the evidence of a forgery; one line, may be empty.
        output: what behave and the code printed, up to the limit.
        failed_step: index of the first step that did not pass, among the steps that the scenario
            runs; None if no step is known to have failed.
        failure: facts about the first failure, if there was one and no limit ended the run.
    """

    passed: bool
    reason: Reason | None
    detail: str
    output: str
    failed_step: int | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Run:
    """The output and status of a run.

    Attributes:
        status: the exit status as in a shell: 128 plus the signal's number if a signal ended it.
        output: standard output and error, up to the limit.
        report: the report from inside the sandbox.
        stopped: the limit that ended the run from outside, if any.
    """

    status: int
    output: bytes
    report: bytes
    stopped: Reason | None


@dataclass(frozen=True)
class _Report:
    """The report from inside the sandbox.

    Attributes:
        code: behave's exit code.
        ended: what ended behave early; may be empty.
        patched: names in behave and the built-ins that the code changed; None if this was not
            checked.
        steps: name, status and error of each step, in the order they ran.
        failure: the first failure.
    """

    code: int
    ended: str
    patched: list[str] | None
    steps: list[tuple[str, str, str]]
    failure: Failure | None


def judge(run: Run, token: bytes, expected: Sequence[str]) -> Outcome:
    """Judge a run.

    Args:
        token: the token that a report must begin with.
        expected: the text of each step that must have run, in order.
    """
    output = run.output.decode("utf-8", "replace")

    def because(reason: Reason, detail: str = "", failed_step: int | None = None) -> Outcome:
        return Outcome(False, reason, " ".join(detail.split()), output, failed_step)

    if run.stopped:
        return because(run.stopped)
    if not run.report:
        if run.status == 0:
            return because(Reason.FORGED_RESULT, "it ended with 0 before behave did")
        reason = _REASONS.get(run.status, Reason.FAILED)
        return because(reason, f"it ended with {run.status} before behave did")
    report = _read_report(run.report, token)
    if report is None:
        return because(Reason.FORGED_RESULT, "the report is not the launcher's")
    if report.ended:
        return replace(because(Reason.FAILED, report.ended), failure=report.failure)
    names = [name for name, _, _ in report.steps]
    for place, (name, status, error) in enumerate(report.steps):
        if status != "passed":
            is_known = names[: place + 1] == list(expected[: place + 1])
            detail = f"step '{name}' {status}: {error}"
            failed = because(Reason.FAILED, detail, place if is_known else None)
            return replace(failed, failure=report.failure)
    lines = output.strip().splitlines()
    if names != list(expected):
        ran = f"{len(names)} steps ran of {len(expected)}"
        # Where behave could not read the pair, it said why before it ended.
        said = f"{lines[-1]}; " if lines and not names and report.code != 0 else ""
        return because(Reason.FAILED, said + ran)
    if report.code != 0 or run.status != 0:
        return because(Reason.FAILED, lines[-1] if lines else f"behave ended with {report.code}")
    if report.patched is None:
        return because(Reason.FORGED_RESULT, "the report is not the launcher's")
    if report.patched:
        return because(Reason.FORGED_RESULT, f"it changed {', '.join(report.patched)}")
    return Outcome(True, None, "", output)


def _read_report(data: bytes, token: bytes) -> _Report | None:
    """Read the report; None if it is malformed or lacks the token. Code with the token may lie."""
    if not data.startswith(token):
        return None
    try:
        match json.loads(data[len(token) :]):
            case {
                "code": int(code),
                "ended": str(ended),
                "patched": patched,
                "steps": [*steps],
                "failure": failure,
            }:
                its_steps = [(str(name), str(status), str(error)) for name, status, error in steps]
                names = None if patched is None else list(map(str, patched))
                return _Report(code, ended, names, its_steps, read_failure(failure))
    except (ValueError, TypeError, RecursionError):
        pass
    return None

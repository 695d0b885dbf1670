"""Runs a scenario and its step functions by real behave in a sandbox of bubblewrap, never outside.

The code sees Python, behave and a small tmp of its own: no network, no home, no other process, a
read-only system, and limits on all it can use up.

What the code says about itself is not believed: a launcher started before it notes each step's
status and sends the notes out with a secret token; a run passes only if every step of every
scenario is noted as passed, behave's functions are the ones that were there before, and behave
exits with 0. What remains possible: the code shares a process with behave and the launcher, so code
written against this very launcher can find the token in memory, or restore what it patched. It can
lie about its own verdict; it can't leave the sandbox by that. Also: the memory limit is per
process, so that all together may take `processes` times as much; the kernel itself is shared; and
a pair's files are visible to the code itself.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import platform
import secrets
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import SelfBehaveError
from ..scenario import ScenarioError, parse_scenario
from . import seccomp
from .bubblewrap import Limits, started

__all__ = ["Limits", "Outcome", "missing", "require", "run_pair"]

_REPORT_BYTES = 8 * 1024 * 1024
_LAUNCHER = "/pair/launcher.py"
_SIGNALS = {137: "killed", 152: "cpu limit", 153: "file size limit"}


@dataclass(frozen=True)
class Outcome:
    """What came of one run.

    Attributes:
        passed: every step of every scenario ran and passed.
        reason: None where it passed, else "failed", "time limit", "cpu limit", "output limit",
            "file size limit", "killed" or "forged result".
        detail: the step and its error, or what gave a forgery away; one line, may be empty.
        output: what behave and the code printed, up to the limit.
        failed_step: place of the first step that did not pass among the steps that the scenario
            runs, from 0; None where no step is known to have failed.
    """

    passed: bool
    reason: str | None
    detail: str
    output: str
    failed_step: int | None = None


def missing() -> str | None:
    """What the sandbox lacks on this machine and how to get it, in one line; None if it works."""
    if sys.platform != "linux" or platform.machine() not in seccomp.MACHINES:
        return f"the sandbox needs Linux on {' or '.join(seccomp.MACHINES)}"
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return "bubblewrap is missing: on Debian, apt install bubblewrap"
    return _fault_of(bwrap)


def require() -> None:
    """Raise where the sandbox does not work.

    Raises:
        SelfBehaveError: with what is missing and how to get it.
    """
    if fault := missing():
        raise SelfBehaveError("generated code can't be run safely here", mend=fault)


def run_pair(feature_text: str, code: str, limits: Limits | None = None) -> Outcome:
    """Run a feature with its step functions in the sandbox.

    Raises:
        SelfBehaveError: there is no sandbox here. The code is never run without one.
    """
    require()
    try:
        expected = [step.text for step in parse_scenario(feature_text).steps]
    except ScenarioError as error:
        return Outcome(False, "failed", str(error), "")
    limits = limits or Limits()
    token = secrets.token_hex(32).encode()
    run = _run(feature_text, code, token, limits)
    output = run.output.decode("utf-8", "replace")
    reason, detail, failed_step = _judge(run, token, expected)
    return Outcome(reason is None, reason, " ".join(detail.split()), output, failed_step)


@dataclass(frozen=True)
class _Run:
    """What a run left: its exit status, its bounded output and report, and which bound it met."""

    status: int
    output: bytes
    report: bytes
    stopped: str | None


def _judge(run: _Run, token: bytes, expected: Sequence[str]) -> tuple[str | None, str, int | None]:
    """The reason a run did not pass, None if it did; the detail; and the step that failed."""
    if run.stopped:
        return run.stopped, "", None
    if not run.report:
        if run.status == 0:
            return "forged result", "it ended with 0 before behave did", None
        reason = _SIGNALS.get(run.status, "failed")
        return reason, f"it ended with {run.status} before behave did", None
    if not run.report.startswith(token):
        return "forged result", "the report is not the launcher's", None
    try:
        report = json.loads(run.report[len(token) :])
    except ValueError:
        return "forged result", "the report is not the launcher's", None
    if report["patched"]:
        return "forged result", f"it changed {', '.join(report['patched'])}", None
    if report["ended"]:
        return "failed", report["ended"], None
    names = [name for name, _, _ in report["steps"]]
    for place, (name, status, error) in enumerate(report["steps"]):
        if status != "passed":
            is_known = names[: place + 1] == list(expected[: place + 1])
            return "failed", f"step '{name}' {status}: {error}", place if is_known else None
    if names != list(expected):
        return "failed", f"{len(names)} steps ran of {len(expected)}", None
    if report["code"] != 0 or run.status != 0:
        lines = run.output.decode("utf-8", "replace").strip().splitlines()
        return "failed", lines[-1] if lines else f"behave ended with {report['code']}", None
    return None, "", None


def _run(feature_text: str, code: str, token: bytes, limits: Limits) -> _Run:
    """One run in the sandbox, its output bounded while it is read."""
    deadline = time.monotonic() + limits.seconds
    files = {
        "/pair/features/one.feature": feature_text.encode("utf-8", "replace"),
        "/pair/features/steps/steps.py": code.encode("utf-8", "replace"),
        _LAUNCHER: Path(__file__).with_name("launcher.py").read_bytes(),
    }
    with started(_LAUNCHER, files, limits) as (process, report_fd):
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(token)
        return _read(process, report_fd, deadline, limits)


def _read(
    process: subprocess.Popen[bytes], report_fd: int, deadline: float, limits: Limits
) -> _Run:
    assert process.stdout is not None
    output_fd = process.stdout.fileno()
    got = {output_fd: bytearray(), report_fd: bytearray()}
    most = {output_fd: limits.output, report_fd: _REPORT_BYTES}
    stopped: str | None = None
    with selectors.DefaultSelector() as selector:
        for fd in got:
            selector.register(fd, selectors.EVENT_READ)
        while selector.get_map() and stopped is None:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                stopped = "time limit"
            for key, _ in ready:
                data = os.read(key.fd, 65536)
                if not data:
                    selector.unregister(key.fd)
                got[key.fd] += data[: most[key.fd] - len(got[key.fd])]
                if len(got[key.fd]) >= most[key.fd]:
                    stopped = "output limit"
    if stopped is None:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            stopped = "time limit"
    status = -1 if process.returncode is None else process.returncode
    return _Run(status, bytes(got[output_fd]), bytes(got[report_fd]), stopped)


@functools.cache
def _fault_of(bwrap: str) -> str | None:
    """Try the sandbox once with a pair that passes."""
    if importlib.util.find_spec("behave") is None:
        return "behave is missing: pip install behave"
    code = "from behave import given\n@given('a')\ndef f(context): pass\n"
    token = b"probe"
    run = _run("Feature: a\n  Scenario: a\n    Given a\n", code, token, Limits())
    reason, detail, _ = _judge(run, token, ["a"])
    if reason is None:
        return None
    lines = run.output.decode("utf-8", "replace").strip().splitlines()
    said = lines[-1] if lines else f"{reason}, {detail}"
    return (
        f"{bwrap} starts no sandbox ({said}): it must be 0.8 or newer and user namespaces "
        "allowed, see sysctl kernel.unprivileged_userns_clone, "
        "kernel.apparmor_restrict_unprivileged_userns and user.max_user_namespaces"
    )

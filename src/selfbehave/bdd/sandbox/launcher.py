"""Runs behave inside the sandbox and reports each step's status to the outside.

This file is copied into the sandbox and run there by itself: it imports nothing of ours. It is
started before the generated code, and trusted until that is imported.

Arguments: the report's file descriptor, the limits (JSON: name of a resource to its value), and the
ids to become ("" to stay). The token that proves the report to be ours comes on standard input.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

FEATURES = "/pair/features"

_DESCRIPTORS = (property, staticmethod, classmethod)
# Behave makes its decorators anew before it loads the step functions.
_DECORATORS = {
    f"{module}.{name}"
    for module in ("behave", "behave.step_registry")
    for kind in ("given", "when", "then", "step")
    for name in (kind, kind.title())
}


def run(report_fd: int, limits: dict[str, int], become: str) -> int:
    """Run the pair's feature; return behave's exit code."""
    token = sys.stdin.buffer.read()
    _restrict(report_fd, limits, become)

    import behave.__main__
    from behave.formatter import _registry
    from behave.formatter.plain import PlainFormatter

    steps: list[tuple[str, str, str]] = []

    class Noted(PlainFormatter):  # type: ignore[misc]
        """Behave's plain output, each step's result noted."""

        def result(self, step: Any) -> None:
            last = (step.error_message or "").strip().rpartition("\n")[2]
            steps.append((step.name, step.status.name, last[:300]))
            super().result(step)

    _registry.register_as("noted", Noted)
    before = dict(_callables())
    ended = ""
    code = 1
    try:
        # Not captured, so that endless printing meets the bound on output and not that on memory.
        options = ["--no-capture", "--no-capture-stderr", "--no-logcapture", "--no-color"]
        code = behave.__main__.main([*options, "--no-summary", "--format", "noted", FEATURES])
    except BaseException as error:  # noqa: BLE001 (generated code raises what it likes)
        ended = f"{type(error).__name__}: {error}"[:300]
    after = dict(_callables())
    changed = {name for name in after if after[name] != before.get(name, after[name])}
    added = {name for name in set(after) - set(before) if name.rpartition(".")[0] in before}
    patched = sorted((changed | added | (set(before) - set(after))) - _DECORATORS)
    report = {"code": code, "ended": ended, "patched": patched[:5], "steps": steps}
    sys.stdout.flush()
    sys.stderr.flush()
    _write(report_fd, token + json.dumps(report).encode())
    return code


def _restrict(report_fd: int, limits: dict[str, int], become: str) -> None:
    """Take the limits on, drop to an ordinary user, and close what bwrap left open."""
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    os.closerange(3, report_fd)
    os.closerange(report_fd + 1, 1024)
    if become:
        # The kernel counts no processes of the host's root: become another user first.
        os.setgroups([])
        os.setresgid(int(become), int(become), int(become))
        os.setresuid(int(become), int(become), int(become))
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))


def _callables() -> Iterator[tuple[str, Any]]:
    """Every function and class of behave and the built-ins, and the code behind each."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and name.partition(".")[0] in ("behave", "builtins"):
            for attribute, value in list(vars(module).items()):
                if isinstance(value, type):
                    yield f"{name}.{attribute}", value
                    if value.__module__.partition(".")[0] == "behave":
                        for member, what in list(vars(value).items()):
                            if callable(what) or isinstance(what, _DESCRIPTORS):
                                yield f"{name}.{attribute}.{member}", _identity(what)
                elif callable(value):
                    yield f"{name}.{attribute}", _identity(value)


def _identity(what: Any) -> Any:
    return (id(what), id(what.__code__)) if isinstance(what, FunctionType) else id(what)


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


if __name__ == "__main__":
    exit_code = run(int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3])
    # Not sys.exit: threads and exit handlers of the generated code must not outlive the report.
    os._exit(exit_code)

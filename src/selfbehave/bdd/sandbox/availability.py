"""Check whether the sandbox works on this machine, and what is missing."""

from __future__ import annotations

import functools
import importlib.util
import platform
import shutil
import sys

from ...core.errors import SelfBehaveError
from . import seccomp
from .alone import run_in_new_sandbox
from .bubblewrap import Limits
from .outcome import judge

__all__ = ["missing", "require"]


def missing() -> str | None:
    """One line on what the sandbox lacks here and how to install it; None if it works."""
    if sys.platform != "linux" or platform.machine() not in seccomp.MACHINES:
        return f"the sandbox needs Linux on {' or '.join(seccomp.MACHINES)}"
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return "bubblewrap is missing: on Debian, apt install bubblewrap"
    return _fault_of(bwrap)


def require() -> None:
    """Raise an error if the sandbox does not work.

    Raises:
        SelfBehaveError: something is missing; the error says what and how to install it.
    """
    if fault := missing():
        raise SelfBehaveError("generated code can't be run safely here", mend=fault)


@functools.cache
def _fault_of(bwrap: str) -> str | None:
    """Try the sandbox once with a pair that passes."""
    if importlib.util.find_spec("behave") is None:
        return "behave is missing: pip install behave"
    feature = b"Feature: a\n  Scenario: a\n    Given a\n"
    code = b"from behave import given\n@given('a')\ndef f(context): pass\n"
    token = b"probe"
    outcome = judge(run_in_new_sandbox(feature, code, token, Limits()), token, ["a"])
    if outcome.passed:
        return None
    lines = outcome.output.strip().splitlines()
    said = lines[-1] if lines else f"{outcome.reason}, {outcome.detail}"
    return (
        f"{bwrap} starts no sandbox ({said}): it must be 0.8 or newer and user namespaces "
        "allowed, see sysctl kernel.unprivileged_userns_clone, "
        "kernel.apparmor_restrict_unprivileged_userns and user.max_user_namespaces"
    )

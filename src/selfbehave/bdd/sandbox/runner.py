"""Run a pair in a sandbox, new or kept, and judge the run."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from ..scenario import ScenarioError, parse_scenario
from .alone import run_in_new_sandbox
from .availability import require
from .bubblewrap import Limits
from .outcome import Outcome, Reason, Run, judge

__all__ = ["judged", "run_pair_alone"]

# Runs a feature and its code, both in UTF-8, with the token that the report must begin with.
Running = Callable[[bytes, bytes, bytes, Limits], Run]


def judged(feature_text: str, code: str, limits: Limits, run: Running) -> Outcome:
    """Run a feature with its step functions and judge the run.

    Raises:
        SelfBehaveError: there is no sandbox here. The code is never run without one.
    """
    require()
    try:
        expected = [step.text for step in parse_scenario(feature_text).steps]
    except ScenarioError as error:
        return Outcome(False, Reason.FAILED, str(error), "")
    token = secrets.token_hex(32).encode()
    feature, code_bytes = (text.encode("utf-8", "replace") for text in (feature_text, code))
    return judge(run(feature, code_bytes, token, limits), token, expected)


def run_pair_alone(feature_text: str, code: str, limits: Limits | None = None) -> Outcome:
    """Run a feature with its step functions in a new sandbox, used for this run only.

    This is the reference for `run_pair`, which must give the same outcomes.

    Raises:
        SelfBehaveError: there is no sandbox here. The code is never run without one.
    """
    return judged(feature_text, code, limits or Limits(), run_in_new_sandbox)

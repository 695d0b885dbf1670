"""A bound pair, and running variants of its scenario."""

from __future__ import annotations

import time

from . import sandbox
from .scenario import ScenarioError, parse_scenario
from .steps import bind, read_step_functions

__all__ = ["RUN_LIMITS_FOR_ALL", "BoundPair"]

# The time limit for all runs of a pair together, as a multiple of the limit for one run. An honest
# pair needs seven runs of some milliseconds to reach the top rung; hostile code could sleep through
# hundreds of runs.
RUN_LIMITS_FOR_ALL = 10


class BoundPair:
    """A scenario whose steps are bound by its step functions.

    Attributes:
        scenario_text: the original scenario; variants of it run with the same functions.
    """

    def __init__(self, scenario_text: str, code: str, limits: sandbox.Limits | None = None) -> None:
        self.scenario_text = scenario_text
        self._code = code
        self._limits = limits or sandbox.Limits()
        self._step_functions = read_step_functions(code)
        self._seconds_left = self._limits.seconds * RUN_LIMITS_FOR_ALL

    @property
    def may_run(self) -> bool:
        """Whether time is left for another run."""
        return self._seconds_left > 0

    def run(self, feature_text: str) -> sandbox.Outcome:
        """Run a feature with the step functions, in the sandbox.

        Raises:
            SelfBehaveError: this machine has no sandbox.
        """
        started = time.monotonic()
        try:
            return sandbox.run_pair(feature_text, self._code, self._limits)
        finally:
            self._seconds_left -= time.monotonic() - started

    def is_bound(self, scenario_text: str) -> bool:
        """Whether the step functions bind all steps of a scenario."""
        try:
            return bind(parse_scenario(scenario_text), self._step_functions).is_bound
        except ScenarioError:
            return False

"""Gherkin scenarios and the Python step functions behind them: read, bind, and how far they hold.

Nothing here imports or executes generated code.
"""

from .formatting import format_scenario
from .ladder import Ladder, Rung, climb
from .scenario import Scenario, ScenarioError, Step, parse_scenario
from .steps import Binding, StepFunction, StepFunctions, bind, read_step_functions

__all__ = [
    "Binding",
    "Ladder",
    "Rung",
    "Scenario",
    "ScenarioError",
    "Step",
    "StepFunction",
    "StepFunctions",
    "bind",
    "climb",
    "format_scenario",
    "parse_scenario",
    "read_step_functions",
]

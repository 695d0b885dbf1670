"""Gherkin scenarios and Python step functions: read them, bind them, and check them by the ladder.

Generated code runs only in `sandbox` and is never imported.
"""

from .criteria import Judgement, judge, judge_row
from .faults import Fault, FaultCode, sentence
from .formatting import format_scenario
from .ladder import Ladder, Rung, climb, climb_pairs
from .mutants import Mutant, input_mutants, mutants
from .sandbox import Failure, Limits, Outcome, Sandboxes, run_pair
from .scenario import Scenario, ScenarioError, Step, parse_scenario
from .steps import Binding, StepFunction, StepFunctions, bind, read_step_functions

__all__ = [
    "Binding",
    "Failure",
    "Fault",
    "FaultCode",
    "Judgement",
    "Ladder",
    "Limits",
    "Mutant",
    "Outcome",
    "Rung",
    "Sandboxes",
    "Scenario",
    "ScenarioError",
    "Step",
    "StepFunction",
    "StepFunctions",
    "bind",
    "climb",
    "climb_pairs",
    "format_scenario",
    "input_mutants",
    "judge",
    "judge_row",
    "mutants",
    "parse_scenario",
    "read_step_functions",
    "run_pair",
    "sentence",
]

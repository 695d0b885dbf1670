"""Bind steps to step functions, as `behave` matches them.

A step is looked up among the functions of its kind and then among those of `@step`; the first match
wins. `step_reader` reads the functions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .bounded_regex import TookTooLongError
from .faults import Detail, Fault, FaultCode
from .scenario import Scenario, Step
from .step_reader import StepFunction, StepFunctions, parse_python, read_step_functions

__all__ = [
    "Binding",
    "StepFunction",
    "StepFunctions",
    "bind",
    "called_name",
    "note_converter",
    "parse_python",
    "read_step_functions",
    "top_level_statements",
]


@dataclass(frozen=True)
class Binding:
    """The step function that each step of a scenario is bound to.

    Attributes:
        bound: each step with its function, or None if the step is undefined.
        unused: step functions that bind no step.
        faults: everything that keeps the scenario from being bound.
    """

    bound: tuple[tuple[Step, StepFunction | None], ...]
    unused: tuple[StepFunction, ...]
    faults: tuple[Fault, ...]

    @property
    def is_bound(self) -> bool:
        return not self.faults


def bind(scenario: Scenario, step_functions: StepFunctions) -> Binding:
    """Match every step of a scenario with the step functions of a module."""
    # Renew the budget, so that a verdict does not depend on what was bound before.
    step_functions.budget.renew()
    faults = list(step_functions.faults)
    bound: list[tuple[Step, StepFunction | None]] = []
    used: set[tuple[str, int]] = set()
    found: dict[tuple[str | None, str], _Found] = {}
    for step in scenario.steps:
        key = (step.kind, step.text)
        if key not in found:
            found[key] = _find(step, step_functions)
        function, too_slow = found[key].function, found[key].too_slow
        if step.kind is None:
            faults.append(Fault(FaultCode.NO_KEYWORD, step.line, Detail(text=step.text)))
        elif too_slow is not None:
            detail = Detail(pattern=too_slow.pattern, text=step.text)
            faults.append(Fault(FaultCode.PATTERN_TOO_SLOW, step.line, detail))
        elif function is None:
            detail = Detail(kind=step.kind, text=step.text)
            faults.append(Fault(FaultCode.UNDEFINED_STEP, step.line, detail))
        if function is not None:
            used.add((function.name, function.line))
        bound.append((step, function))
    unused = tuple(
        function
        for function in step_functions.functions
        if function.is_known and (function.name, function.line) not in used
    )
    faults += [
        Fault(FaultCode.UNUSED_STEP_FUNCTION, detail=Detail(functions=(function.facts,)))
        for function in unused
    ]
    return Binding(tuple(bound), unused, tuple(faults))


def top_level_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that importing a module runs, including those under `if` and `try`."""
    # Not recursive: each `elif` is nested in the `else` of the previous one.
    waiting = body[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If):
            waiting += [*node.body, *node.orelse][::-1]
        elif isinstance(node, ast.Try):
            waiting += node.body[::-1]
        else:
            yield node


def called_name(call: ast.Call) -> str:
    """The last part of a called name: `given` for `behave.given(…)`; "" if there is none."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def note_converter(
    function: ast.FunctionDef | ast.AsyncFunctionDef, patterns: dict[str, str]
) -> None:
    """Record the pattern that `with_pattern` gives a function, if any, under its name."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and called_name(decorator) == "with_pattern":
            arguments = decorator.args or [one.value for one in decorator.keywords[:1]]
            if arguments and isinstance(arguments[0], ast.Constant):
                patterns[function.name] = str(arguments[0].value)


@dataclass(frozen=True)
class _Found:
    """The function that binds a step, and the first one whose match took too long."""

    function: StepFunction | None
    too_slow: StepFunction | None = None


def _find(step: Step, step_functions: StepFunctions) -> _Found:
    for kind in (step.kind, "step"):
        for function in step_functions.functions:
            if function.kind == kind:
                try:
                    if function.matches.find(step.text):
                        return _Found(function)
                except TookTooLongError:
                    return _Found(None, function)
    return _Found(None)

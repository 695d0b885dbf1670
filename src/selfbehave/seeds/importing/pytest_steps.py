"""Read the step functions of a module for pytest-bdd."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from ...bdd.patterns import Budget
from .constants import constant_text, written_items
from .left_out import CannotImportError, NotUnderstood, Why, source_line
from .modules import Module, Unit, statements_run
from .project import shown
from .pytest_functions import PytestFunction, is_plain
from .pytest_patterns import NotReadError, PytestPattern, read_pattern
from .references import Argument, Call, External, References
from .step_modules import may_bring_steps

__all__ = ["ModuleSteps", "PytestStep", "steps_of"]


@dataclass(frozen=True, eq=False)
class PytestStep:
    """One decorator of one step function.

    Attributes:
        kind: "given", "when", "then", or "step" for all three.
        target: the fixture that is set to the return value; None if that is ignored.
        converters: the converter of each argument, by the argument's name.
        fault: why it cannot be translated; None if no reason is known.
    """

    function: PytestFunction
    kind: str
    pattern: PytestPattern
    target: str | None
    converters: Mapping[str, Argument]
    fault: str | None

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments that its pattern extracts."""
        return self.pattern.arguments

    @property
    def module(self) -> Module:
        return self.function.module

    @property
    def unit(self) -> Unit:
        return self.function.unit

    @property
    def place(self) -> str:
        return self.function.place

    def refused(self, fault: str) -> CannotImportError:
        """The error that says why this step function cannot be translated."""
        return self.function.refused(fault)


@dataclass(frozen=True)
class ModuleSteps:
    """The steps that a module registers, and code that may register others."""

    steps: tuple[PytestStep, ...]
    not_understood: tuple[NotUnderstood, ...]


def steps_of(module: Module, references: References, budget: Budget) -> ModuleSteps:
    """Find the step functions that pytest-bdd would register when a module is imported."""
    steps: list[PytestStep] = []
    unknown: list[NotUnderstood] = []

    def note(line: int, why: Why, source: str) -> None:
        unknown.append(NotUnderstood(f"{shown(module.path)}:{line}", why, source))

    for one in module.imports:
        if references.modules.find(one.module, module.path) is None and may_bring_steps(one):
            note(one.line, Why.PACKAGE, one.text)
    for unit in module.units:
        for node in statements_run(unit.node):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if call := references.registering_call(node, module):
                    note(call.lineno, Why.STATEMENT, source_line(call))
                continue
            for decorator in node.decorator_list:
                source = f"@{source_line(decorator)}"
                found = references.call(decorator, module)
                if found is None or references.kind_of(found.function) is None:
                    if found is None and references.registers(decorator, module):
                        note(decorator.lineno, Why.DECORATOR, source)
                elif node is not unit.node or isinstance(node, ast.AsyncFunctionDef):
                    note(decorator.lineno, Why.STATEMENT, source)
                else:
                    try:
                        function = PytestFunction(module, unit, node)
                        steps.append(_step(function, found, references, budget))
                    except NotReadError as error:
                        note(decorator.lineno, error.why, source)
    return ModuleSteps(tuple(steps), tuple(unknown))


def _step(
    function: PytestFunction, call: Call, references: References, budget: Budget
) -> PytestStep:
    """A step function as seen by one of its decorators.

    Raises:
        NotReadError: its pattern cannot be read.
    """
    kind = references.kind_of(call.function)
    assert kind is not None
    types = ("type_",) if kind == "step" else ()
    options = ("name", *types, "converters", "target_fixture", "stacklevel")
    given = {name: call.argument(place, name) for place, name in enumerate(options)}
    pattern = read_pattern(given["name"], references, budget)
    fault = pattern.fault
    if call.is_open:
        fault = "has a decorator that is called with * or **"
    if (type_ := given.get("type_")) is not None:
        kind = constant_text(type_, references) or ""
        if kind not in ("given", "when", "then"):
            raise NotReadError(Why.DECORATOR)
    target = None
    if given["target_fixture"] is not None:
        target = constant_text(given["target_fixture"], references)
        if target is None or not is_plain(target):
            fault, target = "has a target that cannot be an attribute of the context", None
    converters = _converters(given["converters"], function.module, references)
    if converters is None:
        fault = "has converters that are not names or lambdas of its module"
    if not all(references.registers(one, function.module) for one in function.node.decorator_list):
        fault = "has other decorators"
    return PytestStep(function, kind, pattern, target, converters or {}, fault)


def _converters(
    argument: Argument | None, module: Module, references: References
) -> Mapping[str, Argument] | None:
    """The converter of each argument; None if one cannot be used in a step function's body."""
    if argument is None:
        return {}
    found = written_items(argument, references)
    for one in (found or {}).values():
        means = references.to(one.node, one.module)
        is_builtin = isinstance(means, External) and means.package == "builtins"
        if not isinstance(one.node, ast.Name | ast.Attribute | ast.Lambda):
            return None
        if one.module is not module and not is_builtin:
            return None
    return found

"""Smells: poor practice in scenarios and step functions that work nevertheless.

Nothing is run: scenarios are checked as behave reads them, and functions in their
syntax tree.
"""

from __future__ import annotations

import ast
import warnings

from .scenario import as_feature, parse_document, parts_of

__all__ = ["code_smells", "scenario_smells"]

_KINDS = ("given", "when", "then", "step")
_ORDER = ("Context", "Action", "Outcome")
# Prefixes of the names of functions that assert.
_ASSERTING = ("assert", "should", "expect", "fail", "raises")


def scenario_smells(text: str) -> tuple[str, ...]:
    """Smells of a scenario: "out_of_order" and "more_than_one_when".

    A step is out of order if its kind belongs before that of an earlier step. And, But and * have
    the kind of the step before them. Each scenario and each background is checked separately.

    Raises:
        ScenarioError: behave's parser refuses the text.
    """
    found = set()
    for part in parts_of(parse_document(*as_feature(text))):
        kinds = [kind for step in part["steps"] if (kind := step.get("keywordType")) in _ORDER]
        ranks = [_ORDER.index(kind) for kind in kinds]
        if ranks != sorted(ranks):
            found.add("out_of_order")
        if kinds.count("Action") > 1:
            found.add("more_than_one_when")
    return tuple(sorted(found))


def code_smells(code: str) -> tuple[str, ...]:
    """Smells of step functions: "duplicate_names", "then_without_assert" and "empty_bodies".

    A Then function asserts if it, or a function of the same module that it calls, contains an
    `assert`, a `raise`, or a call with such a name (`assertEqual`, `should_be`, `pytest.fail`).

    Raises:
        SyntaxError: the code is not valid Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(code)
            return _code_smells(module)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error) or type(error).__name__) from error


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _code_smells(module: ast.Module) -> tuple[str, ...]:
    every = [node for node in ast.walk(module) if isinstance(node, _Function)]
    steps = [(function, kinds) for function in every if (kinds := _kinds(function))]
    names = [function.name for function, _ in steps]
    asserting = _asserting_names(every)
    found = set()
    if len(set(names)) < len(names):
        found.add("duplicate_names")
    if any("then" in kinds and not _asserts(function, asserting) for function, kinds in steps):
        found.add("then_without_assert")
    if any(_is_empty(function) for function, _ in steps):
        found.add("empty_bodies")
    return tuple(sorted(found))


def _kinds(function: _Function) -> set[str]:
    """The kinds of steps in a function's decorators."""
    called = {
        _name(decorator.func).lower()
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
    }
    return called & set(_KINDS)


def _asserting_names(functions: list[_Function]) -> set[str]:
    """The names of functions that assert, directly or through functions they call."""
    calls: dict[str, set[str]] = {}
    asserting: set[str] = set()
    for function in functions:
        calls.setdefault(function.name, set()).update(_called(function))
        if _asserts(function, set()):
            asserting.add(function.name)
    callers: dict[str, set[str]] = {}
    for caller, names in calls.items():
        for name in names & calls.keys():
            callers.setdefault(name, set()).add(caller)
    waiting = list(asserting)
    while waiting:
        for caller in callers.get(waiting.pop(), set()) - asserting:
            asserting.add(caller)
            waiting.append(caller)
    return asserting


def _asserts(function: _Function, asserting: set[str]) -> bool:
    return any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(function)) or any(
        name in asserting or name.lower().lstrip("_").startswith(_ASSERTING)
        for name in _called(function)
    )


def _called(function: _Function) -> set[str]:
    # Calls in decorators are not part of the function's body.
    nodes = (node for statement in function.body for node in ast.walk(statement))
    return {_name(node.func) for node in nodes if isinstance(node, ast.Call)} - {""}


def _is_empty(function: _Function) -> bool:
    return all(
        isinstance(statement, ast.Pass)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        or (isinstance(statement, ast.Return) and statement.value is None)
        or (isinstance(statement, ast.Raise) and _is_not_implemented(statement.exc))
        for statement in function.body
    )


def _is_not_implemented(raised: ast.expr | None) -> bool:
    # The body that behave suggests for an undefined step.
    name = _name(raised.func if isinstance(raised, ast.Call) else raised)
    return name in ("NotImplementedError", "StepNotImplementedError")


def _name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""

"""Outcomes that code knows by heart: the numbers of a scenario, written into its step functions.

`assert (context.coins, more, coins) == (3, 2, 5)` goes red under every change that the ladder
makes, and is worth nothing. Honest code computes the outcome's number, and tests no input for being
the one of the example. The check reads the syntax tree.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from ..bdd.scenario import ScenarioError, parse_scenario
from ..bdd.steps import parse_python
from ..bdd.value_origins import Function

__all__ = ["memorised"]

_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w]|[.,]\d)")
_COMMON = frozenset({0.0, 1.0, 2.0, 10.0, 100.0})  # in code of all kinds


def memorised(scenario_text: str, code: str) -> bool:
    """Whether the code contains the outcome's number, or compares an input with its own number.

    Numbers count as the outcome's if they stand in a Then step and nowhere else in the scenario.
    False if either text does not parse.
    """
    try:
        scenario = parse_scenario(scenario_text)
        tree = parse_python(code)
    except (ScenarioError, SyntaxError):
        return False
    inputs = set(_numbers_in(step.text for step in scenario.steps if step.kind != "then"))
    thens = [step for step in scenario.steps if step.kind == "then"]
    lines = {step.line for step in thens}
    elsewhere = _numbers_in(
        text for at, text in enumerate(scenario_text.split("\n"), start=1) if at not in lines
    )
    outcomes = set(_numbers_in(step.text for step in thens)) - {*inputs, *elsewhere, *_COMMON}
    patterns = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, Function)
        for decorator in function.decorator_list
        for node in ast.walk(decorator)
    }
    written = {
        number
        for node in ast.walk(tree)
        if id(node) not in patterns
        for number in _numbers_of_constant(node)
    }
    return bool(outcomes & written or (inputs - _COMMON) & set(_compared(tree)))


def _numbers_in(texts: Iterable[str]) -> Iterator[float]:
    for text in texts:
        for match in _NUMBER.finditer(text):
            yield float(match[0].replace(",", ""))


def _numbers_of_constant(node: ast.AST) -> Iterator[float]:
    """The number that a constant is or spells, if it does."""
    if isinstance(node, ast.Constant) and not isinstance(node.value, bool):
        if isinstance(node.value, int | float) and abs(node.value) < 1e15:
            yield float(node.value)
        elif isinstance(node.value, str) and _NUMBER.fullmatch(node.value.strip(" $€£%")):
            yield float(node.value.strip(" $€£%").replace(",", ""))


def _compared(tree: ast.Module) -> Iterator[float]:
    """The numbers that values are compared with for equality, in tuples and lists as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(one, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for one in node.ops
        ):
            yield from _in_literals([node.left, *node.comparators])
        elif isinstance(node, ast.MatchValue):
            yield from _in_literals([node.value])


def _in_literals(nodes: Iterable[ast.expr]) -> Iterator[float]:
    for node in nodes:
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            yield from _in_literals(node.elts)
        elif isinstance(node, ast.Dict):
            yield from _in_literals(key for key in node.keys if key is not None)
        else:
            yield from _numbers_of_constant(node)

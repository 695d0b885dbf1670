"""Ignored values: numbers of a Given or When step that its function takes and never reads.

Whatever the step says there, the outcome stays the same. The names of people and things are often
ignored for a good reason, so only parameters that a pattern reads as numbers count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from .steps import StepFunction, top_level_statements

__all__ = ["ignored_values"]

_NUMBER = re.compile(r"{(\w+):[dnfgeF]}")


def ignored_values(
    module: ast.Module, functions: Collection[StepFunction]
) -> list[tuple[StepFunction, str]]:
    """The step functions that ignore a number, each with the name of its parameter.

    Args:
        module: the step functions' syntax tree.
        functions: those bound by Given or When steps.
    """
    nodes = {
        node.lineno: node
        for node in top_level_statements(module.body)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    found = []
    for function in functions:
        node = nodes.get(function.line)
        if node is None:
            continue
        numbers = {*_NUMBER.findall(function.pattern)}
        parameters = {one.arg for one in [*node.args.args, *node.args.kwonlyargs]}
        found += [(function, name) for name in sorted(numbers & parameters - _read_in(node))]
    return found


def _read_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    # `locals()` reads all of them.
    return names | ({one.arg for one in function.args.args} if "locals" in names else set())

"""Unused setup, found from the attributes that step functions set and read on the context."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from .reading import ReadStep
from .steps import StepFunction

__all__ = ["idle_setup"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class _Use:
    """The context attributes that a function sets and reads, and whether it does nothing else."""

    sets: frozenset[str]
    reads: frozenset[str]
    only_sets: bool


def idle_setup(
    steps: Sequence[ReadStep], functions: Sequence[StepFunction], code: str
) -> list[ReadStep]:
    """The Given steps whose function only sets attributes that no other function reads.

    If this holds for every Given, the functions are only sketches and say nothing about the
    scenario; then the result is empty.

    Args:
        functions: the step functions read from `code`.
    """
    if not functions:
        return []
    uses = _uses(code)
    idle, needed = [], 0
    for step in steps:
        if step.kind != "given":
            continue
        bound = next(
            (one for one in functions if one.kind in ("given", "step") and one.matches(step.text)),
            None,
        )
        use = uses.get(bound.line) if bound else None
        if use is None or bound is None:
            continue
        read_elsewhere = set().union(*(uses[line].reads for line in uses if line != bound.line))
        if use.reads or use.sets & read_elsewhere:
            needed += 1
        elif use.only_sets:
            idle.append(step)
    return idle if needed else []


def _uses(code: str) -> dict[int, _Use]:
    """How each function of a module uses its first argument, by the function's line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # for example, '\d' in a plain string: not our concern
        module = ast.parse(code)
    return {
        node.lineno: _use(node, node.args.args[0].arg)
        for node in ast.walk(module)
        if isinstance(node, _Function) and node.args.args
    }


def _use(function: _Function, context: str) -> _Use:
    nodes = (node for statement in function.body for node in ast.walk(statement))
    attributes = [
        node
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == context
    ]
    sets = {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
    reads = {node.attr for node in attributes if not isinstance(node.ctx, ast.Store)}
    only_sets = all(
        isinstance(one, ast.Assign | ast.Pass)
        or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        for one in function.body
    )
    return _Use(frozenset(sets), frozenset(reads), only_sets)

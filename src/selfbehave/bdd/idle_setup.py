"""Setup that nothing depends on: read from what step functions keep on behave's context."""

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
    """Attributes of the context that a function sets and reads, and whether it does only that."""

    sets: frozenset[str]
    reads: frozenset[str]
    only_sets: bool


def idle_setup(
    steps: Sequence[ReadStep], functions: Sequence[StepFunction], code: str
) -> list[ReadStep]:
    """Given steps whose function only keeps something that no other function reads.

    Where this is so of every Given, the functions are sketches that say nothing about the
    scenario, and none is returned.

    Args:
        functions: read from `code`.
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
    """What each function of a module does with its first argument, by the function's line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as '\d' in a plain string: not ours to report
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

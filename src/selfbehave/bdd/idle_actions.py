"""Idle actions: When functions that do nothing, found in the syntax tree.

If the action does nothing, the scenario can only pass because its setup or its outcome cheats. A
function is idle only if every statement is known to have no effect. Code that this module cannot
analyse counts as an action.
"""

from __future__ import annotations

import ast
import functools
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from .steps import called_name, top_level_statements

__all__ = ["idle_actions"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_MAKING = frozenset("bool dict float int len list set str tuple".split())
_BY_NAME = frozenset("delattr exec eval getattr hasattr setattr vars".split())


def idle_actions(module: ast.Module, lines: Collection[int]) -> tuple[int, ...]:
    """The lines of the functions that do nothing, among those that begin on one of `lines`.

    Printing has no effect, unless the module reads the output. Setting a local name has no effect,
    and neither has setting a context attribute that the rest of the module never reads.

    Args:
        module: the step functions.
        lines: the lines of the `def` of the When functions.
    """
    functions = [
        node
        for node in top_level_statements(module.body)
        if isinstance(node, _Function) and node.lineno in lines and node.args.args
    ]
    reads = functools.cache(lambda: _Reads.of(module))  # lazy: few functions need it
    try:
        return tuple(one.lineno for one in functions if _Idling(one, reads).is_idle())
    except RecursionError:  # an expression is nested too deeply to analyse
        return ()


@dataclass(frozen=True)
class _Reads:
    """What a syntax tree reads.

    Attributes:
        names: how often each attribute is read, including strings that may be attribute names.
        is_by_name: whether attributes are also read by names that are not in the code.
        is_output: whether the code may read printed output.
    """

    names: Counter[str]
    is_by_name: bool
    is_output: bool

    @staticmethod
    def of(tree: ast.AST) -> _Reads:
        names: Counter[str] = Counter()
        is_by_name = is_output = False
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr=name):
                    is_by_name |= name == "__dict__"
                    is_output |= _is_of_output(name)
                    names[name] += not isinstance(node.ctx, ast.Store)
                case ast.Name(id=name):
                    is_output |= _is_of_output(name)
                case ast.AugAssign(target=ast.Attribute(attr=name)):
                    names[name] += 1
                case ast.Constant(value=str(text)):
                    names[text] += 1  # "attribute" in context
                case ast.Call():
                    is_by_name |= called_name(node) in _BY_NAME
        return _Reads(names, is_by_name, is_output)


def _is_of_output(name: str) -> bool:
    return "capture" in name or "stdout" in name


class _Idling:
    def __init__(self, function: _Function, reads: Callable[[], _Reads]) -> None:
        self._function = function
        self._context = function.args.args[0].arg
        self._reads = reads
        self._own_reads = functools.cache(lambda: _Reads.of(function))

    def is_idle(self) -> bool:
        return all(map(self._does_nothing, self._function.body))

    def _does_nothing(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Pass() | ast.Return(value=None):
                return True
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"), keywords=[]) as call):
                return all(map(self._has_no_effect, call.args)) and not self._reads().is_output
            case ast.Expr(value=value) | ast.Return(value=ast.expr() as value):
                return self._has_no_effect(value)
            case ast.Assert(test=ast.Constant(value=value)):
                return bool(value)
            case ast.Assign(targets=targets, value=value):
                return self._has_no_effect(value) and all(
                    self._is_never_read(target, value) for target in targets
                )
            case ast.AnnAssign(target=target, value=given):
                return given is None or (
                    self._has_no_effect(given) and self._is_never_read(target, given)
                )
        return False

    def _has_no_effect(self, value: ast.expr) -> bool:
        """Whether evaluating an expression changes nothing."""
        match value:
            case ast.Constant() | ast.Name():
                return True
            case ast.Attribute(value=ast.Name(id=self._context)):
                return True
            case ast.Call(func=ast.Name(id=name)) if name in _MAKING:
                return all(
                    map(self._has_no_effect, (*value.args, *(one.value for one in value.keywords)))
                )
            case ast.BinOp() | ast.UnaryOp() | ast.BoolOp() | ast.Tuple() | ast.List() | ast.Dict():
                return all(map(self._has_no_effect, _expressions_in(value)))
            case ast.JoinedStr() | ast.FormattedValue():
                return all(map(self._has_no_effect, _expressions_in(value)))
        return False

    def _is_never_read(self, target: ast.expr, value: ast.expr) -> bool:
        match target:
            case ast.Name():
                return True  # a local name: a `global` statement counts as an effect
            case ast.Attribute(value=ast.Name(id=self._context), attr=name):
                if ast.unparse(target) == ast.unparse(value):
                    return True
                reads = self._reads()
                return reads.names[name] == self._own_reads().names[name] and not reads.is_by_name
        return False


def _expressions_in(value: ast.expr) -> Iterator[ast.expr]:
    return (child for child in ast.iter_child_nodes(value) if isinstance(child, ast.expr))

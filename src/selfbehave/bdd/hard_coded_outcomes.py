"""Hard-coded outcomes: Then functions that compare a value of their own step with a constant.

`assert total == 70`, where `total` is a parameter of the step, holds for any action as long as the
step says 70. Such a function checks the step's own text and no result of the action. The check
reads the syntax tree and reports a function only if the code leaves no doubt, so that it never
accuses honest code.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from .steps import called_name, top_level_statements
from .value_origins import ELSEWHERE, FROM_ELSEWHERE, Function, Origins, ValueOrigins

__all__ = ["HardCoded", "hard_coded_outcomes"]

_MAX_NODES = 3_000  # of a function; a larger one counts as honest

# Names of methods and functions that assert equality, in lower case and without underscores.
_EQUATING = frozenset(
    "assertalmostequal assertdictequal assertequal assertequals assertis assertlistequal "
    "assertmultilineequal eq".split()
)
_NOT_UNDERSTOOD = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.Global,
    ast.Nonlocal,
    ast.Import,
    ast.ImportFrom,
)


@dataclass(frozen=True)
class HardCoded:
    """A function with a hard-coded outcome.

    Attributes:
        line: the line of its `def`, from 1.
        comparison: the source of the comparison.
    """

    line: int
    comparison: str


def hard_coded_outcomes(module: ast.Module, lines: Collection[int]) -> tuple[HardCoded, ...]:
    """The functions with hard-coded outcomes, among those that begin on one of these lines.

    A function has a hard-coded outcome if it compares a value of its step (a parameter, the table
    or the doc string) for equality only with constants or other values of the same step, and never
    combines this value with one from elsewhere.

    Args:
        module: the step functions.
        lines: the lines of the `def` of the Then functions.
    """
    found = []
    for node in top_level_statements(module.body):
        if isinstance(node, Function) and node.lineno in lines and _is_understood(node):
            comparison = _Reading(ValueOrigins(module, node)).hard_coded(node.body)
            if comparison is not None:
                found.append(HardCoded(node.lineno, comparison))
    return tuple(found)


def _is_understood(function: Function) -> bool:
    """Whether the function can be analysed.

    It must have a context and not pass it on, contain no definitions, and not be too long.
    """
    nodes = [node for one in function.body for node in ast.walk(one)]
    contexts = [one.arg for one in function.args.args[:1]]
    handed_on = (
        argument
        for node in nodes
        if isinstance(node, ast.Call) and called_name(node) != "print"
        for argument in (*node.args, *(keyword.value for keyword in node.keywords))
    )
    return (
        bool(contexts)
        and len(nodes) <= _MAX_NODES
        and not any(isinstance(node, _NOT_UNDERSTOOD) for node in nodes)
        and not any(isinstance(one, ast.Name) and one.id in contexts for one in handed_on)
    )


@dataclass
class _Reading:
    """Reads each statement of a function once, in order.

    Attributes:
        suspects: comparisons of the step's values with constants: origins and expression.
        checked: the step's values that are combined with values from elsewhere.
        met_elsewhere: how often a value from elsewhere was read.
    """

    values: ValueOrigins
    suspects: list[tuple[Origins, ast.expr]] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)
    met_elsewhere: int = 0

    def hard_coded(self, body: Sequence[ast.stmt]) -> str | None:
        """The source of a comparison that makes the outcome hard-coded; None if there is none."""
        try:
            self._read(body)
        except RecursionError:  # an expression is nested too deeply to analyse
            return None
        for origins, comparison in self.suspects:
            if not origins & self.checked:
                return ast.unparse(comparison)
        return None

    def _read(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._read_one(statement)

    def _read_one(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assert(test=test):
                self._read_assertion(test)
            case ast.If(test=test, body=body, orelse=[]) if _only_raises(body):
                self._read_refusal(test)
            case ast.If(test=choice):
                self._read_branches(choice, [statement.body, statement.orelse])
            case ast.Match(subject=choice, cases=cases):
                self._read_branches(choice, [[], *(case.body for case in cases)])
            case ast.While(test=choice):
                self._doubt_what_changes(statement)
                self._read_branches(choice, [[], [*statement.body, *statement.orelse]])
            case ast.For(target=target, iter=values) | ast.AsyncFor(target=target, iter=values):
                self._doubt_what_changes(statement)
                self.values.give(target, self._note(values))
                self._read_ways([[], [*statement.body, *statement.orelse]])
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    origins = self._note(item.context_expr)
                    if item.optional_vars is not None:
                        self.values.give(item.optional_vars, origins)
                self._read(body)
            case ast.Try(body=body, handlers=handlers):
                self._read(body)
                self._read_ways([statement.orelse, *(handler.body for handler in handlers)])
                self._read(statement.finalbody)
            case ast.Assign(targets=targets, value=value):
                origins = self._note(value)
                for target in targets:
                    self.values.give(target, origins)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.values.give(target, self._note(value))
            case ast.AugAssign(target=target, value=value):
                self.values.give(target, self._note(value) | self.values.of(target))
            case ast.Expr(value=ast.Call() as call):
                self._read_call(call)
            case _:
                for child in ast.iter_child_nodes(statement):
                    if isinstance(child, ast.expr):
                        self._note(child)

    def _read_branches(self, choice: ast.expr, branches: Sequence[Sequence[ast.stmt]]) -> None:
        """Read the branches of a choice; their checks also check the value that decides."""
        origins = self._note(choice)
        before = self.met_elsewhere
        self._read_ways(branches)
        if self.met_elsewhere > before:
            self.checked |= origins

    def _read_ways(self, ways: Sequence[Sequence[ast.stmt]]) -> None:
        """Read alternative paths of the code, of which one is taken."""
        start = self.values.snapshot()
        ends = []
        for way in ways:
            self.values.return_to(start)
            self._read(way)
            ends.append(self.values.snapshot())
        self.values.join(ends)

    def _doubt_what_changes(self, loop: ast.stmt) -> None:
        """In a loop, a name may have its value from the previous iteration: count it as unknown."""
        for node in ast.walk(loop):
            if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", None), ast.Store):
                self.values.give(node, self.values.of(node) | FROM_ELSEWHERE)

    def _read_assertion(self, test: ast.expr) -> None:
        """Read a condition that must hold."""
        match test:
            case ast.BoolOp(op=ast.And(), values=values):
                for value in values:
                    self._read_assertion(value)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._read_refusal(operand)
            case _:
                self._note_comparison(test, _equates(test, (ast.Eq, ast.Is)))

    def _read_refusal(self, test: ast.expr) -> None:
        """Read a condition that must not hold."""
        match test:
            case ast.BoolOp(op=ast.Or(), values=values):
                for value in values:
                    self._read_refusal(value)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._read_assertion(operand)
            case _:
                self._note_comparison(test, _equates(test, (ast.NotEq, ast.IsNot)))

    def _read_call(self, call: ast.Call) -> None:
        name = called_name(call).lower().replace("_", "")
        if name == "print":
            return
        if name in _EQUATING and len(call.args) > 1:
            # Ignore the object of the method: it may be a test case kept on the context.
            self._note_comparison(ast.Tuple(call.args[:2], ast.Load()), is_equation=True)
            return
        origins = self._note(call)
        match call.func:
            case ast.Attribute(value=ast.Name(id=name)):
                self.values.add(name, origins)  # for example, appending to a list

    def _note_comparison(self, test: ast.expr, is_equation: bool) -> None:
        origins = self._note(test)
        if is_equation and origins and ELSEWHERE not in origins:
            self.suspects.append((origins, test))

    def _note(self, value: ast.expr) -> Origins:
        """The origins of a value used here; record them."""
        origins = self.values.of(value)
        if ELSEWHERE in origins:
            self.met_elsewhere += 1
            self.checked |= origins
        return origins


def _only_raises(body: Sequence[ast.stmt]) -> bool:
    match body[-1]:
        case ast.Raise() | ast.Assert(test=ast.Constant(value=False)):
            return True
        case ast.Expr(value=ast.Call() as call):
            return called_name(call) == "fail"
    return False


def _equates(test: ast.expr, equal: tuple[type[ast.cmpop], ...]) -> bool:
    """Whether a test checks equality; a comparison with None only checks that a value exists."""
    match test:
        case ast.Compare(left=ast.Call() as left, ops=[ast.Lt() | ast.LtE()]):
            # abs(total - 70) < 0.01
            is_difference = any(isinstance(one, ast.BinOp) for one in left.args)
            return called_name(left) == "abs" and is_difference
        case ast.Compare(ops=operators, comparators=compared):
            is_for_none = any(
                isinstance(one, ast.Constant) and one.value is None for one in compared
            )
            return all(isinstance(one, equal) for one in operators) and not is_for_none
        case ast.Call():
            return called_name(test) == "isclose"
    return False

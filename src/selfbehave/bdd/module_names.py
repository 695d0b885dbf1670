"""Find what names of a step module mean while its top level runs, from its syntax tree.

Nothing is imported or executed. A meaning that cannot be determined counts as unknown.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import behave

__all__ = [
    "BEHAVE_MODULES",
    "KINDS",
    "External",
    "Names",
    "NotConstantError",
    "Statement",
    "dict_items",
    "statements_run",
]

KINDS = ("given", "when", "then", "step")
# Modules that export behave's own names. The decorators in `behave.step_registry` do not count:
# behave replaces that registry before a run, but those decorators use the old one.
BEHAVE_MODULES = frozenset({"behave", "behave.api.step_matchers", "behave.matchers"})
# Names that behave puts into a step module before running it.
_GIVEN = (*KINDS, *(kind.title() for kind in KINDS), "use_step_matcher", "step_matcher")
_BUILTINS = frozenset(dir(builtins))
_OF_ANY_MODULE = frozenset({"__builtins__", "__file__", "__module__", "__qualname__"})
_LONGEST = 10_000  # in a concatenated text
_DEEPEST = 50


class NotConstantError(Exception):
    """The value of an expression cannot be determined without running code."""


@dataclass(frozen=True)
class External:
    """Something of another module, by its dotted name: "behave.given", "builtins.int"."""

    name: str


Meaning = External | ast.AST | None


class Statement(NamedTuple):
    """A statement that importing a module runs.

    Attributes:
        is_guarded: whether it is in the body of a `try`, so that its errors may be caught.
        is_in_class: whether it is in a class body, whose names are not the module's.
        branches: its branch for each undecided condition, by the condition's line.
    """

    node: ast.stmt
    is_guarded: bool = False
    is_in_class: bool = False
    branches: Mapping[int, bool] = MappingProxyType({})

    def excludes(self, other: Statement) -> bool:
        """Whether at most one of two statements runs, because their branches exclude each other."""
        return any(other.branches.get(line, side) != side for line, side in self.branches.items())


class Names:
    """The names of a module, updated statement by statement.

    Attributes:
        patterns: the values assigned to the attribute `pattern` of functions, by function name.
        has_unknown: whether a star import may have bound any name.
    """

    def __init__(self) -> None:
        self._meanings: dict[str, Meaning] = {name: External(f"behave.{name}") for name in _GIVEN}
        self.patterns: dict[str, ast.expr] = {}
        self.has_unknown = False

    def note(self, node: ast.stmt, *, is_certain: bool = True) -> None:
        """Register what a statement binds.

        Args:
            is_certain: whether it is plain that the statement runs.
        """
        match node:
            case ast.Import():
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    self._meanings[alias.asname or first] = External(
                        alias.name if alias.asname else first
                    )
            case ast.ImportFrom():
                self._note_import(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._meanings[node.name] = node
                self.patterns.pop(node.name, None)
            case ast.Assign():
                for target in node.targets:
                    self._assign(target, node.value)
            case ast.AnnAssign(value=ast.expr() as value):
                self._assign(node.target, value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
                # It may change its object: a dict is updated, a list appended to.
                if isinstance(self._meanings.get(name), ast.Dict | ast.List):
                    self._meanings[name] = None
            case ast.For() | ast.AsyncFor():
                self._forget(node.target)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    if item.optional_vars is not None:
                        self._forget(item.optional_vars)
            case ast.AugAssign():
                self._forget(node.target)
            case ast.Delete():
                for target in node.targets:
                    if isinstance(target, ast.Name) and is_certain:
                        self._meanings.pop(target.id, None)

    def meaning(self, name: str) -> Meaning:
        """What a name means; None if unknown."""
        if name in self._meanings:
            return self._meanings[name]
        return External(f"builtins.{name}") if name in _BUILTINS else None

    def is_defined(self, name: str) -> bool:
        return name in self._meanings or name in _BUILTINS or name in _OF_ANY_MODULE

    def external(self, node: ast.expr) -> str | None:
        """The dotted name of an external object that an expression refers to."""
        if isinstance(node, ast.Name):
            found = self.meaning(node.id)
            return found.name if isinstance(found, External) else None
        if isinstance(node, ast.Attribute):
            owner = self.external(node.value)
            return f"{owner}.{node.attr}" if owner else None
        return None

    def of_behave(self, node: ast.expr) -> str | None:
        """The name in behave that an expression refers to, such as "given"."""
        module, _, name = (self.external(node) or "").rpartition(".")
        return name if module in BEHAVE_MODULES else None

    def defined(self, node: ast.expr) -> ast.AST | None:
        """The definition or value in the module that an expression refers to."""
        seen = 0
        found: Meaning = node
        while isinstance(found, ast.Name) and seen < _DEEPEST:
            found, seen = self.meaning(found.id), seen + 1
        return found if isinstance(found, ast.AST) else None

    def constant(self, node: ast.expr) -> Any:
        """The value of a constant expression, or of one composed of constants.

        Raises:
            NotConstantError: it is not constant, as far as we can determine.
        """
        return self._constant(node, _DEEPEST)

    def _constant(self, node: ast.expr, depth: int) -> Any:
        if depth == 0:
            raise NotConstantError
        match node:
            case ast.Constant():
                return node.value
            case ast.Name() if isinstance(found := self.defined(node), ast.expr):
                return self._constant(found, depth - 1)
            case ast.JoinedStr():
                parts = (self._part(one, depth) for one in node.values)
                return _bounded("".join(parts))
            case ast.BinOp(op=ast.Add()):
                first, second = (self._constant(one, depth - 1) for one in (node.left, node.right))
                if isinstance(first, str) and isinstance(second, str):
                    return _bounded(first + second)
        raise NotConstantError

    def _part(self, node: ast.expr, depth: int) -> str:
        """A part of an f-string; conversions and formats are not supported."""
        if isinstance(node, ast.FormattedValue):
            if node.conversion != -1 or node.format_spec is not None:
                raise NotConstantError
            node = node.value
        value = self._constant(node, depth - 1)
        if not isinstance(value, str | int):
            raise NotConstantError
        return str(value)

    def _note_import(self, node: ast.ImportFrom) -> None:
        source = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name != "*":
                self._meanings[alias.asname or alias.name] = External(f"{source}.{alias.name}")
            elif source == "behave":
                self._meanings |= {name: External(f"behave.{name}") for name in behave.__all__}
            else:
                self.has_unknown = True

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            external = self.external(value)
            self._meanings[target.id] = External(external) if external else value
        elif (
            isinstance(target, ast.Attribute)
            and target.attr == "pattern"
            and isinstance(target.value, ast.Name)
        ):
            self.patterns[target.value.id] = value
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            self._meanings[target.value.id] = None
        else:
            self._forget(target)

    def _forget(self, node: ast.AST) -> None:
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                self._meanings[one.id] = None


def statements_run(body: list[ast.stmt]) -> Iterator[Statement]:
    """The statements that importing a module runs; compound ones come before their contents.

    If a condition is undecided, both of its branches are included. The bodies of classes and loops
    are included once.
    """
    # Not recursive: each `elif` is nested in the `else` of the previous one.
    waiting = [Statement(node) for node in reversed(body)]
    while waiting:
        statement = waiting.pop()
        yield statement
        if isinstance(statement.node, _COMPOUND):
            waiting += reversed(list(_inner(statement)))


_COMPOUND = (
    ast.If | ast.Try | ast.ClassDef | ast.With | ast.AsyncWith | ast.For | ast.AsyncFor | ast.While
)


def _inner(statement: Statement) -> Iterator[Statement]:
    node = statement.node
    match node:
        case ast.If():
            is_true = _truth(node.test)
            for body, side in ((node.body, True), (node.orelse, False)):
                if is_true is None:
                    inner = statement._replace(branches={**statement.branches, node.lineno: side})
                elif side is is_true:
                    inner = statement
                else:
                    continue
                yield from (inner._replace(node=one) for one in body)
        case ast.Try():
            is_guarded = statement.is_guarded or bool(node.handlers)
            yield from (statement._replace(node=one, is_guarded=is_guarded) for one in node.body)
            yield from (statement._replace(node=one) for one in (*node.orelse, *node.finalbody))
        case ast.ClassDef():
            yield from (statement._replace(node=one, is_in_class=True) for one in node.body)
        case ast.For() | ast.AsyncFor() | ast.While():
            yield from (statement._replace(node=one) for one in (*node.body, *node.orelse))
        case ast.With() | ast.AsyncWith():
            yield from (statement._replace(node=one) for one in node.body)


def _truth(test: ast.expr) -> bool | None:
    """Whether a condition holds when behave runs a step module; None if undecided."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _truth(operand)
            return None if inner is None else not inner
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()]):
            return False  # behave runs the module under another name
    return None


def _bounded(text: str) -> str:
    if len(text) > _LONGEST:
        raise NotConstantError
    return text


def dict_items(mapping: ast.AST | None, names: Names) -> Mapping[str, ast.expr] | None:
    """The items of a dict literal, by their keys; None if they are unknown."""
    match mapping:
        case ast.Dict(keys=keys, values=values):
            items = {}
            for key, value in zip(keys, values, strict=True):
                if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                    return None
                items[key.value] = value
            return items
        case ast.Call(func=function, args=[], keywords=keywords):
            if names.external(function) == "builtins.dict" and all(one.arg for one in keywords):
                return {str(one.arg): one.value for one in keywords}
    return None

"""Take apart the functions of a pytest project, steps and fixtures, to rewrite them for behave."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from keyword import iskeyword

from behave.runner import Context

from .left_out import CannotImportError
from .modules import Function, Module, Unit, names_in
from .project import shown

__all__ = ["PytestFunction", "Rewritten", "is_plain"]

# Names that behave itself keeps on the context.
_OF_BEHAVE = frozenset(
    "aborted active_outline captured config embeddings failed feature fail_on_cleanup_errors "
    "log_capture rule scenario stderr_capture stdout_capture table tags text use_with_user_mode "
    "user_mode".split()
)
_Yield = ast.Yield | ast.YieldFrom | ast.Await


@dataclass(frozen=True)
class Rewritten:
    """A statement whose first word is to be replaced by other text."""

    statement: ast.stmt
    word: str
    by: str


@dataclass(frozen=True, eq=False)
class PytestFunction:
    """A function at the top level of a module."""

    module: Module
    unit: Unit
    node: ast.FunctionDef

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def place(self) -> str:
        return f"{shown(self.module.path)}:{self.node.lineno}"

    def refused(self, fault: str, reason: str = "not_translated") -> CannotImportError:
        """The error that says why the function cannot be translated."""
        return CannotImportError(reason, f"{self.name} in {self.place} {fault}")

    @property
    def parameters(self) -> list[str]:
        """The names of its parameters.

        Raises:
            CannotImportError: a parameter is not plain, or the function has a name `context`.
        """
        spec = self.node.args
        if spec.vararg or spec.kwarg or spec.kwonlyargs or spec.posonlyargs or spec.defaults:
            raise self.refused("has parameters that are not plain")
        names = [one.arg for one in spec.args]
        if "context" in names or "context" in names_in(ast.unparse(self.node)).uses:
            raise self.refused("uses something of its own named context")
        return names

    @property
    def does_nothing(self) -> bool:
        return all(
            isinstance(one, ast.Pass)
            or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
            for one in self.node.body
        )

    @property
    def yields(self) -> list[ast.expr]:
        """The expressions that make it a generator or a coroutine, excluding nested functions."""
        return [one for one in self._own_nodes() if isinstance(one, _Yield)]

    @property
    def last_yield(self) -> ast.stmt | None:
        """Its last statement, if that is its only `yield`: there is nothing to clean up."""
        last = self.node.body[-1]
        if isinstance(last, ast.Expr) and isinstance(last.value, ast.Yield):
            return last if self.yields == [last.value] else None
        return None

    def returned_to(self, target: str | None) -> ast.Return | None:
        """The statement whose value becomes the target fixture; None if there is no target.

        Raises:
            CannotImportError: there is not exactly one such statement, at the function's end.
        """
        if self.yields:
            raise self.refused("yields")
        returns = [one for one in self._own_nodes() if isinstance(one, ast.Return)]
        if target is None or not returns:
            return None
        if len(returns) > 1 or returns[0] is not self.node.body[-1] or returns[0].value is None:
            raise self.refused("returns before its end")
        return returns[0]

    def body_lines(
        self, before: Sequence[str] = (), rewritten: Rewritten | None = None
    ) -> list[str]:
        """Its body as written, with additional lines before it.

        Raises:
            CannotImportError: the body is on the same line as `def`.
        """
        first = min([self.node.lineno, *(one.lineno for one in self.node.decorator_list)])
        lines = self.unit.text.split("\n")
        if rewritten is not None:
            number, start = rewritten.statement.lineno - first, rewritten.statement.col_offset
            line = lines[number].encode()
            kept = line[start:].removeprefix(rewritten.word.encode()).strip().decode()
            lines[number] = f"{line[:start].decode()}{rewritten.by} {kept}".rstrip()
        top, *others = self.node.body
        start = top.lineno - first
        indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
        if not indent or len(indent.encode()) != top.col_offset:
            raise self.refused("stands on one line")
        has_text = isinstance(top, ast.Expr) and isinstance(top.value, ast.Constant) and others
        split = others[0].lineno - first if has_text else start
        return [*lines[start:split], *(f"{indent}{line}" for line in before), *lines[split:]]

    def _own_nodes(self) -> list[ast.AST]:
        """The nodes of its body, excluding those of nested functions and classes."""
        found: list[ast.AST] = []
        waiting: list[ast.AST] = list(self.node.body)
        while waiting:
            node = waiting.pop()
            if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
                found.append(node)
                waiting += ast.iter_child_nodes(node)
        return found


def is_plain(name: str) -> bool:
    """Whether a name can be a context attribute that only the scenario uses."""
    is_own = name not in _OF_BEHAVE and not name.startswith("_")
    return is_own and name.isidentifier() and not iskeyword(name) and not hasattr(Context, name)

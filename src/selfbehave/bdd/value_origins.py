"""The origins of values in a step function: from its step, or from elsewhere.

The analysis reads the syntax tree and runs nothing. The origins of a value are the parameters that
it is computed from; a constant has none. A value that the analysis does not understand comes from
elsewhere.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from .steps import top_level_statements

__all__ = ["ELSEWHERE", "FROM_ELSEWHERE", "Function", "Origins", "ValueOrigins"]

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Names of the step's parameters, and ELSEWHERE.
Origins = frozenset[str]
_CONSTANT: Origins = frozenset()
ELSEWHERE = "*"
FROM_ELSEWHERE: Origins = frozenset({ELSEWHERE})

# Context attributes that behave fills from the step itself, like its parameters.
_OF_THE_STEP = ("table", "text")
_PURE_MODULES = frozenset(
    "ast datetime decimal fractions json math operator pytest re string".split()
)
_IMPURE = frozenset("now today utcnow".split())
_PURE_BUILTINS = frozenset(
    "abs all any ascii bin bool bytes chr complex dict divmod enumerate filter float format "
    "frozenset hex int isinstance len list map max min oct ord pow range repr reversed round set "
    "slice sorted str sum tuple zip".split()
)


class ValueOrigins:
    """The origins of values at one point of a step function.

    The caller reports each assignment, in the order of the code.

    Attributes:
        context: the name of the function's first parameter.
    """

    def __init__(self, module: ast.Module, function: Function) -> None:
        arguments = function.args
        names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
        self.context, *parameters = names or [""]
        parameters += [one.arg for one in arguments.kwonlyargs]
        for extra in (arguments.vararg, arguments.kwarg):
            if extra is not None:
                parameters.append(extra.arg)
        # The origins of each local name, and of each context attribute that the function has set.
        self._origins = {name: frozenset({name}) for name in parameters}
        self._module = module

    @functools.cached_property
    def _known(self) -> _Known:
        return _Known.of(self._module)  # lazy: few functions need it

    def snapshot(self) -> dict[str, Origins]:
        """The origins known at this point."""
        return dict(self._origins)

    def return_to(self, snapshot: dict[str, Origins]) -> None:
        """Restore the origins of a snapshot."""
        self._origins = dict(snapshot)

    def join(self, snapshots: Sequence[dict[str, Origins]]) -> None:
        """Continue at a point where several paths of the code meet."""
        for snapshot in snapshots:
            for name, origins in snapshot.items():
                self._origins[name] = self._origins.get(name, _CONSTANT) | origins

    def give(self, target: ast.expr, origins: Origins) -> None:
        """Record the new origins of a name or of a context attribute."""
        match target:
            case ast.Name(id=name):
                self._origins[name] = origins
            case ast.Attribute(value=ast.Name(id=self.context), attr=attribute):
                self._origins[self._of_context(attribute)] = origins
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for one in targets:
                    self.give(one, origins)
            case ast.Starred(value=one):
                self.give(one, origins)
            case ast.Subscript(value=ast.Name(id=name), slice=place):
                self.add(name, origins | self.of(place))

    def add(self, name: str, origins: Origins) -> None:
        """Record that something was added to the value of a local name, such as a list."""
        if name in self._origins:
            self._origins[name] |= origins

    def of(self, value: ast.expr) -> Origins:
        """The origins of an expression's value."""
        match value:
            case ast.Constant():
                return _CONSTANT
            case ast.Name(id=name):
                if name in self._origins:
                    return self._origins[name]
                return _CONSTANT if name in self._known.constants else FROM_ELSEWHERE
            case ast.Attribute(value=ast.Name(id=self.context), attr=attribute):
                name = self._of_context(attribute)
                stated = frozenset({name}) if attribute in _OF_THE_STEP else FROM_ELSEWHERE
                return self._origins.get(name, stated)
            case ast.Call():
                return self._of_call(value)
            case ast.NamedExpr(target=target, value=given):
                origins = self.of(given)
                self.give(target, origins)
                return origins
            case ast.ListComp(elt=made) | ast.SetComp(elt=made) | ast.GeneratorExp(elt=made):
                return self._of_comprehension(value.generators, [made])
            case ast.DictComp():
                return self._of_comprehension(value.generators, [value.key, value.value])
        return self._of_children(value)

    def _of_context(self, attribute: str) -> str:
        return f"{self.context}.{attribute}"

    def _of_comprehension(
        self, generators: Sequence[ast.comprehension], made: Sequence[ast.expr]
    ) -> Origins:
        found = _CONSTANT
        for generator in generators:
            origins = self.of(generator.iter)
            self.give(generator.target, origins)
            found |= origins
            for condition in generator.ifs:
                found |= self.of(condition)
        for one in made:
            found |= self.of(one)
        return found

    def _of_children(self, node: ast.AST) -> Origins:
        found = _CONSTANT
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                found |= self.of(child)
            else:
                found |= self._of_children(child)  # for example, a keyword argument
        return found

    def _of_call(self, call: ast.Call) -> Origins:
        """The origins of a call's result: those of its arguments, if the function is pure."""
        found = _CONSTANT
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            found |= self.of(argument)
        match call.func:
            case ast.Name(id=name):
                is_pure = name in _PURE_BUILTINS or name in self._known.pure
                return found if is_pure else found | FROM_ELSEWHERE
            case ast.Attribute(value=owner, attr=name):
                root = owner
                while isinstance(root, ast.Attribute):
                    root = root.value
                if isinstance(root, ast.Name) and root.id in self._known.pure:
                    return found if name not in _IMPURE else found | FROM_ELSEWHERE
                return found | self.of(owner)
        return found | FROM_ELSEWHERE


@dataclass(frozen=True)
class _Known:
    """The names of a module whose values are known.

    Attributes:
        constants: names that are assigned once, with a constant.
        pure: imported functions and modules whose results depend only on their arguments.
    """

    constants: Collection[str]
    pure: Collection[str]

    @staticmethod
    def of(module: ast.Module) -> _Known:
        given: dict[str, list[ast.expr | None]] = {}
        pure: set[str] = set()
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom) and node.module in _PURE_MODULES:
                pure |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, ast.Import):
                names = [alias for alias in node.names if alias.name in _PURE_MODULES]
                pure |= {alias.asname or alias.name for alias in names}
            elif isinstance(node, ast.Global):
                for name in node.names:
                    given.setdefault(name, []).append(None)
        for statement in top_level_statements(module.body):
            for name, value in _assigned_names(statement):
                given.setdefault(name, []).append(value)
        constants = {
            name
            for name, (first, *more) in given.items()
            if not more and first is not None and _is_constant(first)
        }
        return _Known(constants, pure - given.keys())


def _assigned_names(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that a statement assigns, each with its value if that is a single expression."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            yield name, value
        case _:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                    yield node.id, None


def _is_constant(value: ast.expr) -> bool:
    """Whether an expression is an immutable constant."""
    match value:
        case ast.UnaryOp(operand=operand):
            return _is_constant(operand)
        case ast.Tuple(elts=parts):
            return all(map(_is_constant, parts))
    return isinstance(value, ast.Constant)

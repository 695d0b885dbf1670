"""Find what an expression of a module refers to, through imports, aliases and `partial`.

Nothing is executed. A reference that cannot be followed with certainty counts as unknown.
"""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ...bdd.module_names import BEHAVE_MODULES
from .modules import Function, Import, Module, Modules, Unit, imports_of

__all__ = [
    "GIVEN_BY_BEHAVE",
    "KINDS",
    "SCENARIO_NAMES",
    "STEP_NAMES",
    "Argument",
    "Call",
    "Defined",
    "External",
    "References",
    "running_nodes",
]

KINDS = ("given", "when", "then", "step")
STEP_NAMES = frozenset([*KINDS, *(kind.title() for kind in KINDS)])
SCENARIO_NAMES = frozenset({"scenario", "scenarios"})
_DEEPEST = 50  # names, modules and attributes followed in a chain
_BUILTINS = frozenset(dir(builtins))
_PARTIAL = "functools.partial"
_MODULES_OF_BEHAVE = BEHAVE_MODULES | {"behave.cucumber_expression"}
# Names that behave puts into step modules without an import.
GIVEN_BY_BEHAVE = STEP_NAMES | {"use_step_matcher", "step_matcher"}


@dataclass(frozen=True, eq=False)
class Argument:
    """An argument as written, with the module whose names it uses."""

    node: ast.expr
    module: Module


@dataclass(frozen=True, eq=False)
class External:
    """Something of another package or of Python itself.

    Attributes:
        name: dotted, starting with its package: `behave.given`, `builtins.str`.
        positional, named: arguments that `functools.partial` has bound to it.
    """

    name: str
    positional: tuple[Argument, ...] = ()
    named: Mapping[str, Argument] = field(default_factory=dict)

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def is_bare(self) -> bool:
        """Whether no arguments are bound to it."""
        return not self.positional and not self.named


@dataclass(frozen=True)
class Defined:
    """A definition in the project: a function, a class, or an assignment that is not followed."""

    module: Module
    unit: Unit


Reference = External | Module | Defined


@dataclass(frozen=True, eq=False)
class Call:
    """A call of something external.

    Attributes:
        function: the function that is called.
        positional, named: its arguments, including those that `functools.partial` has bound.
        has_stars, has_double_stars: whether `*` or `**` may add more arguments.
    """

    function: External
    positional: tuple[Argument, ...]
    named: Mapping[str, Argument]
    has_stars: bool
    has_double_stars: bool

    @property
    def is_open(self) -> bool:
        return self.has_stars or self.has_double_stars

    def argument(self, position: int, name: str) -> Argument | None:
        """The argument for a parameter, by its position from 0 or its name."""
        if position < len(self.positional):
            return self.positional[position]
        return self.named.get(name)


class References:
    """Resolves the expressions of a project's modules.

    Args:
        modules: the project's modules.
        package: the package that provides the steps: "behave" or "pytest_bdd".
    """

    def __init__(self, modules: Modules, package: str) -> None:
        self.modules = modules
        self.package = package
        self._named: dict[tuple[Module, str], Reference | None] = {}
        self._without: dict[frozenset[str], set[Defined]] = {}

    def to(self, node: ast.expr, module: Module) -> Reference | None:
        """What an expression refers to; None if unknown."""
        return self._follow(node, module, _DEEPEST)

    def call(self, node: ast.expr, module: Module) -> Call | None:
        """A call of something external; None if it is not a call, or the function is unknown."""
        if not isinstance(node, ast.Call):
            return None
        function = self.to(node.func, module)
        if not isinstance(function, External):
            return None
        stars = any(isinstance(one, ast.Starred) for one in node.args)
        named = {one.arg: Argument(one.value, module) for one in node.keywords if one.arg}
        return Call(
            function,
            (*function.positional, *(Argument(one, module) for one in node.args)),
            {**function.named, **named},
            stars,
            len(named) < len(node.keywords),
        )

    def kind_of(self, reference: Reference | None) -> str | None:
        """The kind of step that a decorator registers; None if it registers no step."""
        if not isinstance(reference, External) or reference.package != self.package:
            return None
        kind = reference.last.lower() if self.package == "behave" else reference.last
        return kind if kind in KINDS else None

    def registers(self, decorator: ast.expr, module: Module) -> bool:
        """Whether a decorator registers or may register a step."""
        call = self.call(decorator, module)
        if call is None:
            return self.reaches(decorator, module, STEP_NAMES)
        return self.kind_of(call.function) is not None

    def registering_call(self, node: ast.AST, module: Module) -> ast.Call | None:
        """A statement's first call that may register steps, excluding decorators."""
        for one in running_nodes(node):
            if isinstance(one, ast.Call) and self._may_register(one, module):
                return one
        return None

    def _may_register(self, node: ast.Call, module: Module) -> bool:
        if self.to(node, module) is not None:
            return False  # a call of `functools.partial`: it registers nothing yet
        call = self.call(node, module)
        if call is None:
            return self.reaches(node, module, STEP_NAMES)
        handed_on = [*node.args, *(one.value for one in node.keywords)]
        return self.kind_of(call.function) is not None or any(
            self.kind_of(self.to(one, module)) for one in handed_on
        )

    def reaches(self, node: ast.AST, module: Module, names: frozenset[str]) -> bool:
        """Whether code uses one of the package's names, directly or through the project's code.

        Args:
            names: `STEP_NAMES` or `SCENARIO_NAMES`.
        """
        without = self._without.setdefault(names, set())
        seen: set[Defined] = set()
        waiting: list[tuple[ast.AST, Module]] = [(node, module)]
        while waiting:
            code, owner = waiting.pop()
            for one in ast.walk(code):
                if not isinstance(one, ast.Name | ast.Attribute):
                    continue
                found = self.to(one, owner)
                if isinstance(found, External):
                    if found.package == self.package and found.last in names:
                        return True
                elif isinstance(found, Defined) and found not in seen and found not in without:
                    seen.add(found)
                    waiting.append((found.unit.node, found.module))
        without |= seen
        return False

    def _follow(self, node: ast.expr, module: Module, left: int) -> Reference | None:
        if left <= 0:
            return None
        if isinstance(node, ast.Name):
            return self._name(node.id, module, left - 1)
        if isinstance(node, ast.Attribute):
            base = self._follow(node.value, module, left - 1)
            if isinstance(base, External):
                return External(f"{base.name}.{node.attr}") if base.is_bare else None
            if isinstance(base, Module):
                return self._attribute(node.attr, base, left - 1)
            return base
        return self._partial(node, module, left - 1) if isinstance(node, ast.Call) else None

    def _partial(self, node: ast.Call, module: Module, left: int) -> External | None:
        """The result of `functools.partial(…)` on something external."""
        function = self._follow(node.func, module, left)
        if not isinstance(function, External) or function.name != _PARTIAL or not node.args:
            return None
        inner = self._follow(node.args[0], module, left)
        stars = any(isinstance(one, ast.Starred) for one in node.args)
        if (
            not isinstance(inner, External)
            or stars
            or any(one.arg is None for one in node.keywords)
        ):
            return None
        positional = (*inner.positional, *(Argument(one, module) for one in node.args[1:]))
        named = {str(one.arg): Argument(one.value, module) for one in node.keywords}
        return External(inner.name, positional, {**inner.named, **named})

    def _name(self, name: str, module: Module, left: int) -> Reference | None:
        """What a name of a module refers to, if all its bindings agree."""
        key = (module, name)
        if key not in self._named:
            self._named[key] = None  # until it is known, in case it refers to itself
            if left > 0:
                bindings = module.bindings.get(name, ())
                found = [self._bound(one, name, module, left) for one in bindings]
                self._named[key] = (
                    _agreed(found) if found else self._from_elsewhere(name, module, left)
                )
        return self._named[key]

    def _bound(
        self, binding: Unit | Import, name: str, module: Module, left: int
    ) -> Reference | None:
        if isinstance(binding, Import):
            return self._imported(binding, module, left)
        node = binding.node
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(one, ast.Name) and one.id == name for one in targets):
                return self._follow(node.value, module, left - 1) or Defined(module, binding)
        return self._imported_within(node, name, module, left) or Defined(module, binding)

    def _imported_within(
        self, node: ast.stmt, name: str, module: Module, left: int
    ) -> Reference | None:
        """What a name refers to if it is imported under `try` or `if`.

        For `try: import a` with `except ImportError: import b`, the first counts. Both branches of
        an `if` must agree.
        """
        found = [
            self._imported(one, module, left)
            for inner in running_nodes(node)
            if isinstance(inner, ast.Import | ast.ImportFrom)
            for one in imports_of(inner)
            if one.name == name
        ]
        return found[0] if found and isinstance(node, ast.Try) else _agreed(found)

    def _imported(self, one: Import, module: Module, left: int) -> Reference | None:
        path = self.modules.find(one.module, module.path)
        if path is None:
            if one.module.startswith("."):
                return None
            if one.attribute is None:
                return External(one.name if one.is_whole else one.module)
            return External(f"{one.module}.{one.attribute}")
        if one.is_whole:
            path = self.modules.find(one.name, module.path)
        target = self.modules.at(path) if path is not None else None
        if target is None or one.attribute is None:
            return target
        return self._attribute(one.attribute, target, left)

    def _attribute(self, name: str, module: Module, left: int) -> Reference | None:
        """What `module.name` refers to: a name in the module, or a module in its folder."""
        found = self._name(name, module, left - 1)
        if name in module.bindings or isinstance(found, Defined | Module):
            return found
        is_package = module.path.is_dir() or module.path.name == "__init__.py"
        inside = module.path / "__init__.py" if module.path.is_dir() else module.path
        path = self.modules.find(f".{name}", inside) if is_package else None
        return self.modules.at(path) if path is not None else None

    def _from_elsewhere(self, name: str, module: Module, left: int) -> Reference | None:
        """What a name refers to if its module does not bind it."""
        for one in module.imports:
            if one.name != "*":
                continue
            path = self.modules.find(one.module, module.path)
            target = self.modules.at(path) if path is not None and path.is_file() else None
            if target is not None and not name.startswith("_"):
                found = self._name(name, target, left - 1)
                if found is not None:
                    return found
            elif target is None and name in _star_names(one.module):
                return External(f"{one.module}.{name}")
        if name in GIVEN_BY_BEHAVE:
            return External(f"behave.{name}")
        return External(f"builtins.{name}") if name in _BUILTINS else None


def running_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when a statement runs; for a function, this excludes its body."""
    # Not recursive: code may be nested too deeply for Python's stack.
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        children: Iterable[ast.AST] = ast.iter_child_nodes(one)
        if isinstance(one, Function):
            children = [*one.decorator_list, one.args]
        elif isinstance(one, ast.Lambda):
            children = [one.args]
        waiting += [*children][::-1]


@lru_cache
def _star_names(module: str) -> frozenset[str]:
    """The names that `from … import *` takes from a module of behave or pytest-bdd."""
    if module == "pytest_bdd":
        return SCENARIO_NAMES.union(KINDS)  # pytest-bdd need not be installed
    if module not in _MODULES_OF_BEHAVE:
        return frozenset()
    found = importlib.import_module(module)
    public = [name for name in dir(found) if not name.startswith("_")]
    return frozenset(getattr(found, "__all__", public))


def _agreed(found: list[Reference | None]) -> Reference | None:
    """What all bindings of a name refer to; None if they disagree."""
    if not found:
        return None
    first, *others = found
    return first if all(_is_same(one, first) for one in others) else None


def _is_same(one: Reference | None, other: Reference | None) -> bool:
    if isinstance(one, External) and isinstance(other, External):
        return one.name == other.name and one.is_bare and other.is_bare
    return one is not None and one == other

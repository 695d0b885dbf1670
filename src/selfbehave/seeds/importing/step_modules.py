"""Read the step functions of a behave project, in the order in which behave registers them.

All `*.py` files of the steps folder are read in order of their names. Project modules that they
import are read before the statement after the import. `environment.py` comes before all others,
since it may set the matcher and register types.

Code that may register steps in a way that we cannot follow is recorded with its place. An unbound
step counts as undefined only if there is no such code.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...bdd.bounded_regex import Budget, TookTooLongError
from ...bdd.converters import OpenTypes, UnknownConverterError
from ...bdd.patterns import CUCUMBER, MATCHERS, BadPatternError, StepPattern, make_matcher
from ...bdd.scenario import Step
from .constants import constant_text, written_items
from .converters import stand_in
from .left_out import CannotImportError, NotUnderstood, Why, source_line, unbound
from .modules import DEEPEST_IMPORT, Import, Module, Unit, imports_of, statements_run
from .project import shown
from .references import STEP_NAMES, Argument, Call, References

__all__ = ["Registry", "StepDefinition", "may_bring_steps", "read_registry"]

MAX_DEFINITIONS = 1_500  # in a project: each is compared with all previous ones
MATCH_SECONDS = 30.0  # for all patterns of a project together
_TYPE_NAME = re.compile(r"\{[^{}:]*:(?P<type>[^{}]*)\}")
_MATCHER_CALLS = ("use_step_matcher", "step_matcher", "use_default_step_matcher")
_PARAMETER_TYPE_CALLS = ("define_parameter_type", "define_parameter_type_with")
_CUCUMBER_CALL = "use_step_matcher_for_cucumber_expressions"


@dataclass(frozen=True, eq=False)
class StepDefinition:
    """One decorator of one step function.

    Attributes:
        unit: the function; None where it is not at its module's top level.
        decorator: the decorator that registers it.
        is_plain: whether the decorator reads `@given("…")`, so that it can stay as written.
        types: names of registered types in its pattern.
        options: other arguments of the decorator, by name.
    """

    module: Module
    unit: Unit | None
    line: int
    decorator: ast.Call
    is_plain: bool
    kind: str
    pattern: str
    matcher: str
    types: frozenset[str]
    matches: StepPattern
    options: Mapping[str, Argument]


@dataclass
class Registry:
    """Everything that a project registers.

    Attributes:
        definitions: in order.
        registrations: the last statement that registers each type, by the type's name.
        modules: in the order in which Python would finish running them.
        faults: what behave would refuse, one line each.
        not_understood: code that may register steps in a way that we cannot follow.
    """

    references: References
    definitions: list[StepDefinition] = field(default_factory=list)
    registrations: dict[str, tuple[Module, Unit]] = field(default_factory=dict)
    modules: list[Module] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    not_understood: list[NotUnderstood] = field(default_factory=list)
    budget: Budget = field(default_factory=lambda: Budget(MATCH_SECONDS))
    _found: dict[tuple[str, str], StepDefinition | None] = field(default_factory=dict)

    def find(self, step: Step) -> StepDefinition:
        """The definition that binds a step; one of its own kind takes precedence over `@step`.

        Raises:
            CannotImportError: there is none.
        """
        if step.kind is None:
            detail = f"no Given, When or Then before '{step.text}'"
            raise CannotImportError("undefined_step", detail)
        key = (step.kind, step.text)
        if key not in self._found:
            self._found[key] = next(
                (
                    one
                    for kind in (step.kind, "step")
                    for one in self.definitions
                    if one.kind == kind and one.matches(step.text)
                ),
                None,
            )
        found = self._found[key]
        if found is None and self.budget.seconds <= 0:
            detail = f"{step.kind} {step.text}: the project's patterns take too long to match"
            raise CannotImportError("not_understood", detail, causes=self.not_understood)
        if found is None:
            raise unbound(f"{step.kind} {step.text}", self.not_understood)
        return found


def read_registry(
    references: References, step_files: Sequence[Path], environment: Path | None = None
) -> Registry:
    """Read the step modules of a project.

    Args:
        step_files: in the order in which they are loaded.
        environment: the project's `environment.py`, if it has one.
    """
    reader = _Reader(references)
    for path in [*([environment] if environment else []), *step_files]:
        reader.read(path)
    reader.registry.not_understood += references.modules.unread
    return reader.registry


class _Reader:
    """Walks modules in the order in which an import would register their steps."""

    def __init__(self, references: References) -> None:
        self.registry = Registry(references)
        self._references = references
        self._modules = references.modules
        self._seen: set[Path] = set()
        self._default_matcher: str | None = "parse"
        self._matcher: str | None = "parse"  # None if unknown
        self._types = OpenTypes()
        self._is_full = False

    def read(self, path: Path) -> None:
        """Read a module that the test runner loads, which starts with the default matcher."""
        self._matcher = self._default_matcher
        self._read(path)
        if path.name == "environment.py":
            self._default_matcher = self._matcher

    def _read(self, path: Path, depth: int = 0) -> None:
        path = path.absolute()
        if path in self._seen or depth > DEEPEST_IMPORT:
            return
        self._seen.add(path)
        module = self._modules.at(path)
        if module is None:
            return
        for one in module.body:
            if isinstance(one, Import):
                if not one.is_for_types:
                    self._follow(one, module, depth)
                continue
            for node in statements_run(one.node):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    for each in imports_of(node):
                        self._follow(each, module, depth)
                elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    self._function(module, one if node is one.node else None, node)
                else:
                    self._statement(module, one, node)
        self.registry.modules.append(module)

    def _follow(self, one: Import, module: Module, depth: int) -> None:
        """Read the project modules that an import runs."""
        for path in self._modules.run_by(one, module.path):
            self._read(path, depth + 1)
        if self._modules.find(one.module, module.path) is None and may_bring_steps(one):
            self._note(NotUnderstood(f"{shown(module.path)}:{one.line}", Why.PACKAGE, one.text))

    def _function(
        self, module: Module, unit: Unit | None, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> None:
        # Decorators apply, and so register, from the bottom up.
        for decorator in reversed(node.decorator_list):
            call = self._references.call(decorator, module)
            kind = self._references.kind_of(call.function) if call else None
            if call is not None and kind is not None:
                assert isinstance(decorator, ast.Call)
                self._register(module, unit, node.lineno, decorator, call, kind)
            elif call is None and self._references.reaches(decorator, module, STEP_NAMES):
                self._note_code(module, decorator, Why.DECORATOR, "@")

    def _register(
        self,
        module: Module,
        unit: Unit | None,
        line: int,
        decorator: ast.Call,
        call: Call,
        kind: str,
    ) -> None:
        place = f"{shown(module.path)}:{decorator.lineno}"
        pattern = constant_text(call.argument(0, "step_text"), self._references)
        if pattern is None or call.is_open:
            self._note_code(module, decorator, Why.PATTERN, "@")
            return
        if self._matcher is None:
            return
        if len(self.registry.definitions) == MAX_DEFINITIONS:
            if not self._is_full:
                self._note_code(module, decorator, Why.TOO_MANY, "@")
            self._is_full = True
            return
        try:
            matches = make_matcher(self._matcher, pattern, self._types, self.registry.budget)
        except BadPatternError as error:
            self.registry.faults.append(f"{place}: bad pattern {pattern!r}: {error}")
            return
        except UnknownConverterError:
            self._note_code(module, decorator, Why.CONVERTER, "@")
            return
        if existing := self._taken_by(kind, pattern):
            self.registry.faults.append(
                f"{place}: ambiguous: {pattern!r} is already matched by {existing.pattern!r}, "
                f"{shown(existing.module.path)}:{existing.line}"
            )
            return
        types: frozenset[str] = frozenset()
        if self._matcher in ("parse", "cfparse"):
            named = {found["type"].rstrip("?*+") for found in _TYPE_NAME.finditer(pattern)}
            types = frozenset(named & self._types.keys())
        options = {name: one for name, one in call.named.items() if name != "step_text"}
        self.registry.definitions.append(
            StepDefinition(
                module, unit, line, decorator, _is_plain(decorator, module), kind, pattern,
                self._matcher, types, matches, options,
            )
        )  # fmt: skip

    def _taken_by(self, kind: str, pattern: str) -> StepDefinition | None:
        """The definition that makes a pattern ambiguous for behave."""
        for existing in self.registry.definitions:
            if existing.kind == kind:
                try:
                    if existing.pattern == pattern or existing.matches.takes(pattern):
                        return existing
                except TookTooLongError:
                    continue
        return None

    def _statement(self, module: Module, unit: Unit, node: ast.AST) -> None:
        """Record how a statement that does not define a function affects the registry."""
        if isinstance(node, ast.Expr):
            known = self._references.call(node.value, module)
            if known is not None and known.function.package == "behave":
                if known.function.last in (*_MATCHER_CALLS, _CUCUMBER_CALL):
                    self._use_matcher(module, known, node.value)
                    return
                if known.function.last in _PARAMETER_TYPE_CALLS:
                    self._note_code(module, node.value, Why.TYPES)
                    return
                if known.function.last == "register_type":
                    self._register_types(module, unit, node.value)
                    return
        if call := self._references.registering_call(node, module):
            self._note_code(module, call, Why.STATEMENT)

    def _use_matcher(self, module: Module, call: Call, node: ast.expr) -> None:
        name = constant_text(call.argument(0, "name"), self._references)
        if call.function.last == _CUCUMBER_CALL:
            name = CUCUMBER
        elif call.function.last == "use_default_step_matcher":
            if call.positional or call.named:
                self._default_matcher = name
            else:
                name = self._default_matcher
        self._matcher = name if name in (*MATCHERS, CUCUMBER) else None
        if self._matcher is None:
            self._note_code(module, node, Why.MATCHER)

    def _register_types(self, module: Module, unit: Unit, node: ast.expr) -> None:
        assert isinstance(node, ast.Call)
        for keyword in node.keywords:
            value = Argument(keyword.value, module)
            types = {keyword.arg: value} if keyword.arg else written_items(value, self._references)
            if types is None:
                self._types.has_unknown = True
                self._note_code(module, node, Why.TYPES)
            for name, one in (types or {}).items():
                self._types[name] = stand_in(one, self._references)
                self.registry.registrations[name] = (module, unit)

    def _note_code(self, module: Module, node: ast.expr, why: Why, before: str = "") -> None:
        place = f"{shown(module.path)}:{node.lineno}"
        self._note(NotUnderstood(place, why, before + source_line(node)))

    def _note(self, one: NotUnderstood) -> None:
        if one not in self.registry.not_understood:
            self.registry.not_understood.append(one)


def _is_plain(decorator: ast.Call, module: Module) -> bool:
    """Whether a decorator alone says what it registers, apart from the import of its name."""
    arguments = decorator.args
    if len(arguments) != 1 or not isinstance(arguments[0], ast.Constant):
        return False
    function = decorator.func
    if isinstance(function, ast.Attribute):
        function = function.value
    return isinstance(function, ast.Name) and all(
        isinstance(one, Import) and one.module == "behave"
        for one in module.bindings.get(function.id, ())
    )


def may_bring_steps(one: Import) -> bool:
    """Whether the purpose of importing an external package may be its steps."""
    package = one.module.partition(".")[0]
    if package in sys.stdlib_module_names or package in ("behave", "pytest_bdd"):
        return False
    if one.module.startswith(".") or one.is_for_types:
        return False
    return one.name == "*" or "step" in f"{one.module}.{one.attribute}".lower()

"""The step functions of a behave project, in the order in which behave registers them.

All `*.py` of the steps folder are read in order of their names, the project's modules that they
import before the statement behind the import, and `environment.py` before all, since it may set the
matcher and register types.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...bdd.patterns import MATCHERS, BadPatternError, Budget, Matches, make_matcher
from ...bdd.scenario import Step
from ...bdd.steps import (
    called_name,
    note_converter,
    stand_in_converter,
    text_argument,
    top_level_statements,
)
from .left_out import CannotImportError
from .modules import Import, Module, Modules, Unit
from .project import shown

__all__ = ["Registry", "StepDefinition", "read_registry"]

KINDS = ("given", "when", "then", "step")
MAX_DEFINITIONS = 1_500  # of a project: each is compared with all before it
MATCH_SECONDS = 30.0  # that all patterns of a project may work in all
_DEEPEST_IMPORT = 100  # modules that import one another in a chain
_TYPE_NAME = re.compile(r"\{[^{}:]*:(?P<type>[^{}]*)\}")


@dataclass(frozen=True, eq=False)
class StepDefinition:
    """One decorator of one step function.

    Attributes:
        unit: the function; None where it stands under a condition.
        decorator: what registers it.
        types: names of registered types in its pattern.
    """

    module: Module
    unit: Unit | None
    line: int
    decorator: ast.Call
    kind: str
    pattern: str
    matcher: str
    types: frozenset[str]
    matches: Matches


@dataclass
class Registry:
    """What a project registers.

    Attributes:
        definitions: in order.
        registrations: of each type's name, the statement that registers it last.
        modules: in the order in which Python would finish running them.
        faults: what behave would refuse, one line each.
    """

    definitions: list[StepDefinition] = field(default_factory=list)
    registrations: dict[str, tuple[Module, Unit]] = field(default_factory=dict)
    modules: list[Module] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    budget: Budget = field(default_factory=lambda: Budget(MATCH_SECONDS))
    _found: dict[tuple[str, str], StepDefinition | None] = field(default_factory=dict)

    def find(self, step: Step) -> StepDefinition:
        """The definition that binds a step: of its kind first, then of `@step`.

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
        if found is None:
            slow = " (patterns took too long)" if self.budget.seconds <= 0 else ""
            raise CannotImportError("undefined_step", f"{step.kind} {step.text}{slow}")
        return found


def read_registry(
    modules: Modules, step_files: Sequence[Path], environment: Path | None = None
) -> Registry:
    """Read the step modules of a project.

    Args:
        step_files: in the order in which they are loaded.
        environment: its `environment.py`, if it has one.
    """
    reader = _Reader(modules)
    for path in [*([environment] if environment else []), *step_files]:
        reader.read(path)
    return reader.registry


class _Reader:
    """Walks modules as importing them would register steps."""

    def __init__(self, modules: Modules) -> None:
        self.registry = Registry()
        self._modules = modules
        self._seen: set[Path] = set()
        self._default_matcher = self._matcher = "parse"
        self._types: dict[str, Any] = {}
        self._is_full = False

    def read(self, path: Path) -> None:
        """Read a module that the test runner loads, and so at the default matcher."""
        self._matcher = self._default_matcher
        self._read(path)
        if path.name == "environment.py":
            self._default_matcher = self._matcher

    def _read(self, path: Path, depth: int = 0) -> None:
        path = path.absolute()
        if path in self._seen or depth > _DEEPEST_IMPORT:
            return
        self._seen.add(path)
        module = self._modules.at(path)
        if module is None:
            return
        kinds = {name: kind for kind in KINDS for name in (kind, kind.title())}
        behave_modules: set[str] = set()
        converters: dict[str, str] = {}
        for one in module.body:
            if isinstance(one, Import):
                if one.module == "behave":
                    if one.attribute is None:
                        behave_modules.add(one.name)
                    elif one.attribute.lower() in KINDS:
                        kinds[one.name] = one.attribute.lower()
                else:
                    if self._modules.find(one.module, path) is None:
                        kinds.pop(one.name, None)  # another package's step, such as allure's
                    self._follow(one, path, depth)
                continue
            for node in top_level_statements([one.node]):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    note_converter(node, converters)
                    unit = one if node is one.node else None
                    # Decorators apply from the bottom up, and so register.
                    for decorator in reversed(node.decorator_list):
                        if isinstance(decorator, ast.Call):
                            kind = _kind(decorator, kinds, behave_modules)
                            if kind is not None:
                                self._register(module, unit, node.lineno, decorator, kind)
                elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                    self._note_call(module, one, node.value, converters)
        self.registry.modules.append(module)

    def _follow(self, one: Import, path: Path, depth: int) -> None:
        names = [one.module]
        if one.attribute is not None:
            names.append(f"{one.module.rstrip('.')}.{one.attribute}")
            if not one.module.strip("."):
                names[-1] = f"{one.module}{one.attribute}"
        for name in names:
            found = self._modules.find(name, path)
            if found is not None and found.is_file():
                self._read(found, depth + 1)

    def _register(
        self, module: Module, unit: Unit | None, line: int, decorator: ast.Call, kind: str
    ) -> None:
        place = f"{shown(module.path)}:{decorator.lineno}"
        pattern = text_argument(decorator)
        if pattern is None:
            self.registry.faults.append(f"{place}: its pattern is not a plain text")
            return
        if len(self.registry.definitions) == MAX_DEFINITIONS:
            if not self._is_full:
                self.registry.faults.append(
                    f"{place}: more than {MAX_DEFINITIONS:,} step definitions: this and those "
                    "behind it are passed over"
                )
            self._is_full = True
            return
        try:
            matches = make_matcher(self._matcher, pattern, self._types, self.registry.budget)
        except BadPatternError as error:
            self.registry.faults.append(f"{place}: bad pattern {pattern!r}: {error}")
            return
        for existing in self.registry.definitions:
            if existing.kind == kind and (existing.pattern == pattern or existing.matches(pattern)):
                self.registry.faults.append(
                    f"{place}: ambiguous: {pattern!r} is already matched by {existing.pattern!r}, "
                    f"{shown(existing.module.path)}:{existing.line}"
                )
                return
        types: frozenset[str] = frozenset()
        if self._matcher in ("parse", "cfparse"):
            named = {found["type"].rstrip("?*+") for found in _TYPE_NAME.finditer(pattern)}
            types = frozenset(named & self._types.keys())
        self.registry.definitions.append(
            StepDefinition(
                module, unit, line, decorator, kind, pattern, self._matcher, types, matches
            )
        )

    def _note_call(
        self, module: Module, unit: Unit, call: ast.Call, converters: dict[str, str]
    ) -> None:
        name = called_name(call)
        if name in ("use_step_matcher", "step_matcher", "use_default_step_matcher"):
            matcher = text_argument(call)
            if name == "use_default_step_matcher":
                matcher = self._default_matcher = matcher or self._default_matcher
            if matcher in MATCHERS:
                self._matcher = matcher
            else:
                place = f"{shown(module.path)}:{call.lineno}"
                self.registry.faults.append(f"{place}: unknown step matcher {matcher!r}")
        elif name == "register_type":
            for keyword in call.keywords:
                if keyword.arg is not None:
                    self._types[keyword.arg] = stand_in_converter(keyword.value, converters)
                    self.registry.registrations[keyword.arg] = (module, unit)


def _kind(decorator: ast.Call, kinds: Mapping[str, str], behave_modules: Set[str]) -> str | None:
    """The kind of step that a decorator registers; None where it is not behave's."""
    function = decorator.func
    if isinstance(function, ast.Name):
        return kinds.get(function.id)
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        kind = function.attr.lower()
        return kind if function.value.id in behave_modules and kind in KINDS else None
    return None

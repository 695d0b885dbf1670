"""The code behind a scenario of a behave project."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...bdd.steps import called_name
from .gather import Piece, gather, is_step_decorator
from .left_out import CannotImportError, NotUnderstood
from .module_text import literal
from .modules import Function, Modules, Unit, text_with_decorators
from .project import Suite, shown
from .references import References
from .scenarios import OwnScenario
from .step_modules import Registry, StepDefinition, read_registry

__all__ = ["BehaveSuite"]

_HOOKS = ("before_", "after_")


class BehaveSuite:
    """The step functions of a behave project, and notes on what is not imported.

    Args:
        folders: the folders that the user named; modules may be found there too.
    """

    def __init__(self, suite: Suite, folders: Sequence[Path]) -> None:
        tops = [suite.base.parent, *folders]
        roots = [suite.base / "steps", suite.base, *tops, *(top / "src" for top in tops)]
        self._modules = Modules(roots)
        references = References(self._modules, "behave")
        self._registry = read_registry(references, suite.steps, suite.environment)
        self._nested = suite.nested_steps
        self._environment = suite.environment

    def codes_for(self, scenario: OwnScenario) -> Iterator[tuple[str, list[str]]]:
        """Modules of step functions for a scenario, and the pattern that binds each of its steps.

        The first module has the functions in the order of the steps, which reads best. The next has
        them in the project's order of registration, which decides when several patterns match.

        Raises:
            CannotImportError: no such module can be built.
        """
        registry = self._registry
        if not registry.definitions and not registry.not_understood:
            raise CannotImportError("no_step_modules", self._without_steps())
        bound = [registry.find(step) for step in scenario.steps]
        used = set(bound)
        patterns = [definition.pattern for definition in bound]
        for order in (bound, [one for one in registry.definitions if one in used]):
            pieces: dict[Unit | None, Piece] = {}
            for definition in order:
                if definition.unit not in pieces:
                    pieces[definition.unit] = _piece(definition, used, registry)
            code = gather(
                list(pieces.values()), registry.modules, registry.references, registry.registrations
            )
            yield code, patterns

    def _without_steps(self) -> str:
        """Explain why a project has no steps, judging by its folders."""
        if not self._nested:
            return "its steps folder defines no step"
        place = shown(self._nested[0])
        return (
            f"its steps folder defines no step; behave does not read {place}, since it is in a "
            "folder below and use_nested_step_modules is not set"
        )

    @property
    def not_understood(self) -> list[NotUnderstood]:
        """Code of the project that may define steps in a way that we cannot follow."""
        known = self._registry.not_understood
        return [*known, *(one for one in self._modules.unread if one not in known)]

    @property
    def notes(self) -> list[str]:
        """What behave would refuse, and what is not imported; one line each."""
        notes = [*self._registry.faults]
        environment = self._environment and self._modules.at(self._environment)
        if environment:
            nodes = [unit.node for unit in environment.units]
            functions = [node for node in nodes if isinstance(node, Function)]
            hooks = [one.name for one in functions if one.name.startswith(_HOOKS)]
            fixtures = [one.name for one in functions if _is_fixture(one)]
            for names, kind in ((hooks, "hook"), (fixtures, "fixture")):
                if names:
                    kinds = f"{kind}{'s' if len(names) > 1 else ''}"
                    told = f"{len(names)} {kinds} cannot come along: {', '.join(names)}"
                    notes.append(f"{shown(environment.path)}: {told}")
        return notes


def _piece(definition: StepDefinition, used: set[StepDefinition], registry: Registry) -> Piece:
    """A step function with only those of its step decorators that bind a step."""
    unit, module = definition.unit, definition.module
    if unit is None:
        place = f"{shown(module.path)}:{definition.line}"
        raise CannotImportError("step_under_condition", place)
    kept = {one.decorator: one for one in used if one.unit is unit}
    assert isinstance(unit.node, Function)
    dropped = [
        one
        for one in unit.node.decorator_list
        if one not in kept
        and (is_step_decorator(one) or registry.references.registers(one, module))
    ]
    rewritten: dict[ast.expr, str] = {
        decorator: _decorator(one) for decorator, one in kept.items() if not one.is_plain
    }
    types = frozenset(name for one in kept.values() for name in one.types)
    text = text_with_decorators(unit, dropped, rewritten)
    return Piece(module, unit, text, definition.pattern, definition.matcher, types)


def _decorator(definition: StepDefinition) -> str:
    """A decorator with its pattern as a literal, if an alias or a constant defines it."""
    written = literal(definition.pattern, is_raw=definition.matcher.startswith("re"))
    options = [
        f"{name}={ast.unparse(one.node)}"
        for name, one in definition.options.items()
        if one.module is definition.module
    ]
    return f"@{definition.kind}({', '.join([written, *options])})"


def _is_fixture(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        called_name(one if isinstance(one, ast.Call) else ast.Call(one, [], [])) == "fixture"
        for one in function.decorator_list
    )

"""The code behind a scenario of a behave project."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...bdd.steps import called_name
from .gather import Piece, gather, is_step_decorator
from .left_out import CannotImportError
from .modules import Function, Modules, Unit, text_without_decorators
from .project import Suite, shown
from .scenarios import OwnScenario
from .step_modules import Registry, StepDefinition, read_registry

__all__ = ["BehaveSuite"]

_HOOKS = ("before_", "after_")


class BehaveSuite:
    """The step functions of a behave project, and what is known to stay behind.

    Args:
        folders: that the user named; modules may be found there too.
    """

    def __init__(self, suite: Suite, folders: Sequence[Path]) -> None:
        tops = [suite.base.parent, *folders]
        roots = [suite.base / "steps", suite.base, *tops, *(top / "src" for top in tops)]
        self._modules = Modules(roots)
        self._registry: Registry = read_registry(self._modules, suite.steps, suite.environment)
        self._environment = suite.environment

    def codes_for(self, scenario: OwnScenario) -> Iterator[tuple[str, list[str]]]:
        """Modules of step functions for a scenario, and the pattern that binds each of its steps.

        The functions stand first in the order of the steps, which reads best, then in that in which
        the project registers them, which tells where several patterns match.

        Raises:
            CannotImportError: it cannot be had.
        """
        registry = self._registry
        if not registry.definitions:
            raise CannotImportError("no_step_modules", "its steps folder defines no step")
        bound = [registry.find(step) for step in scenario.steps]
        used = set(bound)
        patterns = [definition.pattern for definition in bound]
        for order in (bound, [one for one in registry.definitions if one in used]):
            pieces: dict[Unit | None, Piece] = {}
            for definition in order:
                if definition.unit not in pieces:
                    pieces[definition.unit] = _piece(definition, used, registry)
            yield gather(list(pieces.values()), registry, self._modules), patterns

    @property
    def notes(self) -> list[str]:
        """What of the project could not be read, or stays behind; one line each."""
        notes = [*self._modules.faults, *self._registry.faults]
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
    """A step function with those of its step decorators that bind a step."""
    unit = definition.unit
    if unit is None:
        place = f"{shown(definition.module.path)}:{definition.line}"
        raise CannotImportError("step_under_condition", place)
    kept = [one for one in used if one.unit is unit]
    registered = [one.decorator for one in registry.definitions if one.unit is unit]
    assert isinstance(unit.node, Function)
    dropped = [
        one
        for one in unit.node.decorator_list
        if (one in registered or is_step_decorator(one))
        and one not in [definition.decorator for definition in kept]
    ]
    types = frozenset(name for one in kept for name in one.types)
    text = text_without_decorators(unit, dropped)
    return Piece(definition.module, unit, text, definition.pattern, definition.matcher, types)


def _is_fixture(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        called_name(one if isinstance(one, ast.Call) else ast.Call(one, [], [])) == "fixture"
        for one in function.decorator_list
    )

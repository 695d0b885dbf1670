"""Pytest fixtures that steps ask for, as behave's context has them.

A fixture of the project that only returns a value is made when it is first asked for and kept on
the context, which lives as long as the scenario: that is what pytest does with it. All others need
pytest itself.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ...bdd.steps import called_name
from .left_out import CannotImportError
from .modules import Module, Unit
from .pytest_steps import PytestStep, body_lines, is_plain, parameters_of, returned_to

__all__ = ["Fixtures"]


class Fixtures:
    """The fixtures that a scenario's steps can ask for.

    Args:
        levels: modules by how near they are.
        bound: the step functions of the scenario's steps, in order.

    Attributes:
        texts: functions that make the fixtures asked for so far, each with its module.

    Raises:
        CannotImportError: a fixture is at work that no step asks for.
    """

    def __init__(self, levels: Sequence[Sequence[Module]], bound: Sequence[PytestStep]) -> None:
        self.texts: list[tuple[Module, str]] = []
        self._bound = bound
        self._found: dict[str, tuple[Module, Unit, ast.expr]] = {}
        self._asked: set[str] = set()
        for module in (module for level in levels for module in level):
            for unit in module.units:
                decorator = _fixture_decorator(unit)
                if decorator is None or not isinstance(unit.node, ast.FunctionDef):
                    continue
                options = decorator.keywords if isinstance(decorator, ast.Call) else []
                if any(one.arg == "autouse" for one in options):
                    raise CannotImportError("needs_fixture", f"{unit.node.name} is used by itself")
                self._found.setdefault(unit.node.name, (module, unit, decorator))

    def source_of(self, name: str, step: PytestStep) -> str:
        """The expression that is a fixture's value within a step function.

        Raises:
            CannotImportError: the fixture cannot come along.
        """
        if name in self._found:
            self._make(name)
            return f"{name}_of(context)"
        if not is_plain(name):
            raise CannotImportError("needs_fixture", f"{name} cannot be kept on the context")
        handed_on = [number for number, one in enumerate(self._bound) if one.target == name]
        asked = next((number for number, one in enumerate(self._bound) if one is step), 0)
        if handed_on and handed_on[0] < asked:
            return f"context.{name}"
        raise CannotImportError("needs_fixture", name)

    def _make(self, name: str) -> None:
        """Add the functions that make a fixture, those of the fixtures it asks for first."""
        if name in self._asked:
            return
        self._asked.add(name)
        module, unit, decorator = self._found[name]
        function = unit.node
        assert isinstance(function, ast.FunctionDef)
        if isinstance(decorator, ast.Call) and (decorator.args or decorator.keywords):
            raise CannotImportError("needs_fixture", f"{name} has options")
        if len(function.decorator_list) > 1 or not is_plain(name):
            raise CannotImportError("needs_fixture", name)
        returned_to(function, None)  # refuses one that yields
        before = []
        for other in parameters_of(function):
            if other not in self._found:
                raise CannotImportError("needs_fixture", other)
            self._make(other)
            before.append(f"{other} = {other}_of(context)")
        parameter = "context" if before else ""
        head = f"def new_{name}({parameter}):"
        self.texts.append((module, "\n".join([head, *body_lines(unit, before)])))
        kept = [
            f"def {name}_of(context):",
            f'    if "{name}" not in context:',
            f"        context.{name} = new_{name}({parameter})",
            f"    return context.{name}",
        ]
        self.texts.append((module, "\n".join(kept)))


def _fixture_decorator(unit: Unit) -> ast.expr | None:
    if not isinstance(unit.node, ast.FunctionDef):
        return None
    for decorator in unit.node.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else ast.Call(decorator, [], [])
        if called_name(call) == "fixture":
            return decorator
    return None

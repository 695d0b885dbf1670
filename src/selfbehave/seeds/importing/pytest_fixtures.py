"""Translate the pytest fixtures that steps request into values on behave's context.

A fixture of the project is created on first use and kept on the context, which lasts as long as the
scenario. In a run of one scenario pytest does the same, whatever the fixture's scope. Code after a
`yield` runs when the scenario ends. Fixtures of pytest and its plugins need pytest itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .constants import constant_text
from .left_out import CannotImportError
from .modules import Module
from .pytest_functions import PytestFunction, Rewritten, is_plain
from .pytest_steps import PytestStep
from .references import Argument, Defined, External, References

__all__ = ["Fixtures"]

_OPTIONS = frozenset({"autouse", "name", "scope"})  # the supported options


@dataclass(frozen=True, eq=False)
class _Fixture:
    """A fixture of the project, with the options of its definition."""

    function: PytestFunction
    options: dict[str, Argument]

    def refused(self, fault: str) -> CannotImportError:
        return self.function.refused(fault, "needs_fixture")


class Fixtures:
    """The fixtures that a scenario's steps can request.

    Args:
        levels: modules by level, nearest first.
        bound: the step functions of the scenario's steps, in order.

    Attributes:
        texts: functions that create the fixtures requested so far, each with its module.
        behave_names: names from behave that those functions use.

    Raises:
        CannotImportError: a fixture is active that no step requests.
    """

    def __init__(
        self,
        levels: Sequence[Sequence[Module]],
        bound: Sequence[PytestStep],
        references: References,
    ) -> None:
        self.texts: list[tuple[Module, str]] = []
        self.behave_names: set[str] = set()
        self._bound = bound
        self._found: dict[str, _Fixture] = {}
        self._asked: set[str] = set()
        for module in (module for level in levels for module in level):
            for name, fixture in _fixtures_of(module, references):
                if "autouse" in fixture.options and not fixture.function.does_nothing:
                    raise fixture.refused("is used by itself (autouse)")
                self._found.setdefault(name, fixture)

    def source_of(self, name: str, step: PytestStep) -> str:
        """The expression for a fixture's value inside a step function.

        Raises:
            CannotImportError: the fixture cannot be translated.
        """
        if name in self._found:
            self._make(name)
            return f"{name}_of(context)"
        if not is_plain(name):
            raise step.refused(f"asks for {name}, which cannot be kept on the context")
        handed_on = [number for number, one in enumerate(self._bound) if one.target == name]
        asked = next((number for number, one in enumerate(self._bound) if one is step), 0)
        if handed_on and handed_on[0] < asked:
            return f"context.{name}"
        raise step.function.refused(f"asks for {name}, {_OF_OTHERS}", "needs_fixture")

    def _make(self, name: str) -> None:
        """Add the functions that create a fixture, after those of the fixtures it requests."""
        if name in self._asked:
            return
        self._asked.add(name)
        fixture = self._found[name]
        function = fixture.function
        if unknown := sorted(fixture.options.keys() - _OPTIONS):
            raise fixture.refused(f"has the option {unknown[0]}")
        if len(function.node.decorator_list) > 1:
            raise fixture.refused("has other decorators")
        if not is_plain(name):
            raise fixture.refused(f"makes {name}, which cannot be kept on the context")
        before = []
        for other in function.parameters:
            if other not in self._found:
                raise fixture.refused(f"asks for {other}, {_OF_OTHERS}")
            self._make(other)
            before.append(f"{other} = {other}_of(context)")
        last = function.last_yield
        needs_end = bool(function.yields) and last is None
        if needs_end and [type(one) for one in function.yields] != [ast.Yield]:
            raise fixture.refused("yields more than once, or awaits")
        parameter = "context" if before or needs_end else ""
        rewritten = Rewritten(last, "yield", "return") if last is not None else None
        head = f"def new_{name}({parameter}):"
        self.texts.append(
            (function.module, "\n".join([head, *function.body_lines(before, rewritten)]))
        )
        made = f"new_{name}({parameter})"
        if needs_end:
            self.behave_names.add("use_fixture")
            made = f"use_fixture(new_{name}, context)"
        kept = [
            f"def {name}_of(context):",
            f'    if "{name}" not in context:',
            f"        context.{name} = {made}",
            f"    return context.{name}",
        ]
        self.texts.append((function.module, "\n".join(kept)))


_OF_OTHERS = "a fixture that no module of yours defines: it is pytest's or a plugin's"


def _fixtures_of(module: Module, references: References) -> Iterator[tuple[str, _Fixture]]:
    """A module's fixtures, including those that it imports by name."""
    for unit in module.units:
        if isinstance(unit.node, ast.FunctionDef):
            function = PytestFunction(module, unit, unit.node)
            yield from _fixture(function, unit.node.name, references)
    for one in module.imports:
        if one.attribute is None or one.name == "*":
            continue
        found = references.to(ast.Name(one.name), module)
        if isinstance(found, Defined) and isinstance(found.unit.node, ast.FunctionDef):
            function = PytestFunction(found.module, found.unit, found.unit.node)
            yield from _fixture(function, one.name, references)


def _fixture(
    function: PytestFunction, name: str, references: References
) -> Iterator[tuple[str, _Fixture]]:
    """Yield a function as a fixture with its name; yield nothing if it is not a fixture."""
    module = function.module
    for decorator in function.node.decorator_list:
        call = references.call(decorator, module)
        means = call.function if call else references.to(decorator, module)
        if isinstance(means, External) and means.name == "pytest.fixture":
            options = dict(call.named if call else means.named)
            own = constant_text(options.get("name"), references)
            yield own or name, _Fixture(function, options)
            return

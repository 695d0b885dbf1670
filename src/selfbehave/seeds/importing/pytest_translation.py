"""Rewrite step functions of pytest-bdd for behave.

Only code with the same meaning in both is translated. Arguments of the pattern stay arguments.
Fixtures are looked up on the context, and `target_fixture` values are stored there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from .module_text import literal
from .modules import Module, names_in
from .pytest_fixtures import Fixtures
from .pytest_functions import Rewritten
from .pytest_steps import PytestStep

__all__ = ["registered_types", "translated"]

_GIVEN_BY_PYTEST_BDD = {
    "docstring": "str(context.text)",
    "datatable": "[list(context.table.headings), *(list(row.cells) for row in context.table)]",
}


def translated(step: PytestStep, patterns: Sequence[str], fixtures: Fixtures) -> str:
    """Translate a step function for behave.

    Args:
        patterns: the patterns that bind it, one decorator each.

    Raises:
        CannotImportError: it has no safe equivalent in behave.
    """
    function = step.function
    if step.fault is not None:
        raise step.refused(step.fault)
    wanted = function.parameters
    if missing := [name for name in step.arguments if name not in wanted]:
        # Behave passes every argument; pytest-bdd passes only those that the function declares.
        wanted = [*wanted, *missing]
        if shadowed := names_in(step.unit.text).uses & {*missing}:
            raise step.refused(f"uses {min(shadowed)}, which would be its argument in behave")
    if step.target in step.arguments:
        raise step.refused("has a target that is an argument")
    before = []
    for name in step.arguments:
        if name in step.converters:
            source = ast.unparse(step.converters[name].node)
            if names_in(source).uses & {*wanted}:
                raise step.refused(f"has a converter, {source}, that an argument hides")
            called = f"({source})" if source.startswith("lambda") else source
            before.append(f"{name} = {called}({name})")
    for name in function.parameters:
        if name not in step.arguments:
            source = _GIVEN_BY_PYTEST_BDD.get(name) or fixtures.source_of(name, step)
            before.append(f"{name} = {source}")
    returned = function.returned_to(step.target)
    if step.target and returned is None:
        before.append(f"context.{step.target} = None")
    arguments = [name for name in wanted if name in step.arguments]
    is_raw = step.pattern.matcher == "re"
    decorators = [f"@{step.kind}({literal(one, is_raw=is_raw)})" for one in patterns]
    head = f"def {function.name}({', '.join(['context', *arguments])}):"
    rewritten = Rewritten(returned, "return", f"context.{step.target} =") if returned else None
    return "\n".join([*decorators, head, *function.body_lines(before, rewritten)])


def registered_types(steps: Iterable[PytestStep]) -> list[tuple[Module, str]]:
    """The registration of each type in the steps' patterns, with the module whose names it uses.

    Pytest-bdd keeps types separately for each pattern; behave has only one type for each name.

    Raises:
        CannotImportError: two patterns use the same name for different types.
    """
    found: dict[str, tuple[Module, str]] = {}
    for step in steps:
        for name, argument in step.pattern.types.items():
            own = (argument.module, f"register_type({name}={ast.unparse(argument.node)})")
            if not name.isidentifier() or found.setdefault(name, own) != own:
                raise step.refused(f"has a type, {name}, that another step has otherwise")
    return list(found.values())

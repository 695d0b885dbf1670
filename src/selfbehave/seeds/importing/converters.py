"""Find out what the converters of a pattern's fields match, from their source."""

from __future__ import annotations

import ast
from functools import lru_cache

from ...bdd.converters import StandIn, UnknownConverter, converter_of
from ...bdd.module_names import Names, statements_run
from .modules import Module
from .references import Argument, Defined, References

__all__ = ["stand_in"]


def stand_in(argument: Argument, references: References) -> StandIn | UnknownConverter:
    """A stand-in for a type converter, found in whichever module of the project defines it."""
    node, module = argument.node, argument.module
    found = references.to(node, module)
    if isinstance(found, Defined) and found.module is not module:
        # The defining module has one name for it, whatever alias the importing module uses.
        names = sorted(found.unit.names.binds)
        if len(names) == 1:
            return converter_of(ast.Name(names[0]), _names_of(found.module))
    return converter_of(node, _names_of(module))


@lru_cache(maxsize=100)
def _names_of(module: Module) -> Names:
    names = Names()
    for statement in statements_run(list(module.statements)):
        if not statement.is_in_class:
            names.note(statement.node)
    return names

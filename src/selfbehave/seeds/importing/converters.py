"""Converters of a pattern's fields: what they match, told from their source."""

from __future__ import annotations

from collections.abc import Callable

from ...bdd.steps import note_converter
from .modules import Function
from .references import Argument, Defined, References

__all__ = ["stand_in"]


def stand_in(argument: Argument, references: References) -> Callable[[str], str]:
    """A stand-in for a type converter: the real one's pattern, and no conversion."""

    def converter(text: str) -> str:
        return text

    patterns: dict[str, str] = {}
    found = references.to(argument.node, argument.module)
    if isinstance(found, Defined) and isinstance(found.unit.node, Function):
        note_converter(found.unit.node, patterns)
    for pattern in patterns.values():
        converter.pattern = pattern  # type: ignore[attr-defined]
    return converter

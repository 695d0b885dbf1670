"""The syntax tree of code that may be broken."""

from __future__ import annotations

import ast

__all__ = ["tree_of"]


def tree_of(code: str) -> ast.Module | None:
    """The syntax tree of a module or a part of one; None if it does not parse.

    A model's code may also nest too deep, or hold null bytes or lone surrogates.
    """
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None

"""Imports of the standard library that a model forgot."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from .syntax import tree_of

__all__ = ["with_imports"]

_MODULES = frozenset({"math", "re", "json", "random"})
_MODULE_OF: Mapping[str, str] = {
    "ceil": "math",
    "floor": "math",
    "sqrt": "math",
    "datetime": "datetime",
    "timedelta": "datetime",
    "date": "datetime",
    "Decimal": "decimal",
    "defaultdict": "collections",
    "Counter": "collections",
    "deque": "collections",
    "dataclass": "dataclasses",
}


def with_imports(code: str) -> str:
    """The code, with the well-known standard names imported that it uses and never binds."""
    tree = tree_of(code)
    if tree is None:
        return code
    used: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                bound.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                bound |= {(one.asname or one.name).split(".")[0] for one in aliases}
    missing = used - bound
    lines = [f"import {name}" for name in sorted(missing & _MODULES)]
    lines += [f"from {_MODULE_OF[n]} import {n}" for n in sorted(missing & _MODULE_OF.keys())]
    return "\n".join([*lines, code]) if lines else code

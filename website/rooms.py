"""A table of the source packages, read from their docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .markdown import code, escaped
from .tables import table

__all__ = ["rooms"]

_SOURCE = Path(__file__).parent.parent / "src" / "selfbehave"


def rooms() -> str:
    """Every package with the first sentence of its docstring; outer packages come first."""
    return table(("package", "holds"), _rows(_SOURCE, ""))


def _rows(folder: Path, prefix: str) -> Iterator[tuple[str, str]]:
    for inner in sorted(one.parent for one in folder.glob("*/__init__.py")):
        name = f"{prefix}{inner.name}"
        docstring = ast.get_docstring(ast.parse((inner / "__init__.py").read_text("utf-8"))) or ""
        yield code(name), escaped(" ".join(docstring.partition("\n\n")[0].split()))
        yield from _rows(inner, f"{name}.")

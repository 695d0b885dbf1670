"""Rewrite names that are reached through a module, `prices.total(…)`, as `total(…)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .left_out import CannotImportError
from .modules import Module, Modules, names_in

__all__ = ["without_module_names"]


def without_module_names(
    text: str, module: Module, modules: Modules
) -> tuple[str, dict[str, Module]]:
    """Remove the names of the project's modules from a piece of source.

    Only the text before the last dot is removed; a check of the syntax tree confirms this.

    Returns:
        the text, and the module that each name is now taken from.

    Raises:
        CannotImportError: a module is used in another way than `module.name`, or the name would
            refer to something else.
    """
    names = names_in(text)
    paths = {name: _module_named(name, module, modules) for name in names.uses}
    starts = {name: path for name, path in paths.items() if path is not None}
    if not starts:
        return text, {}
    if clash := sorted(starts.keys() & (names.inner | names.binds)):
        raise CannotImportError("name_clash", f"'{clash[0]}' is a module and a name of its own")
    try:
        tree = ast.parse(text)
        uses = list(_uses(tree, starts, module, modules))
        for use in uses:
            if use.name in names.inner | names.binds | names.uses:
                raise CannotImportError("name_clash", f"'{use.name}' would mean two things")
        wanted = ast.dump(_Replaced(uses).visit(ast.parse(text)))
        for use in sorted(uses, key=lambda one: (one.line, one.start), reverse=True):
            text = _cut(text, use)
        if ast.dump(ast.parse(text)) != wanted:
            raise CannotImportError("import_not_followed", "a module is used within an f-string")
    except (SyntaxError, RecursionError) as error:
        raise CannotImportError("import_not_followed", str(error)) from error
    return text, {use.name: use.module for use in uses}


@dataclass(frozen=True)
class _Use:
    """A name after a module's name: start and end of the whole expression, columns in bytes."""

    name: str
    module: Module
    line: int
    start: int
    end_line: int
    end: int


def _module_named(name: str, module: Module, modules: Modules) -> str | None:
    """The dotted name of the project's module that a name of a module is bound to."""
    for one in module.imports:
        if one.name != name:
            continue
        if one.attribute is None:
            path = name if one.is_whole else one.module
            return path if modules.find(path, module.path) is not None else None
        dots = "" if not one.module.strip(".") else "."
        path = f"{one.module}{dots}{one.attribute}"
        source = modules.find(one.module, module.path)
        if source is None or modules.find(path, module.path) is None:
            return None
        package = modules.at(source)
        is_name = package is not None and any(
            one.attribute in unit.names.binds for unit in package.units
        )
        return None if is_name else path
    return None


def _uses(
    tree: ast.AST, starts: dict[str, str], module: Module, modules: Modules
) -> Iterator[_Use]:
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name) or node.id not in starts:
            continue
        path = starts[node.id]
        parent = parents[node]
        while isinstance(parent, ast.Attribute):
            deeper = modules.find(f"{path}.{parent.attr}", module.path)
            if deeper is None:
                break
            path, parent = f"{path}.{parent.attr}", parents[parent]
        found = modules.find(path, module.path)
        target = modules.at(found) if found is not None else None
        if not isinstance(parent, ast.Attribute) or not isinstance(parent.ctx, ast.Load):
            raise CannotImportError("import_not_followed", f"the module '{node.id}' as a value")
        if target is None:
            raise CannotImportError("import_not_followed", f"the module '{path}'")
        assert parent.end_lineno is not None
        assert parent.end_col_offset is not None
        yield _Use(
            parent.attr, target, node.lineno, node.col_offset, parent.end_lineno,
            parent.end_col_offset,
        )  # fmt: skip


def _cut(text: str, use: _Use) -> str:
    lines = text.encode().split(b"\n")
    first, last = use.line - 1, use.end_line - 1
    rest = lines[last][use.end :]
    lines[first : last + 1] = [lines[first][: use.start] + use.name.encode() + rest]
    return b"\n".join(lines).decode("utf-8", "replace")


class _Replaced(ast.NodeTransformer):
    """Makes the expected tree."""

    def __init__(self, uses: list[_Use]) -> None:
        self._uses = {(use.line, use.start, use.end_line, use.end): use.name for use in uses}

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        place = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
        name = self._uses.get(place)  # type: ignore[arg-type]
        return ast.Name(name, node.ctx) if name is not None else self.generic_visit(node)

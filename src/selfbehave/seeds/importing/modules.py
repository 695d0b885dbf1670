"""A project's Python modules as text and syntax trees: what each statement binds and uses.

Nothing is imported or executed. Modules are found by name as Python would find them on the folders
that the test runner puts on its path.
"""

from __future__ import annotations

import ast
import os
import symtable
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from .project import read_text, shown

__all__ = [
    "Import",
    "Module",
    "Modules",
    "Names",
    "Unit",
    "names_in",
    "text_without_decorators",
]

MAX_MODULE_CHARACTERS = 500_000

Function = ast.FunctionDef | ast.AsyncFunctionDef
_COMPOUND = (ast.If, ast.Try, ast.With, ast.For, ast.While)


@dataclass(frozen=True)
class Names:
    """The names of a piece of source.

    Attributes:
        binds: at its top level, by assigning, defining or importing.
        uses: what it looks up outside its own functions.
        inner: names that are local to a function or class in it.
    """

    binds: frozenset[str]
    uses: frozenset[str]
    inner: frozenset[str]


@dataclass(frozen=True, eq=False)
class Unit:
    """A top-level statement of a module that is no import.

    Attributes:
        position: among the module's statements.
        text: as written, with its decorators and a comment behind it.
        touches: names it changes without binding them: `PRICES["tea"] = 2`, `rules.append(…)`.
    """

    position: int
    node: ast.stmt
    text: str
    names: Names
    touches: frozenset[str]


@dataclass(frozen=True)
class Import:
    """One name that an import statement of a module's top level binds.

    Attributes:
        name: that is bound; "*" for all.
        module: dotted, with leading dots where relative.
        attribute: taken from it; None where the module itself is bound.
        is_whole: of `import a.b`, which binds `a`.
    """

    name: str
    module: str
    attribute: str | None
    line: int
    is_whole: bool = False

    @property
    def text(self) -> str:
        if self.attribute is not None:
            alias = "" if self.name == self.attribute else f" as {self.name}"
            return f"from {self.module} import {self.attribute}{alias}"
        return f"import {self.module}" + ("" if self.is_whole else f" as {self.name}")


@dataclass(frozen=True, eq=False)
class Module:
    """A module that was read.

    Attributes:
        body: its imports, by twos and more where a statement has several, and units, in order.
    """

    path: Path
    body: tuple[Unit | Import, ...]

    @property
    def units(self) -> Iterator[Unit]:
        return (one for one in self.body if isinstance(one, Unit))

    @property
    def imports(self) -> Iterator[Import]:
        return (one for one in self.body if isinstance(one, Import))


@dataclass
class Modules:
    """The modules of a project, read once each.

    Attributes:
        roots: folders that the test runner has on its path, in order.
        faults: why a file could not be read, one line each.
    """

    roots: Sequence[Path]
    faults: list[str] = field(default_factory=list)
    _read: dict[Path, Module | None] = field(default_factory=dict)

    def at(self, path: Path) -> Module | None:
        """The module in a file; None, and a fault, where it cannot be read."""
        path = path.absolute()
        if path not in self._read:
            try:
                self._read[path] = _read_module(path)
            except (OSError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
                line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
                said = error.msg if isinstance(error, SyntaxError) else str(error)
                self.faults.append(
                    f"{shown(path)}{line}: cannot be read: {said or type(error).__name__}"
                )
                self._read[path] = None
        return self._read[path]

    def find(self, name: str, importer: Path) -> Path | None:
        """The file, or the folder of a package without one, that a dotted name means.

        Args:
            name: with leading dots where it is relative to `importer`.
        """
        bare = name.lstrip(".")
        level = len(name) - len(bare)
        parts = bare.split(".") if bare else []
        if not level:
            return next((found for root in self.roots if (found := _beneath(root, parts))), None)
        folder = importer.parent
        for _ in range(level - 1):
            folder = folder.parent
        return _beneath(folder, parts) if parts else _beneath(folder.parent, [folder.name])


@lru_cache(maxsize=10_000)
def names_in(text: str) -> Names:
    """The names of a piece of source.

    Raises:
        SyntaxError: it is not Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = symtable.symtable(text, "unit", "exec")
    binds: set[str] = set()
    uses: set[str] = set()
    inner: set[str] = set()
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported():
            binds.add(symbol.get_name())
        if symbol.is_referenced():
            uses.add(symbol.get_name())
    waiting = list(table.get_children())
    while waiting:
        child = waiting.pop()
        waiting += child.get_children()
        for symbol in child.get_symbols():
            (uses if symbol.is_global() else inner).add(symbol.get_name())
    return Names(frozenset(binds), frozenset(uses), frozenset(inner))


def text_without_decorators(unit: Unit, dropped: Sequence[ast.expr]) -> str:
    """A function's text without some of its decorators, which are taken out by whole lines."""
    assert isinstance(unit.node, Function)
    first = min([unit.node.lineno, *(one.lineno for one in unit.node.decorator_list)])
    lines = unit.text.split("\n")
    gone = {
        number - first
        for decorator in dropped
        for number in range(decorator.lineno, (decorator.end_lineno or decorator.lineno) + 1)
    }
    return "\n".join(line for number, line in enumerate(lines) if number not in gone)


def _beneath(folder: Path, parts: Sequence[str]) -> Path | None:
    path = folder.joinpath(*parts)
    module = path.with_name(f"{path.name}.py") if parts else path
    for candidate in (path / "__init__.py", module):
        # Not Path.is_file, which raises where a name is too long to be one.
        if os.path.isfile(candidate):  # noqa: PTH113
            return candidate
    # A package without __init__.py; a folder that only has the name of some package is none.
    is_folder = parts and os.path.isdir(path)  # noqa: PTH112
    return path if is_folder and any(path.glob("*.py")) else None


def _read_module(path: Path) -> Module:
    if path.is_dir():
        return Module(path, ())
    source = read_text(path, MAX_MODULE_CHARACTERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as '\d' in a plain string: not ours to report
        tree = ast.parse(source)
    lines = source.split("\n")
    body: list[Unit | Import] = []
    for position, node in enumerate(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            body += _imports(node)
        elif not _is_main_guard(node):
            text = _text_of(lines, node)
            body.append(Unit(position, node, text, names_in(text), frozenset(_touches(node))))
    return Module(path, tuple(body))


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[Import]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield Import(alias.asname or alias.name, module, alias.name, node.lineno)
        elif alias.asname:
            yield Import(alias.asname, alias.name, None, node.lineno)
        else:
            whole = alias.name.partition(".")[0]
            yield Import(whole, alias.name, None, node.lineno, is_whole=True)


def _text_of(lines: Sequence[str], node: ast.stmt) -> str:
    """A statement as written; columns are counted in bytes, as the syntax tree counts them."""
    decorators = node.decorator_list if isinstance(node, Function | ast.ClassDef) else []
    first = min([node.lineno, *(one.lineno for one in decorators)])
    last = node.end_lineno or node.lineno
    part = [line.encode() for line in lines[first - 1 : last]]
    rest = part[-1][node.end_col_offset :]
    if not rest.strip().startswith(b"#"):
        part[-1] = part[-1][: node.end_col_offset]
    if not decorators:
        part[0] = part[0][node.col_offset :]
    return b"\n".join(part).decode()


def _touches(node: ast.stmt) -> Iterator[str]:
    """Names that a statement outside functions changes without binding them."""
    if isinstance(node, _COMPOUND):
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.stmt):
                yield from _touches(inner)
        return
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    elif isinstance(node, ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        targets = [node.value.func]
    for target in targets:
        is_changed = isinstance(target, ast.Subscript | ast.Attribute)
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if is_changed and isinstance(target, ast.Name):
            yield target.id


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and any(
        isinstance(one, ast.Name) and one.id == "__name__" for one in ast.walk(node.test)
    )

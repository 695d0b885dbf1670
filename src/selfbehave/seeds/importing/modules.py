"""Read a project's Python modules as text and syntax trees: what each statement binds and uses.

Nothing is imported or executed. Modules are looked up by name, as Python would do, in the folders
that the test runner puts on its path.
"""

from __future__ import annotations

import ast
import os
import symtable
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeGuard

from .left_out import NotUnderstood, Why
from .project import read_text, shown

__all__ = [
    "Import",
    "Module",
    "Modules",
    "Names",
    "Unit",
    "import_order",
    "imports_of",
    "names_in",
    "statements_run",
    "text_with_decorators",
]

MAX_MODULE_CHARACTERS = 500_000
DEEPEST_IMPORT = 100  # length of a chain of imports

Function = ast.FunctionDef | ast.AsyncFunctionDef
_NOTHING: Mapping[ast.expr, str] = MappingProxyType({})
_OF_RUNNERS = ("behave", "pytest", "pytest_bdd")
_COMPOUND = (ast.If, ast.Try, ast.With, ast.For, ast.While)


@dataclass(frozen=True)
class Names:
    """The names of a piece of source.

    Attributes:
        binds: names bound at its top level, by assigning, defining or importing.
        uses: names that it looks up outside its own functions.
        inner: names that are local to a function or class in it.
    """

    binds: frozenset[str]
    uses: frozenset[str]
    inner: frozenset[str]


@dataclass(frozen=True, eq=False)
class Unit:
    """A top-level statement of a module that is not an import.

    Attributes:
        position: its index among the module's statements.
        text: its source, with its decorators and any trailing comment.
        touches: names it changes without binding them: `PRICES["tea"] = 2`, `rules.append(…)`.
    """

    position: int
    node: ast.stmt
    text: str
    names: Names
    touches: frozenset[str]


@dataclass(frozen=True)
class Import:
    """One name that a top-level import statement of a module binds.

    Attributes:
        name: the name that is bound; "*" for all.
        module: dotted, with leading dots if relative.
        attribute: what is taken from the module; None if the module itself is bound.
        is_whole: whether it is `import a.b`, which binds `a`.
        is_for_types: whether it is under `if TYPE_CHECKING:`, so that it never runs.
    """

    name: str
    module: str
    attribute: str | None
    line: int
    is_whole: bool = False
    is_for_types: bool = False

    @property
    def text(self) -> str:
        if self.attribute is not None:
            alias = "" if self.name == self.attribute else f" as {self.name}"
            return f"from {self.module} import {self.attribute}{alias}"
        return f"import {self.module}" + ("" if self.is_whole else f" as {self.name}")


@dataclass(frozen=True, eq=False)
class Module:
    """A module that has been read.

    Attributes:
        statements: its top-level statements.
        body: its units and its imports (one for each name that a statement binds), in order.
        bindings: everything that binds each top-level name, in order, by name.
    """

    path: Path
    statements: tuple[ast.stmt, ...]
    body: tuple[Unit | Import, ...]

    @cached_property
    def bindings(self) -> Mapping[str, Sequence[Unit | Import]]:
        found: dict[str, list[Unit | Import]] = {}
        for one in self.body:
            for name in [one.name] if isinstance(one, Import) else one.names.binds:
                found.setdefault(name, []).append(one)
        return found

    @property
    def units(self) -> Iterator[Unit]:
        return (one for one in self.body if isinstance(one, Unit))

    @property
    def imports(self) -> Iterator[Import]:
        return (one for one in self.body if isinstance(one, Import))


@dataclass
class Modules:
    """The modules of a project, each read once.

    Attributes:
        roots: the folders on the test runner's path, in order.
        unread: the files that could not be read.
    """

    roots: Sequence[Path]
    unread: list[NotUnderstood] = field(default_factory=list)
    _read: dict[Path, Module | None] = field(default_factory=dict)
    _found: dict[tuple[str, Path | None], Path | None] = field(default_factory=dict)

    def at(self, path: Path) -> Module | None:
        """Read the module in a file; if it cannot be read, add it to `unread` and return None."""
        path = path.absolute()
        if path not in self._read:
            try:
                self._read[path] = _read_module(path)
            except (OSError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
                line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
                said = error.msg if isinstance(error, SyntaxError) else str(error)
                place, words = f"{shown(path)}{line}", said or type(error).__name__
                self.unread.append(NotUnderstood(place, Why.MODULE, words=words))
                self._read[path] = None
        return self._read[path]

    def run_by(self, one: Import, importer: Path) -> list[Path]:
        """The files of the project that an import runs."""
        names = [one.module]
        if one.attribute is not None:
            dot = "" if not one.module.strip(".") else "."
            names.append(f"{one.module}{dot}{one.attribute}")
        found = [self.find(name, importer) for name in names]
        return [path for path in found if path is not None and path.is_file()]

    def find(self, name: str, importer: Path) -> Path | None:
        """The file that a dotted name refers to, or the folder of a package without `__init__.py`.

        Args:
            name: with leading dots if it is relative to `importer`.
        """
        key = (name, importer.parent if name.startswith(".") else None)
        if key not in self._found:
            self._found[key] = self._find(name, importer)
        return self._found[key]

    def _find(self, name: str, importer: Path) -> Path | None:
        bare = name.lstrip(".")
        level = len(name) - len(bare)
        parts = bare.split(".") if bare else []
        if not level and parts[0] in _OF_RUNNERS:
            return None  # the runner's own decorators, even if the project has their source
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
        SyntaxError: the text is not Python.
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


def imports_of(node: ast.Import | ast.ImportFrom) -> Iterator[Import]:
    """Everything that an import statement binds, name by name."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield Import(alias.asname or alias.name, module, alias.name, node.lineno)
        elif alias.asname:
            yield Import(alias.asname, alias.name, None, node.lineno)
        else:
            whole = alias.name.partition(".")[0]
            yield Import(whole, alias.name, None, node.lineno, is_whole=True)


def statements_run(node: ast.stmt) -> Iterator[ast.AST]:
    """The statements that a module's top-level statement runs, including those in its blocks.

    For a statement with blocks, the expressions in its head are yielded directly.
    """
    # Not recursive: each `elif` is nested in the `else` of the previous one.
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop()
        inner: list[ast.AST] = []
        if isinstance(one, ast.ClassDef):
            inner = [*one.body]
        elif isinstance(one, ast.stmt) and is_type_checking(one):
            inner = [*one.orelse]
        elif isinstance(one, ast.If | ast.For | ast.While):
            head = one.iter if isinstance(one, ast.For) else one.test
            inner = [head, *one.body, *one.orelse]
        elif isinstance(one, ast.With):
            inner = [*(item.context_expr for item in one.items), *one.body]
        elif isinstance(one, ast.Try):
            handled = [each for handler in one.handlers for each in handler.body]
            inner = [*one.body, *handled, *one.orelse, *one.finalbody]
        elif isinstance(one, ast.Match):
            inner = [one.subject, *(each for case in one.cases for each in case.body)]
        else:
            yield one
        waiting += inner[::-1]


def is_type_checking(node: ast.stmt) -> TypeGuard[ast.If]:
    """Whether a statement is `if TYPE_CHECKING:`, whose body never runs."""
    if not isinstance(node, ast.If):
        return False
    test = node.test
    name = test.id if isinstance(test, ast.Name) else getattr(test, "attr", None)
    return name == "TYPE_CHECKING"


def text_with_decorators(
    unit: Unit, dropped: Collection[ast.expr], rewritten: Mapping[ast.expr, str] = _NOTHING
) -> str:
    """A function's text with some of its decorators removed and new ones added.

    Decorators have their own lines, which are removed with them.
    """
    assert isinstance(unit.node, Function)
    first = min([unit.node.lineno, *(one.lineno for one in unit.node.decorator_list)])
    lines: list[str | None] = [*unit.text.split("\n")]
    for decorator in unit.node.decorator_list:
        if decorator in rewritten or decorator in dropped:
            start = decorator.lineno - first
            end = (decorator.end_lineno or decorator.lineno) - first
            lines[start : end + 1] = [rewritten.get(decorator), *[None] * (end - start)]
    return "\n".join(line for line in lines if line is not None)


def import_order(modules: Modules, paths: Sequence[Path]) -> list[Module]:
    """The project's modules in the order in which Python would finish running them.

    Args:
        paths: the modules that are run, in order; their imports come before them.
    """
    found: dict[Module, None] = {}
    begun: set[Path] = set()

    def run(path: Path, depth: int) -> None:
        if path in begun or depth > DEEPEST_IMPORT:
            return
        begun.add(path)
        module = modules.at(path)
        if module is None:
            return
        for one in module.imports:
            for inner in () if one.is_for_types else modules.run_by(one, path):
                run(inner, depth + 1)
        found[module] = None

    for path in paths:
        run(path.absolute(), 0)
    return list(found)


def _beneath(folder: Path, parts: Sequence[str]) -> Path | None:
    path = folder.joinpath(*parts)
    module = path.with_name(f"{path.name}.py") if parts else path
    for candidate in (path / "__init__.py", module):
        # Path.is_file raises an error if a name is too long for a file.
        if os.path.isfile(candidate):  # noqa: PTH113
            return candidate
    # A package without __init__.py; a folder that merely shares a package's name does not count.
    is_folder = parts and os.path.isdir(path)  # noqa: PTH112
    return path if is_folder and any(path.glob("*.py")) else None


def _read_module(path: Path) -> Module:
    if path.is_dir():
        return Module(path, (), ())
    source = read_text(path, MAX_MODULE_CHARACTERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as for '\d' in a plain string: not our concern
        tree = ast.parse(source)
    lines = source.split("\n")
    body: list[Unit | Import] = []
    for position, node in enumerate(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            body += imports_of(node)
        elif is_type_checking(node) and (imports := _imports_under(node)) is not None:
            body += imports
        elif not _is_main_guard(node):
            text = _text_of(lines, node)
            body.append(Unit(position, node, text, names_in(text), frozenset(_touches(node))))
    return Module(path, tuple(tree.body), tuple(body))


def _imports_under(node: ast.If) -> list[Import] | None:
    """The imports under `if TYPE_CHECKING:` and its `else`; None if it has other statements."""
    found: list[Import] = []
    for each in node.body:
        if not isinstance(each, ast.Import | ast.ImportFrom):
            return None
        found += [replace(one, is_for_types=True) for one in imports_of(each)]
    for each in node.orelse:
        if not isinstance(each, ast.Import | ast.ImportFrom):
            return None
        found += imports_of(each)
    return found


def _text_of(lines: Sequence[str], node: ast.stmt) -> str:
    """A statement as written; columns count bytes, as in the syntax tree."""
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

"""Build one module out of many: some step functions and everything they need, nothing else.

The names that a function uses are looked up in its own module and in the project modules that it
imports from. Their definitions are copied as written. Imports of other packages stay imports. Code
that cannot be followed with certainty is refused.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count
from types import MappingProxyType

from ...bdd.steps import called_name
from .left_out import CannotImportError
from .module_text import BEHAVE_NAMES, name_of_pattern, written
from .modules import Function, Import, Module, Unit, names_in, text_with_decorators
from .project import shown
from .qualified import without_module_names
from .references import GIVEN_BY_BEHAVE, KINDS, STEP_NAMES, References

__all__ = ["Piece", "gather", "is_step_decorator"]

MAX_GATHERED_CHARACTERS = 12_000

_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, eq=False)
class Piece:
    """A step function as it should appear in the module.

    Attributes:
        module, unit: where it comes from.
        text: its text in the new module.
        pattern: its pattern, from which a name can be made.
        matcher: the matcher that its patterns are written for.
        types: the registered types that its patterns use.
    """

    module: Module
    unit: Unit
    text: str
    pattern: str
    matcher: str = "parse"
    types: frozenset[str] = frozenset()


def gather(
    pieces: Sequence[Piece],
    order: Sequence[Module],
    references: References,
    registrations: Mapping[str, tuple[Module, Unit]] = MappingProxyType({}),
    more: Sequence[tuple[Module, str]] = (),
    behave_names: Collection[str] = (),
) -> str:
    """Build the source of a module of some step functions, in the order given.

    Args:
        order: the project's modules, in the order in which Python would finish running them.
        registrations: the statement that registers each type, by the type's name.
        more: texts to put before the step functions, each with the module whose names it uses.
        behave_names: names from behave that those texts use.

    Raises:
        CannotImportError: something that they need cannot be included.
    """
    given = {name for _, text in more for name in names_in(text).binds} | {*behave_names}
    places: set[tuple[object, int]] = {(one.module.path, one.unit.position) for one in pieces}
    gatherer = _Gatherer(references, places, frozenset(given))
    for name in behave_names:
        gatherer.define_behave(name)
    texts = [gatherer.add_piece(piece) for piece in pieces]
    for name in sorted({name for piece in pieces for name in piece.types}):
        gatherer.add_unit(*registrations[name])
    added = [
        gatherer.add_text(module, text, ("more", number), shown(module.path))
        for number, (module, text) in enumerate(more)
    ]
    gatherer.follow()
    gatherer.refuse_clashes()
    numbers = {module.path: number for number, module in enumerate(order)}
    found = {*gatherer.units, *gatherer.aliases}
    helpers = [
        text
        for module in sorted(found, key=lambda one: (numbers.get(one.path, -1), one.path))
        for text in gatherer.helpers_of(module)
    ]
    helpers += added
    texts = _with_names_of_their_own(pieces, texts, gatherer.names)
    functions = [(piece.matcher, text) for piece, text in zip(pieces, texts, strict=True)]
    return written(gatherer.imports, gatherer.behave_names, helpers, functions, gatherer.has_future)


_WHOLE = -1  # the whole module, as opposed to one statement's position


def _with_names_of_their_own(
    pieces: Sequence[Piece], texts: Sequence[str], taken: Set[str]
) -> list[str]:
    """Name step functions after their patterns if several share one name, or are named `_`.

    Args:
        taken: names already used in the module.
    """
    names = [piece.unit.node.name for piece in pieces if isinstance(piece.unit.node, Function)]
    counts = Counter(names)
    given = {name for name in names if counts[name] == 1} | taken
    renamed = []
    for name, piece, text in zip(names, pieces, texts, strict=True):
        if (counts[name] > 1 or not name.strip("_")) and name not in taken:
            own = name_of_pattern(piece.pattern)
            numbered = (f"{own}_{number}" for number in count(2))
            made = next(one for one in chain([own], numbered) if one not in given)
            given.add(made)
            text = re.sub(
                rf"^((?:async )?def )\s*{name}\b", rf"\g<1>{made}", text, count=1, flags=re.M
            )
        renamed.append(text)
    return renamed


def is_step_decorator(decorator: ast.expr) -> bool:
    """Whether a decorator registers a step, judging by its name."""
    return isinstance(decorator, ast.Call) and called_name(decorator) in STEP_NAMES


class _Gatherer:
    """Follows names until every name in use is defined.

    Args:
        pieces: module and position of the step functions.
        given: names that need no lookup.
    """

    def __init__(
        self, references: References, pieces: set[tuple[object, int]], given: frozenset[str]
    ) -> None:
        self.units: dict[Module, dict[int, str]] = {}
        self.aliases: dict[Module, set[str]] = {}
        self.imports: set[Import] = set()
        self.behave_names: set[str] = set()
        self.has_future = False
        self._references = references
        self._modules = references.modules
        self._pieces = pieces
        self._given = given
        self._waiting: list[tuple[Module, str, str]] = []  # with the place that uses the name
        self._asked: set[tuple[object, str]] = set()
        self._characters = 0
        self._used: set[str] = set()
        # What defines each name, with its place; a name in use may have only one definition.
        self._definers: dict[str, dict[object, str]] = {}

    def add_piece(self, piece: Piece) -> str:
        owner = (piece.module.path, piece.unit.position)
        return self.add_text(piece.module, piece.text, owner, _place(piece.module, piece.unit))

    def add_unit(self, module: Module, unit: Unit) -> None:
        """Include a statement, unless it is a step function that is already included."""
        have = self.units.setdefault(module, {})
        if unit.position in have or (module.path, unit.position) in self._pieces:
            return
        text = unit.text
        owner: tuple[object, int] = (module.path, _WHOLE)
        if isinstance(unit.node, Function):
            steps = [
                one
                for one in unit.node.decorator_list
                if is_step_decorator(one) or self._references.registers(one, module)
            ]
            if steps:
                # Another function calls this step function; it binds no step of this scenario.
                text = text_with_decorators(unit, steps)
                owner = (module.path, unit.position)
        have[unit.position] = text  # recorded now, in case it needs itself
        have[unit.position] = self.add_text(module, text, owner, _place(module, unit))

    def follow(self) -> None:
        while self._waiting:
            module, name, place = self._waiting.pop()
            if (module.path, name) not in self._asked:
                self._asked.add((module.path, name))
                self._take(module, name, place)

    @property
    def names(self) -> set[str]:
        """Names in use in the module; a step function's own name may be left out."""
        others = {
            name
            for name, owners in self._definers.items()
            if any(owner not in self._pieces for owner in owners)
        }
        return self._used | others

    def helpers_of(self, module: Module) -> list[str]:
        """The statements included from a module, in its order, preceded by aliases for imports."""
        units = self.units.get(module, {})
        return [
            *sorted(self.aliases.get(module, ())),
            *(units[position] for position in sorted(units)),
        ]

    def refuse_clashes(self) -> None:
        for name in sorted(self._used):
            definers = self._definers.get(name, {})
            if len(definers) > 1:
                places = " and ".join(sorted(set(definers.values())))
                detail = f"'{name}' would mean two things, defined in {places}"
                raise CannotImportError("name_clash", detail)

    def add_text(self, module: Module, text: str, owner: object, place: str) -> str:
        """Request what a text uses; return the text so that it fits beside those of other modules.

        Args:
            owner: the piece it belongs to; names defined by the same owner do not clash.
            place: where it is written.
        """
        try:
            text, taken = without_module_names(text, module, self._modules)
        except CannotImportError as error:
            raise CannotImportError(error.reason, f"{error.detail}, in {place}") from error
        self._characters += len(text)
        if self._characters > MAX_GATHERED_CHARACTERS:
            raise CannotImportError(
                "too_long", f"its code is longer than {MAX_GATHERED_CHARACTERS:,} characters"
            )
        names = names_in(text)
        for name in names.binds:
            self._define(name, owner, place)
        for name in names.uses:
            self._used.add(name)
            if name not in self._given:
                self._waiting.append((taken.get(name, module), name, place))
        imported, executes_steps = _within(text)
        if executes_steps:
            raise CannotImportError("executes_steps", f"in {place}")
        for name in imported:
            if self._modules.find(name, module.path) is not None:
                detail = f"{name} is imported within the code of {place}"
                raise CannotImportError("import_not_followed", detail)
        return text

    def _take(self, module: Module, name: str, place: str) -> None:
        """Find the definition of a name in a module and include it."""
        self.has_future = self.has_future or any(
            one.module == "__future__" for one in module.imports
        )
        is_found = is_unit = False
        for one in module.body:
            if isinstance(one, Import):
                if one.name == name and one.name != "*":
                    self._take_import(module, one)
                    is_found = True
            elif name in one.names.binds:
                self.add_unit(module, one)
                is_found = is_unit = True
        if is_unit:
            for unit in module.units:
                if name in unit.touches:
                    self.add_unit(module, unit)
        if not is_found and not self._is_elsewhere(module, name, place):
            if name == "__file__":
                raise CannotImportError("needs_files", f"__file__ in {place}")
            raise CannotImportError("undefined_name", f"'{name}' in {place}")

    def _is_elsewhere(self, module: Module, name: str, place: str) -> bool:
        """Include a name that its module does not bind itself."""
        unknown: list[Import] = []
        for one in module.imports:
            if one.name != "*":
                continue
            target = self._target(one, module)
            if target is not None:
                if not name.startswith("_") and _has(target, name):
                    self._waiting.append((target, name, place))
                    return True
            elif one.module != "behave":
                unknown.append(one)
        if name in GIVEN_BY_BEHAVE or (
            name in BEHAVE_NAMES and any(one.module == "behave" for one in module.imports)
        ):
            self.define_behave(name)
            return True
        if name in _BUILTINS:
            self._define(name, "a built-in", "Python itself")
            return True
        self.imports |= set(unknown)
        return bool(unknown)

    def _take_import(self, module: Module, one: Import) -> None:
        if one.module == "__future__":
            return
        is_step = one.module == "pytest_bdd" and one.attribute in KINDS
        is_of_behave = one.module == "behave" and one.attribute in BEHAVE_NAMES
        if (is_step or is_of_behave) and one.name == one.attribute:
            self.define_behave(one.name)
            return
        place = f"{shown(module.path)}:{one.line}"
        target = self._target(one, module)
        if target is None:
            if one.module.startswith("."):
                raise CannotImportError("import_not_followed", f"{one.text} in {place}")
            self.imports.add(one)
            # `import os` and `import os.path` bind the same module to the same name.
            owner = f"import {one.name}" if one.is_whole else one.text
            self._define(one.name, owner, place)
            return
        if one.attribute is None or not _has(target, one.attribute):
            raise CannotImportError("import_not_followed", f"{one.text} in {place}")
        self._waiting.append((target, one.attribute, place))
        if one.name != one.attribute:
            alias = f"{one.name} = {one.attribute}"
            self.aliases.setdefault(module, set()).add(alias)
            self._define(one.name, alias, place)
            self._used.add(one.attribute)

    def _target(self, one: Import, module: Module) -> Module | None:
        """The project module that an import takes from; None for other packages."""
        path = self._modules.find(one.module, module.path)
        if path is None:
            return None
        target = self._modules.at(path)
        if target is None:
            raise CannotImportError("import_not_followed", f"{shown(path)} cannot be read")
        return target

    def define_behave(self, name: str) -> None:
        self.behave_names.add(name)
        self._define(name, "behave", "behave")

    def _define(self, name: str, owner: object, place: str) -> None:
        self._definers.setdefault(name, {}).setdefault(owner, place)


def _place(module: Module, unit: Unit) -> str:
    return f"{shown(module.path)}:{unit.node.lineno}"


def _has(module: Module, name: str) -> bool:
    """Whether a module binds a name, directly or through its imports."""
    return any(one.name in (name, "*") for one in module.imports) or any(
        name in unit.names.binds for unit in module.units
    )


@lru_cache(maxsize=10_000)
def _within(text: str) -> tuple[tuple[str, ...], bool]:
    """The modules imported inside a piece of source, and whether it runs steps from text."""
    imported: list[str] = []
    executes_steps = False
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported.append("." * node.level + (node.module or ""))
        elif isinstance(node, ast.Attribute):
            executes_steps = executes_steps or node.attr == "execute_steps"
    return tuple(imported), executes_steps

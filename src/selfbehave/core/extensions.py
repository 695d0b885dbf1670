"""Entry points by which other packages extend this one: found by name, imported on first use.

A package declares an entry point in one of the groups below; docs/how-to/extend.md shows how.
Names are read from the metadata of installed packages.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

from .errors import SelfBehaveError

__all__ = [
    "AUDIT_CHECKS",
    "ENGINES",
    "PROMPTS",
    "RELEASE_FORMATS",
    "STAGES",
    "Extension",
    "Registry",
    "extension_names",
    "find_extension",
]

ENGINES = "selfbehave.engines"
PROMPTS = "selfbehave.prompts"
STAGES = "selfbehave.stages"
AUDIT_CHECKS = "selfbehave.audit_checks"
RELEASE_FORMATS = "selfbehave.release_formats"

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Extension:
    """An entry point of an installed package.

    Attributes:
        package: the name and version of its distribution.
    """

    entry_point: EntryPoint
    package: str

    def load(self) -> Any:
        """Import the object that it names.

        Raises:
            SelfBehaveError: the package is broken.
        """
        with self.guarding():
            return self.entry_point.load()

    def make(self, *arguments: Any, needs: tuple[str, ...] = ()) -> Any:
        """Import the class or function that it names, and call it.

        Args:
            needs: attributes that the result must have.

        Raises:
            SelfBehaveError: the package is broken, or refuses the arguments with its own message.
        """
        maker = self.load()
        with self.guarding():
            made = maker(*arguments)
        if lacking := [name for name in needs if not hasattr(made, name)]:
            raise self.broken(f"what it makes has no {' and no '.join(lacking)}")
        return made

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Run code of the package; an unexpected error is reported as the package's error.

        Raises:
            SelfBehaveError: the code raised an unexpected error.
        """
        try:
            yield
        except SelfBehaveError:
            raise
        except Exception as error:
            raise self.broken(f"{type(error).__name__}: {error}{_place_of(error)}") from error

    def broken(self, why: str) -> SelfBehaveError:
        """The error of an extension that cannot be used."""
        point = self.entry_point
        return SelfBehaveError(
            f"this extension cannot be used: {why}",
            where=f"{self.package}, entry point '{point.name} = {point.value}' of {point.group}",
            mend="correct or uninstall that package",
        )


class Registry(Mapping[str, Kind]):
    """Objects of one kind, by name: the built-in ones, and those that other packages add.

    Looking up a name imports nothing. An object is created on its first use.

    Args:
        group: the group of the entry points.
        own: the class or function of each built-in name, as "module:attribute". Other packages
        cannot replace them.
        needs: the attributes that each object must have.
    """

    def __init__(self, group: str, own: Mapping[str, str], needs: tuple[str, ...]) -> None:
        self._group = group
        self._own = own
        self._needs = needs
        self._made: dict[str, Kind] = {}

    def __getitem__(self, name: str) -> Kind:
        """The object with a name.

        Raises:
            KeyError: nothing has that name.
            SelfBehaveError: the package that adds it is broken.
        """
        if name not in self._made:
            self._made[name] = self.make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """All names, the built-in ones first."""
        yield from self._own
        yield from self.added()

    def __len__(self) -> int:
        return len(self._own) + len(self.added())

    def added(self) -> list[str]:
        """The names that other packages add."""
        return [name for name in extension_names(self._group) if name not in self._own]

    def make(self, name: str) -> Kind:
        """A new object of a name; raises the same errors as a look-up."""
        if place := self._own.get(name):
            module, _, attribute = place.partition(":")
            made: Kind = getattr(import_module(module), attribute)()
            return made
        extension = self.extension(name)
        added: Kind = extension.make(needs=self._needs)
        if (own_name := getattr(added, "name", name)) != name:
            raise extension.broken(f"its name is {own_name!r}, not {name!r}")
        return added

    def extension(self, name: str) -> Extension:
        """The extension of an added name; raises the same errors as a look-up."""
        extension = find_extension(self._group, name)
        if extension is None:
            raise KeyError(name)
        return extension


def extension_names(group: str) -> list[str]:
    """The names in a group, in alphabetical order. Nothing is imported."""
    return sorted({point.name for point in _entry_points(group, tuple(sys.path))})


def find_extension(group: str, name: str) -> Extension | None:
    """The extension of a name, if there is one. It is not imported.

    Raises:
        SelfBehaveError: two packages use this name.
    """
    found = [
        Extension(point, f"{point.dist.name} {point.dist.version}" if point.dist else "unknown")
        for point in _entry_points(group, tuple(sys.path))
        if point.name == name
    ]
    if len(found) > 1:
        raise found[0].broken(f"{found[1].package} adds one of the same name")
    return found[0] if found else None


@cache  # it reads the metadata of every installed package
def _entry_points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """The entry points of the packages that are found on Python's module path now."""
    return tuple(entry_points(group=group))


def _place_of(error: Exception) -> str:
    """Where an error was raised, in brackets; empty if Python raised it during an import."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    is_importing = last.filename.startswith("<") or Path(last.filename).parent.name == "importlib"
    return "" if is_importing else f" ({Path(last.filename).name}:{last.lineno})"

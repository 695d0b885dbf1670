"""What other packages add to this one by entry points: found by name, imported when it is used.

A package adds something by an entry point of one of the groups below; docs/how-to/extend.md shows
how. Names are read from the metadata of installed packages.
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
        package: the distribution that it is part of, and its version.
    """

    entry_point: EntryPoint
    package: str

    def load(self) -> Any:
        """Import what it names.

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
            SelfBehaveError: the package is broken, or refuses the arguments in words of its own.
        """
        maker = self.load()
        with self.guarding():
            made = maker(*arguments)
        if lacking := [name for name in needs if not hasattr(made, name)]:
            raise self.broken(f"what it makes has no {' and no '.join(lacking)}")
        return made

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """While code of the package runs: an error that it does not expect is reported as its own.

        Raises:
            SelfBehaveError: there was one.
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
    """Things of one kind, by name: this package's own, and those that other packages add.

    A name is looked up without importing anything; a thing is made the first time it is asked for.

    Args:
        group: of the entry points.
        own: where the class or function of each of our own names is, as "module:attribute". Other
            packages cannot replace them.
        needs: the attributes that each thing must have.
    """

    def __init__(self, group: str, own: Mapping[str, str], needs: tuple[str, ...]) -> None:
        self._group = group
        self._own = own
        self._needs = needs
        self._made: dict[str, Kind] = {}

    def __getitem__(self, name: str) -> Kind:
        """The thing of a name.

        Raises:
            KeyError: there is none of that name.
            SelfBehaveError: the package that adds it is broken.
        """
        if name not in self._made:
            self._made[name] = self.make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """All names, our own first."""
        yield from self._own
        yield from self.added()

    def __len__(self) -> int:
        return len(self._own) + len(self.added())

    def added(self) -> list[str]:
        """The names that other packages add."""
        return [name for name in extension_names(self._group) if name not in self._own]

    def make(self, name: str) -> Kind:
        """A new thing of a name; raises as a look-up does."""
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
        """The extension of an added name; raises as a look-up does."""
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
        SelfBehaveError: two packages add something of this name.
    """
    found = [
        Extension(point, f"{point.dist.name} {point.dist.version}" if point.dist else "unknown")
        for point in _entry_points(group, tuple(sys.path))
        if point.name == name
    ]
    if len(found) > 1:
        raise found[0].broken(f"{found[1].package} adds one of the same name")
    return found[0] if found else None


@cache  # the metadata of every installed package is read for it
def _entry_points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """The entry points of the packages that are found on Python's module path now."""
    return tuple(entry_points(group=group))


def _place_of(error: Exception) -> str:
    """Where an error was raised, in brackets; nothing where Python raised it at an import."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    is_importing = last.filename.startswith("<") or Path(last.filename).parent.name == "importlib"
    return "" if is_importing else f" ({Path(last.filename).name}:{last.lineno})"

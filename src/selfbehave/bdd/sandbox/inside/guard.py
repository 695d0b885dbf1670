"""Detect changes that generated code makes to behave and the built-ins to fake step results."""

from __future__ import annotations

import sys

# Bound here, before the generated code can replace them in `builtins`.
from builtins import all, callable, dict, isinstance, len, list, map, sorted, zip  # noqa: UP029
from collections.abc import Iterator, Mapping
from operator import attrgetter, is_, itemgetter
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["Guard"]

_code_of = attrgetter("__code__")
_DESCRIPTORS = (property, staticmethod, classmethod)
# Behave recreates its decorators before it loads the step functions.
_DECORATORS = {
    f"{module}.{name}"
    for module in ("behave", "behave.step_registry")
    for kind in ("given", "when", "then", "step")
    for name in (kind, kind.title())
}


class Guard:
    """Remembers every function and class of behave and the built-ins, and the code behind each.

    It runs in the process of the generated code. It is created before that code is imported, and
    checks after it has run. It compares identities only, so that it never calls an `__eq__` of that
    code.

    Looking at an object changes its reference count, so it writes to the object's memory. In a
    forked process, the first write to a page copies it. So this looks at as few objects as
    possible.
    """

    def __init__(self) -> None:
        self._modules = {
            name: module
            for name, module in sys.modules.items()
            if isinstance(module, ModuleType) and name.partition(".")[0] in ("behave", "builtins")
        }
        namespaces: dict[int, _Namespace] = {}
        self._functions: dict[FunctionType, str] = {}
        for name, module in self._modules.items():
            classes = {
                attribute: value
                for attribute, value in vars(module).items()
                if isinstance(value, type) and value.__module__.partition(".")[0] == "behave"
            }
            owners: list[tuple[ModuleType | type, str]] = [(module, name)]
            owners += [(value, f"{name}.{attribute}") for attribute, value in classes.items()]
            for owner, owner_name in owners:
                if id(owner) not in namespaces:
                    namespaces[id(owner)] = _Namespace(owner)
                    for attribute, value in vars(owner).items():
                        if isinstance(value, FunctionType):
                            self._functions.setdefault(value, f"{owner_name}.{attribute}")
                namespaces[id(owner)].names.append(owner_name)
        self._namespaces = list(namespaces.values())
        self._codes = tuple(map(_code_of, self._functions))

    def changes(self) -> list[str]:
        """Names of what was changed, in order; empty if nothing was changed."""
        found = {
            name for name, module in self._modules.items() if sys.modules.get(name) is not module
        }
        for namespace in self._namespaces:
            if not namespace.is_as_it_was():
                changed = list(namespace.changes())
                found |= {f"{name}.{key}" for name in namespace.names for key in changed}
        if not all(map(is_, map(_code_of, self._functions), self._codes)):
            found |= {
                name
                for (function, name), code in zip(self._functions.items(), self._codes, strict=True)
                if function.__code__ is not code
            }
        return sorted(found - _DECORATORS)


class _Namespace:
    """The original objects behind the names of a module or a class.

    Attributes:
        names: the names under which it is known; several modules may import the same class.
    """

    def __init__(self, owner: ModuleType | type) -> None:
        self.names: list[str] = []
        self._is_class = isinstance(owner, type)
        self._live: Mapping[str, Any] = vars(owner)
        # Adding a callable to a class counts as a change; adding one to a module does not. If every
        # name of a class still exists and their number is the same, none was added.
        self._before = {
            key: value
            for key, value in self._live.items()
            if self._is_class or _counts(value, in_class=False)
        }
        self._get = itemgetter(*self._before) if len(self._before) > 1 else None
        self._values = tuple(self._before.values())

    def is_as_it_was(self) -> bool:
        """Whether nothing has changed; may be False if it is uncertain."""
        if self._is_class and len(self._live) != len(self._before):
            return False
        if self._get is None:
            return all(self._live.get(key) is value for key, value in self._before.items())
        try:
            return all(map(is_, self._get(self._live), self._values))
        except KeyError:
            return False

    def changes(self) -> Iterator[str]:
        """Names of the callables that were replaced, removed, or added to a class."""
        now = dict(self._live)
        for key, value in self._before.items():
            if _counts(value, self._is_class) and now.get(key) is not value:
                yield key
        for key, value in now.items():
            if self._is_class and key not in self._before and _counts(value, in_class=True):
                yield key


def _counts(value: Any, in_class: bool) -> bool:
    return callable(value) or (in_class and isinstance(value, _DESCRIPTORS))

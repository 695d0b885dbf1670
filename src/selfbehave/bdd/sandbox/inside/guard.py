"""Notices what generated code changed of behave and of the built-ins, to lie about its steps."""

from __future__ import annotations

import sys

# Bound here, before the generated code can replace them in `builtins`.
from builtins import all, callable, dict, isinstance, len, list, map, sorted, zip  # noqa: UP029
from collections.abc import Iterator, Mapping
from operator import attrgetter, is_
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["Guard"]

_DESCRIPTORS = (property, staticmethod, classmethod)
# Behave makes its decorators anew before it loads the step functions.
_DECORATORS = {
    f"{module}.{name}"
    for module in ("behave", "behave.step_registry")
    for kind in ("given", "when", "then", "step")
    for name in (kind, kind.title())
}


class _Namespace:
    """A module's or a class's names and what they stood for.

    Attributes:
        names: under which the namespace is known; a class may be imported by several modules.
        is_class: a callable added to a class counts as a change, one added to a module does not.
    """

    def __init__(self, live: Mapping[str, Any], is_class: bool) -> None:
        self.names: list[str] = []
        self.is_class = is_class
        self._live = live
        self._keys = tuple(live)
        self._values = tuple(live.values())

    def is_as_it_was(self) -> bool:
        live = self._live
        return (
            len(live) == len(self._keys)
            and all(map(is_, live.values(), self._values))
            and all(map(is_, live, self._keys))
        )

    def changes(self) -> Iterator[str]:
        """Names of the callables that are another now, are gone, or were added to a class."""
        before = dict(zip(self._keys, self._values, strict=True))
        now = dict(self._live)
        for key, value in before.items():
            if _counts(value, self.is_class) and now.get(key) is not value:
                yield key
        for key, value in now.items():
            if self.is_class and key not in before and _counts(value, self.is_class):
                yield key


class Guard:
    """Remembers every function and class of behave and the built-ins, and the code behind each.

    It runs in the process of the generated code, twice: made before that code is imported, asked
    after it has run. Only identities are compared, so that no `__eq__` of that code is called.
    """

    def __init__(self) -> None:
        self._modules = {
            name: module
            for name, module in sys.modules.items()
            if isinstance(module, ModuleType) and name.partition(".")[0] in ("behave", "builtins")
        }
        self._namespaces: dict[int, _Namespace] = {}
        self._functions: dict[FunctionType, str] = {}
        for name, module in self._modules.items():
            self._remember(vars(module), name, is_class=False)
            for attribute, value in vars(module).items():
                if isinstance(value, type) and value.__module__.partition(".")[0] == "behave":
                    self._remember(vars(value), f"{name}.{attribute}", is_class=True, key=value)
        self._codes = tuple(map(attrgetter("__code__"), self._functions))

    def changes(self) -> list[str]:
        """Names of what was changed, in order; empty if nothing was."""
        found = {
            name for name, module in self._modules.items() if sys.modules.get(name) is not module
        }
        for namespace in self._namespaces.values():
            if not namespace.is_as_it_was():
                changed = list(namespace.changes())
                found |= {f"{name}.{key}" for name in namespace.names for key in changed}
        codes = map(attrgetter("__code__"), self._functions)
        if not all(map(is_, codes, self._codes)):
            found |= {
                name
                for (function, name), code in zip(self._functions.items(), self._codes, strict=True)
                if function.__code__ is not code
            }
        return sorted(found - _DECORATORS)

    def _remember(
        self, live: Mapping[str, Any], name: str, is_class: bool, key: object = None
    ) -> None:
        namespace = self._namespaces.get(id(key or live))
        if namespace is None:
            namespace = self._namespaces[id(key or live)] = _Namespace(live, is_class)
            for attribute, value in live.items():
                if isinstance(value, FunctionType):
                    self._functions.setdefault(value, f"{name}.{attribute}")
        namespace.names.append(name)


def _counts(value: Any, in_class: bool) -> bool:
    return callable(value) or (in_class and isinstance(value, _DESCRIPTORS))

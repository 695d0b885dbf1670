"""Packages that load a module only when one of its names is used.

The command line can then read settings and help texts without loading the working code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["loading_on_use"]


def loading_on_use(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Make a package's `__getattr__`, which imports a public name's module on first use.

    Args:
        package: the package's `__name__`.
        modules: the module of each public name, relative to the package: {"Engine": ".base"}.
    """

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name], package), name)

    return load

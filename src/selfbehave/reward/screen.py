"""A screen for code that reaches for more than a step function needs.

The sandbox keeps code from leaving it. The screen keeps a policy from learning to look for the
judge inside: it lets through a list of modules that only compute, and no way to other modules, to
frames, to the insides of functions or to behave's own objects. It reads the syntax tree and runs
nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..bdd.steps import parse_python
from ..bdd.value_origins import Function

__all__ = ["MODULES", "tampering"]

MODULES = frozenset(
    "__future__ abc array base64 behave bisect calendar cmath collections collections.abc colorsys "
    "concurrent.futures contextlib contextvars copy csv dataclasses datetime decimal difflib enum "
    "fnmatch fractions functools graphlib hashlib heapq hmac html ipaddress itertools json math "
    "numbers operator parse queue re sched statistics string struct textwrap "
    "threading time types typing unicodedata uuid zlib zoneinfo".split()
)
"""The modules that step functions may import; not `random`, because luck must not pay."""

# Names that lead from one module to another, in the modules above as well.
_MODULES_NOT = frozenset(
    "atexit bltns builtins codecs codeop ctypes faulthandler gc importlib inspect io linecache "
    "marshal multiprocessing nt os pickle posix runpy shutil signal socket subprocess sys "
    "sysconfig tempfile traceback weakref".split()
)
_BUILTINS_NOT = frozenset(
    "breakpoint compile delattr eval exec exit globals help input locals open quit vars".split()
)
# Attributes that lead from an object to what made it.
_ATTRIBUTES_NOT = frozenset(
    "ag_code ag_frame attrgetter cr_code cr_frame evaluate_forward_ref f_back f_builtins f_code "
    "f_globals f_locals ForwardRef get_field get_type_hints gi_code gi_frame methodcaller "
    "tb_frame tb_next with_traceback".split()
)
_OF_BEHAVE_NOT = frozenset("config feature runner scenario step".split())  # of a context
_FROM_BEHAVE = frozenset(
    "given when then step Given When Then Step use_step_matcher use_default_step_matcher "
    "register_type".split()
)
_DUNDER = re.compile(r"__\w+__")
_DUNDERS = frozenset(
    "__class__ __doc__ __eq__ __hash__ __init__ __len__ __main__ __members__ __name__ "
    "__post_init__ __qualname__ __repr__ __str__ __version__".split()
)
_GETTING = ("getattr", "setattr")


def tampering(code: str, modules: frozenset[str] = MODULES) -> str | None:
    """What in a module of step functions reaches too far, such as `import os`; None if nothing.

    Code that does not compile does nothing, and is let through to the ladder.

    Args:
        modules: the modules that it may import.
    """
    try:
        tree = parse_python(code)
    except SyntaxError:
        return None
    return next(_found(tree, modules), None)


def _found(tree: ast.Module, modules: frozenset[str]) -> Iterator[str]:
    imported = set(_names_of_modules(tree))
    contexts = {"context"} | {
        node.args.args[0].arg for node in tree.body if isinstance(node, Function) and node.args.args
    }
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for name in names:
                    if name.name not in modules:
                        yield f"import {name.name}"
            case ast.ImportFrom(module=module, names=names):
                yield from _found_in_import(module or ".", names, modules)
            case ast.Attribute(value=owner, attr=name):
                name_of_owner = owner.id if isinstance(owner, ast.Name) else ""
                # A module cannot be called: `crate.inspect()` is a method of the code's own.
                is_module = name.strip("_") in _MODULES_NOT and id(node) not in called
                if (
                    is_module
                    or _is_barred(name)
                    or (name.startswith("_") and name_of_owner in imported | contexts)
                    or (name in _OF_BEHAVE_NOT and name_of_owner in contexts)
                    or (name_of_owner == "behave" and name not in _FROM_BEHAVE)
                ):
                    yield f".{name}"
            case ast.MatchClass(kwd_attrs=attributes):
                yield from (f".{name}" for name in attributes if _leads_away(name))
            case ast.Name(id=name):
                is_dunder = bool(_DUNDER.fullmatch(name)) and name not in _DUNDERS
                if is_dunder or (name in _BUILTINS_NOT and isinstance(node.ctx, ast.Load)):
                    yield name
                if name in _GETTING and id(node) not in called:
                    yield name
            case ast.Call(func=ast.Name(id="getattr"), args=[_, *rest]):
                if not (rest and isinstance(rest[0], ast.Constant) and not _names_barred(rest[0])):
                    yield "getattr"
            case ast.Constant(value=str(text)):
                if any(name not in _DUNDERS for name in _DUNDER.findall(text)):
                    yield repr(text[:40])


def _found_in_import(module: str, names: list[ast.alias], modules: frozenset[str]) -> Iterator[str]:
    for name in names:
        if (
            module not in modules
            or _leads_away(name.name)
            or (name.name == "*" and module != "behave")
            or (module == "behave" and name.name not in _FROM_BEHAVE | {"*"})
        ):
            yield f"from {module} import {name.name}"


def _names_of_modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.asname or name.name.partition(".")[0]


def _is_barred(name: str) -> bool:
    """Whether no attribute of this name may be read or set, of whatever object."""
    is_dunder = bool(_DUNDER.fullmatch(name)) and name not in _DUNDERS
    return is_dunder or name in _ATTRIBUTES_NOT


def _leads_away(name: str) -> bool:
    return _is_barred(name) or name.strip("_") in _MODULES_NOT


def _names_barred(constant: ast.Constant) -> bool:
    return isinstance(constant.value, str) and (
        _leads_away(constant.value) or constant.value.startswith("_")
    )

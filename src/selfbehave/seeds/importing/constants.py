"""Evaluate constants in a project's modules: texts, numbers, collections and paths.

`@given(SHOP)`, `@given(f"a {KIND}")` and `scenarios(Path(__file__).parent / "features")` get the
values that they would have when run. Nothing is run: only the kinds of expressions below are
evaluated, and their size is bounded.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from .modules import Module, Unit
from .references import Argument, Defined, References

__all__ = ["NotConstantError", "constant", "constant_text", "written_items"]

_DEEPEST = 100  # nested expressions and names
_MOST_STEPS = 10_000
_MOST_ARGUMENTS = 20
_LONGEST = 10_000  # characters of a text, items of a collection
_LONGEST_FILLED = 200  # characters of a value put into a text by % or format

# Pure functions of paths and texts. A module's path is absolute, so paths built from it are too.
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "builtins.str": str,
    "os.fspath": str,
    "os.path.abspath": posixpath.normpath,
    "os.path.dirname": posixpath.dirname,
    "os.path.join": posixpath.join,
    "os.path.normpath": posixpath.normpath,
    "os.path.realpath": posixpath.normpath,
    "pathlib.Path": PurePosixPath,
    "pathlib.PurePath": PurePosixPath,
}
_PATH_METHODS = ("as_posix", "joinpath", "with_name", "with_suffix")
_TEXT_METHODS = ("capitalize", "format", "lower", "lstrip", "rstrip", "strip", "title", "upper")


class NotConstantError(Exception):
    """The value of an expression cannot be determined without running code."""


def constant(argument: Argument, references: References) -> Any:
    """The value of an expression.

    Returns:
        a text, number, bool or None; a tuple, list or dict of these; or a `PurePosixPath`.

    Raises:
        NotConstantError: the value cannot be determined without running code.
    """
    try:
        return _Evaluator(references).value(argument.node, argument.module)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise NotConstantError(str(error)) from error


def constant_text(argument: Argument | None, references: References) -> str | None:
    """The value of an expression if it is a text; None if it is something else or unknown."""
    if argument is None:
        return None
    try:
        value = constant(argument, references)
    except NotConstantError:
        return None
    return value if isinstance(value, str) else None


def written_items(argument: Argument | None, references: References) -> dict[str, Argument] | None:
    """The items of a dict literal, given here or assigned to a name; None if there is none."""
    if argument is None:
        return None
    node, module = argument.node, argument.module
    found = references.to(node, module)
    if isinstance(found, Defined) and _is_bound_once(found):
        node, module = _assigned(found.unit) or node, found.module
    if isinstance(node, ast.Call):
        call = references.call(node, module)
        if call is None or call.function.name != "builtins.dict" or call.positional or call.is_open:
            return None
        return dict(call.named)
    if not isinstance(node, ast.Dict):
        return None
    items: dict[str, Argument] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name = constant_text(Argument(key, module), references) if key is not None else None
        if name is None:
            return None
        items[name] = Argument(value, module)
    return items


class _Evaluator:
    """Evaluates one expression in a bounded number of steps."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._steps = 0
        self._depth = 0

    def value(self, node: ast.expr, module: Module) -> Any:
        self._steps += 1
        self._depth += 1
        if self._steps > _MOST_STEPS or self._depth > _DEEPEST:
            raise NotConstantError("too long an expression")
        value = self._value(node, module)
        self._depth -= 1
        if isinstance(value, str | tuple | list | dict) and len(value) > _LONGEST:
            raise NotConstantError(f"longer than {_LONGEST:,}")
        return value

    def _value(self, node: ast.expr, module: Module) -> Any:
        match node:
            case ast.Constant(value=str() | int() | float() | None as value):
                return value
            case ast.Tuple(elts=items):
                return tuple(self._items(items, module))
            case ast.List(elts=items):
                return self._items(items, module)
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return {self._key(key, module): self.value(item, module) for key, item in pairs}
            case ast.JoinedStr(values=parts):
                return self._joined(parts, module)
            case ast.BinOp(left=first, op=operator, right=second):
                return _combined(self.value(first, module), operator, self.value(second, module))
            case ast.Subscript(value=owner, slice=index):
                return self.value(owner, module)[self.value(index, module)]
            case ast.Name(id="__file__"):
                return str(module.path)
            case ast.Name():
                return self._of_name(node, module)
            case ast.Attribute():
                return self._of_attribute(node, module)
            case ast.Call():
                return self._of_call(node, module)
        raise NotConstantError("an expression that only a run can tell")

    def _key(self, key: ast.expr | None, module: Module) -> Any:
        if key is None:
            raise NotConstantError("a dict with ** in it")
        return self.value(key, module)

    def _items(self, items: list[ast.expr], module: Module) -> list[Any]:
        found: list[Any] = []
        for item in items:
            if isinstance(item, ast.Starred):
                found += self.value(item.value, module)
            else:
                found.append(self.value(item, module))
            if len(found) > _LONGEST:
                raise NotConstantError(f"more than {_LONGEST:,} items")
        return found

    def _joined(self, parts: list[ast.expr], module: Module) -> str:
        """Evaluate an f-string; fields with a conversion or a format are not supported."""
        text = ""
        for part in parts:
            if isinstance(part, ast.FormattedValue):
                if part.conversion != -1 or part.format_spec is not None:
                    raise NotConstantError(
                        "a field of an f-string with a format, or of no text or number"
                    )
                part = part.value
            value = self.value(part, module)
            if not isinstance(value, str | int):
                raise NotConstantError(
                    "a field of an f-string with a format, or of no text or number"
                )
            text += str(value)
            if len(text) > _LONGEST:
                raise NotConstantError(f"longer than {_LONGEST:,}")
        return text

    def _of_name(self, node: ast.expr, module: Module) -> Any:
        found = self._references.to(node, module)
        if isinstance(found, Defined) and _is_bound_once(found):
            value = _assigned(found.unit)
            if value is not None:
                return self.value(value, found.module)
        raise NotConstantError("an expression that only a run can tell")

    def _of_attribute(self, node: ast.Attribute, module: Module) -> Any:
        """The value of an attribute of a module, a class or a path."""
        owner = self._references.to(node.value, module)
        if isinstance(owner, Module):
            return self._of_name(node, module)
        if isinstance(owner, Defined) and isinstance(owner.unit.node, ast.ClassDef):
            return self.value(_class_attribute(owner.unit.node, node.attr), owner.module)
        path = self.value(node.value, module)
        if isinstance(path, PurePosixPath) and node.attr in ("parent", "name", "stem"):
            return getattr(path, node.attr)
        raise NotConstantError("an expression that only a run can tell")

    def _of_call(self, node: ast.Call, module: Module) -> Any:
        arguments = self._items(node.args, module)
        named = {one.arg: self.value(one.value, module) for one in node.keywords if one.arg}
        plain = (str, int, PurePosixPath)
        if len(named) < len(node.keywords) or len(arguments) + len(named) > _MOST_ARGUMENTS:
            raise NotConstantError("an expression that only a run can tell")
        call = self._references.call(node, module)
        if call is not None:
            if call.function.name == "builtins.dict" and not arguments:
                return named
            function = _FUNCTIONS.get(call.function.name)
            if function and not named and all(isinstance(one, plain) for one in arguments):
                return function(*arguments)
        elif isinstance(node.func, ast.Attribute):
            owner, method = self.value(node.func.value, module), node.func.attr
            if isinstance(owner, PurePosixPath) and method in ("absolute", "resolve"):
                return owner
            if isinstance(owner, PurePosixPath) and method in _PATH_METHODS and not named:
                return getattr(owner, method)(*arguments)
            if isinstance(owner, str) and method in _TEXT_METHODS:
                return _of_text(owner, method, arguments, named)
        raise NotConstantError("an expression that only a run can tell")


def _combined(first: Any, operator: ast.operator, second: Any) -> Any:
    if isinstance(operator, ast.Add):
        return first + second
    if isinstance(operator, ast.Div) and isinstance(first, PurePosixPath):
        return first / second
    if isinstance(operator, ast.Mod) and isinstance(first, str):
        filled = second if isinstance(second, tuple) else (second,)
        # A width, such as in %9999999d, could produce a text of any length.
        if re.search(r"%[^sd%]", first) is None:
            return first % tuple(_short(one) for one in filled)
    raise NotConstantError("an operator")


def _is_bound_once(found: Defined) -> bool:
    """Whether no other code binds the names that a statement binds, or changes their values."""
    names = found.unit.names.binds
    binders = [one for name in names for one in found.module.bindings[name]]
    return all(one is found.unit for one in binders) and not any(
        names & one.touches for one in found.module.units
    )


def _assigned(unit: Unit) -> ast.expr | None:
    node = unit.node
    if isinstance(node, ast.Assign) and all(isinstance(one, ast.Name) for one in node.targets):
        return node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.value
    return None


def _class_attribute(node: ast.ClassDef, name: str) -> ast.expr:
    found = [
        one.value
        for one in node.body
        if isinstance(one, ast.Assign | ast.AnnAssign)
        for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
        if isinstance(target, ast.Name) and target.id == name
    ]
    # An Enum changes its attributes; so may any base class, decorator or metaclass.
    if len(found) != 1 or found[0] is None or node.bases or node.keywords or node.decorator_list:
        raise NotConstantError(f"{node.name}.{name}")
    return found[0]


def _of_text(text: str, method: str, arguments: list[Any], named: dict[str, Any]) -> str:
    # Only plain fields: a width could produce any length, an attribute could reach anything.
    if method == "format" and re.search(r"\{[^{}]*[:.\[!]", text.replace("{{", "")):
        raise NotConstantError("a format")
    if method == "format":
        arguments = [_short(one) for one in arguments]
        named = {name: _short(one) for name, one in named.items()}
    result: str = getattr(text, method)(*arguments, **named)
    return result


def _short(value: Any) -> Any:
    """A value that is short enough to be inserted into a text many times."""
    if not isinstance(value, str | int) or len(str(value)) > _LONGEST_FILLED:
        raise NotConstantError("a value that is no short text or number")
    return value

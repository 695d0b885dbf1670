"""Converters of a pattern's fields, told from their source: what they match, and what they refuse.

The real converter is never run. A stand-in has its pattern, and raises where the real one is known
to; that decides whether behave calls two patterns ambiguous. Where the pattern of a converter is
not known either, neither is what a pattern that uses it matches.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from parse_type import TypeBuilder

from .module_names import Names, NotConstantError, dict_items

__all__ = ["OpenTypes", "StandIn", "UnknownConverter", "UnknownConverterError", "converter_of"]

_MOST_STEPS = 1_000
_LONGEST = 10_000  # characters of a text that a stand-in works on


class UnknownConverterError(Exception):
    """What a converter matches is not known."""


class _NotKnownError(Exception):
    """Whether a converter raises is not known."""


class StandIn:
    """A converter that has the pattern of a real one, and raises where that is known to.

    Attributes:
        is_unsure: whether it was ever called where it is not known if the real one raises.
    """

    def __init__(
        self,
        pattern: str | None = None,
        convert: Callable[[str], Any] | None = None,
        group_count: int | None = None,
    ) -> None:
        self._convert = convert
        self.is_unsure = False
        # Both are looked for by `parse`, which has defaults where they are missing.
        if pattern is not None:
            self.pattern = pattern
        if group_count is not None:
            self.regex_group_count = group_count

    def __call__(self, text: str, match: Any = None) -> Any:
        try:
            if self._convert is None or not isinstance(text, str) or len(text) > _LONGEST:
                raise _NotKnownError
            return self._convert(text)
        except (_NotKnownError, RecursionError):
            self.is_unsure = True
            return text


class UnknownConverter:
    """A converter of which nothing is known: to look at its pattern is an error."""

    def __init__(self, source: str) -> None:
        self._source = source

    @property
    def pattern(self) -> str:
        raise UnknownConverterError(self._source)

    def __call__(self, text: str) -> str:
        raise UnknownConverterError(self._source)


class OpenTypes(dict[str, Any]):
    """Converters by name.

    Attributes:
        has_unknown: whether others were registered whose names are not known.
    """

    has_unknown = False


Converter = StandIn | UnknownConverter


def converter_of(node: ast.expr, names: Names) -> Converter:
    """The stand-in for the converter that an expression stands for."""
    try:
        found = _converter(node, names, 10)
    except (NotConstantError, ArithmeticError, LookupError, TypeError, ValueError, re.error):
        found = None
    except (AssertionError, AttributeError):  # of a TypeBuilder that is given something odd
        found = None
    return found or UnknownConverter(ast.unparse(node)[:100])


def _converter(node: ast.expr, names: Names, depth: int) -> Converter | None:
    external = names.external(node)
    if external is not None:
        return StandIn(convert=_KNOWN[external]) if external in _KNOWN else None
    if depth == 0:
        return None
    match names.defined(node):
        case ast.FunctionDef() as function:
            return _of_function(function, names)
        case ast.Lambda() as function:
            return StandIn(convert=_conversion(function, names))
        case ast.ClassDef() as owner:
            return StandIn(_class_pattern(owner, names))
        case ast.Call() as call:
            return _of_call(call, names, depth)
    return None


def _of_function(function: ast.FunctionDef, names: Names) -> StandIn | None:
    pattern = group_count = None
    for decorator in function.decorator_list:
        if not (
            isinstance(decorator, ast.Call) and names.external(decorator.func) in _WITH_PATTERN
        ):
            return None
        arguments = _arguments(decorator, names, _PATTERN_ARGUMENTS)
        pattern, group_count = arguments.get("pattern"), arguments.get("regex_group_count")
    if function.name in names.patterns:
        pattern = names.constant(names.patterns[function.name])
    if not isinstance(pattern, str | None):
        return None
    return StandIn(pattern, _conversion(function, names), group_count)


def _class_pattern(owner: ast.ClassDef, names: Names) -> str | None:
    """The attribute `pattern` of a class, where it has one of its own."""
    if owner.name in names.patterns:
        return str(names.constant(names.patterns[owner.name]))
    for node in owner.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(one, ast.Name) and one.id == "pattern" for one in targets):
                return str(names.constant(node.value))
    if any(names.external(base) is None for base in owner.bases):
        raise NotConstantError
    return None


def _of_call(call: ast.Call, names: Names, depth: int) -> Converter | None:
    """What a call of a `TypeBuilder`, or of `with_pattern`, makes."""
    if isinstance(call.func, ast.Call):
        return _with_pattern(call.func, call.args, names, depth)
    owner, _, method = (names.external(call.func) or "").rpartition(".")
    if owner not in _TYPE_BUILDERS or method not in _MADE_OF:
        return None
    arguments = _named_arguments(call, _MADE_OF[method])
    given = _given(method, arguments.pop(_MADE_OF[method][0]), names, depth)
    options = {name: names.constant(value) for name, value in arguments.items()}
    if given is None or not all(isinstance(one, str | bool | None) for one in options.values()):
        return None
    made = getattr(TypeBuilder, method)(given, **options)
    parts = given if isinstance(given, list) else [given]
    stand_ins = [one for one in parts if isinstance(one, StandIn)]

    def convert(text: str) -> Any:
        for one in stand_ins:
            one.is_unsure = False
        value = made(text)
        if any(one.is_unsure for one in stand_ins):
            raise _NotKnownError
        return value

    return StandIn(made.pattern, convert, getattr(made, "regex_group_count", None))


def _with_pattern(
    decorator: ast.Call, decorated: Sequence[ast.expr], names: Names, depth: int
) -> StandIn | None:
    """What `with_pattern("…")(converter)` makes."""
    if names.external(decorator.func) not in _WITH_PATTERN or len(decorated) != 1:
        return None
    inner = _converter(decorated[0], names, depth - 1)
    arguments = _arguments(decorator, names, _PATTERN_ARGUMENTS)
    convert = inner if isinstance(inner, StandIn) else None
    return StandIn(arguments["pattern"], convert, arguments.get("regex_group_count"))


def _given(method: str, node: ast.expr, names: Names, depth: int) -> Any:
    """The first argument of a method of `TypeBuilder`; None where it is not known."""
    value = names.defined(node)
    if method == "make_enum":
        if isinstance(value, ast.ClassDef):
            members = _enum_members(value, names)
            return dict.fromkeys(members) if members else None
        items = dict_items(value, names)
        return dict.fromkeys(items) if items is not None else None
    if method in ("make_choice", "make_choice2", "make_variant"):
        if not isinstance(value, ast.List | ast.Tuple):
            return None
        if method == "make_variant":
            converters = [_converter(one, names, depth - 1) for one in value.elts]
            return converters if all(isinstance(one, StandIn) for one in converters) else None
        return [str(names.constant(one)) for one in value.elts]
    converter = _converter(node, names, depth - 1)
    return converter if isinstance(converter, StandIn) else None


def _enum_members(owner: ast.ClassDef, names: Names) -> list[str]:
    """The names of the members of an Enum; none where it is another class."""
    bases = {(names.external(base) or "").removeprefix("enum.") for base in owner.bases}
    if not bases & {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}:
        return []
    targets = (
        target
        for node in owner.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and not target.id.startswith("_")
    )
    return list(dict.fromkeys(target.id for target in targets))


def _arguments(call: ast.Call, names: Names, parameters: Sequence[str]) -> dict[str, Any]:
    """The constant arguments of a call by their parameters."""
    named = _named_arguments(call, parameters)
    return {name: names.constant(value) for name, value in named.items()}


def _named_arguments(call: ast.Call, parameters: Sequence[str]) -> dict[str, ast.expr]:
    if len(call.args) > len(parameters) or any(isinstance(one, ast.Starred) for one in call.args):
        raise NotConstantError
    found = dict(zip(parameters, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg not in parameters or keyword.arg in found:
            raise NotConstantError
        found[keyword.arg] = keyword.value
    if parameters[0] not in found:
        raise NotConstantError
    return found


_WITH_PATTERN = ("parse.with_pattern", "parse_type.parse.with_pattern")
_PATTERN_ARGUMENTS = ("pattern", "regex_group_count")
_TYPE_BUILDERS = ("parse_type.TypeBuilder", "parse_type.builder.TypeBuilder")
# The methods of a TypeBuilder, with their parameters.
_CARDINALITY = ("converter", "pattern", "listsep")
_MADE_OF: Mapping[str, Sequence[str]] = {
    "make_enum": ("enum_mappings",),
    "make_choice": ("choices", "transform", "strict"),
    "make_choice2": ("choices", "transform", "strict"),
    "make_variant": ("converters", "re_opts", "compiled", "strict"),
    "make_list": ("item_converter", "listsep"),
    "with_many": _CARDINALITY,
    "with_many0": _CARDINALITY,
    "with_one_or_more": _CARDINALITY,
    "with_zero_or_more": _CARDINALITY,
    "with_optional": ("converter", "pattern"),
    "with_zero_or_one": ("converter", "pattern"),
}

# Functions of one text that are safe to call: they have no effect and take little time.
_KNOWN: Mapping[str, Callable[[str], Any]] = {
    "builtins.bool": bool,
    "builtins.float": float,
    "builtins.int": int,
    "builtins.len": len,
    "builtins.repr": repr,
    "builtins.str": str,
    "decimal.Decimal": Decimal,
}
_METHODS = frozenset(
    "capitalize casefold isalpha isdigit lower lstrip rstrip split startswith endswith strip title "
    "upper".split()
)


def _conversion(
    function: ast.FunctionDef | ast.Lambda, names: Names
) -> Callable[[str], Any] | None:
    """What a function of one text makes of it, where it only returns an expression."""
    parameters = [*function.args.posonlyargs, *function.args.args]
    if not parameters:
        return None
    if isinstance(function, ast.Lambda):
        body: ast.expr | None = function.body
    else:
        statements = [
            one
            for one in function.body
            if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        ]
        only = statements[0] if len(statements) == 1 else None
        body = only.value if isinstance(only, ast.Return) else None
    if body is None:
        return None
    name, expression = parameters[0].arg, body
    return lambda text: _Evaluator(names, name, text).value(expression)


class _Evaluator:
    """Works out an expression of one parameter; it raises what Python would raise."""

    def __init__(self, names: Names, parameter: str, text: str) -> None:
        self._names = names
        self._parameter = parameter
        self._text = text
        self._steps = 0

    def value(self, node: ast.expr) -> Any:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise _NotKnownError
        match node:
            case ast.Constant():
                return node.value
            case ast.Name(id=self._parameter):
                return self._text
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as op], comparators=[other]):
                is_equal = self.value(left) == self.value(other)
                return is_equal if isinstance(op, ast.Eq) else not is_equal
            case ast.Compare(
                left=left, ops=[ast.In()], comparators=[ast.Tuple() | ast.List() as of]
            ):
                return self.value(left) in [self.value(one) for one in of.elts]
            case ast.IfExp():
                return self.value(node.body if self.value(node.test) else node.orelse)
            case ast.Subscript(value=owner, slice=key):
                return self._items(owner)[self.value(key)]
            case ast.Call(keywords=[]):
                return self._call(node)
        raise _NotKnownError

    def _items(self, owner: ast.expr) -> Mapping[Any, Any]:
        items = dict_items(self._names.defined(owner), self._names)
        if items is None:
            raise _NotKnownError
        return dict.fromkeys(items)

    def _call(self, node: ast.Call) -> Any:
        function = _KNOWN.get(self._names.external(node.func) or "")
        if function is not None and len(node.args) == 1:
            return function(self.value(node.args[0]))
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            owner = self.value(node.func.value)
            if isinstance(owner, str):
                return getattr(owner, node.func.attr)(*map(self.value, node.args))
        raise _NotKnownError

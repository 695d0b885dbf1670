"""Formulas of a table of axes: how values are drawn, and how an outcome follows from them.

A formula is an expression in a small part of Python: numbers, texts, names, + - * / // %,
comparisons, `and`, `or`, `not`, `x if y else z`, and the functions below. It is read from its
syntax tree, bounded, and never run as Python.
"""

from __future__ import annotations

import ast
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

__all__ = ["Formula", "FormulaError", "Value", "parse_formula"]

Value = int | str
_Lookup = Callable[[str], Any]
_Node = Callable[[_Lookup, random.Random], Any]

_LONGEST = 400  # characters of a formula
_MOST_DIGITS = 9  # of a number
_LONGEST_TEXT = 300

_BINARY: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", lambda one, other: one + other),
    ast.Sub: ("-", lambda one, other: one - other),
    ast.Mult: ("*", lambda one, other: one * other),
    ast.Div: ("/", lambda one, other: Fraction(one) / other),
    ast.FloorDiv: ("//", lambda one, other: one // other),
    ast.Mod: ("%", lambda one, other: one % other),
}
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda one, other: one == other,
    ast.NotEq: lambda one, other: one != other,
    ast.Lt: lambda one, other: one < other,
    ast.LtE: lambda one, other: one <= other,
    ast.Gt: lambda one, other: one > other,
    ast.GtE: lambda one, other: one >= other,
}


class FormulaError(ValueError):
    """A formula that cannot be read or worked out; the message says why."""


@dataclass(frozen=True)
class Formula:
    """A formula that was read.

    Attributes:
        text: as it was written.
        names: that it refers to.
        numbers: that are written in it.
        texts: that are written in it.
        draws: whether it draws at random.
    """

    text: str
    names: frozenset[str]
    numbers: frozenset[int]
    texts: frozenset[str]
    draws: bool
    _node: _Node = field(repr=False, compare=False)
    _tree: ast.expr = field(repr=False, compare=False)

    def value(self, lookup: _Lookup, chance: random.Random) -> Any:
        """Its value: an int, a Fraction, a text, or a bool where it compares.

        Args:
            lookup: the value of a name.
            chance: what is drawn from.

        Raises:
            FormulaError: it cannot be worked out for these values.
        """
        try:
            return self._node(lookup, chance)
        except (ArithmeticError, TypeError, AttributeError, ValueError, IndexError) as error:
            raise FormulaError(f"{self.text!r} cannot be worked out: {error}") from error

    def with_names(self, words: Mapping[str, str]) -> str:
        """The formula with other words for its names, such as numbers or full names."""
        tree = ast.parse(self.text, mode="eval").body
        return ast.unparse(ast.fix_missing_locations(_Renamed(words).visit(tree)))


def parse_formula(text: str) -> Formula:
    """Read a formula.

    Raises:
        FormulaError: it is no formula, or too long.
    """
    if len(text) > _LONGEST:
        raise FormulaError(f"a formula of more than {_LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError(f"{text!r} is no formula") from None
    nodes = [*ast.walk(tree)]
    constants = [node.value for node in nodes if isinstance(node, ast.Constant)]
    functions = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    called = {node.id for node in nodes if id(node) in functions and isinstance(node, ast.Name)}
    try:
        node = _compiled(tree)
    except RecursionError:
        raise FormulaError(f"{text!r} is nested too deep") from None
    return Formula(
        text.strip(),
        frozenset(n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in functions),
        frozenset(value for value in constants if isinstance(value, int)),
        frozenset(value for value in constants if isinstance(value, str)),
        bool(called & _DRAWING.keys()),
        node,
        tree,
    )


def _compiled(node: ast.expr) -> _Node:
    match node:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            if len(str(number)) > _MOST_DIGITS:
                raise FormulaError(f"a number of more than {_MOST_DIGITS} digits")
            return lambda _lookup, _chance: number
        case ast.Constant(value=str() as text):
            if len(text) > _LONGEST_TEXT:
                raise FormulaError(f"a text of more than {_LONGEST_TEXT} characters")
            return lambda _lookup, _chance: text
        case ast.Name(id=name):
            return lambda lookup, _chance: lookup(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            one = _compiled(operand)
            return lambda lookup, chance: -one(lookup, chance)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            one = _compiled(operand)
            return lambda lookup, chance: not one(lookup, chance)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _binary(_BINARY[type(op)][1], _compiled(left), _compiled(right))
        case ast.BoolOp(op=op, values=values):
            parts = [_compiled(value) for value in values]
            decides = all if isinstance(op, ast.And) else any
            return lambda lookup, chance: decides(part(lookup, chance) for part in parts)
        case ast.Compare(left=left, ops=ops, comparators=rest) if {*map(type, ops)} <= {*_COMPARE}:
            sides = [_compiled(side) for side in (left, *rest)]
            return _comparison([_COMPARE[type(op)] for op in ops], sides)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            is_so, then, other = _compiled(test), _compiled(body), _compiled(orelse)
            return lambda look, chance: (then if is_so(look, chance) else other)(look, chance)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _DRAWING:
            return _drawing(_DRAWING[name], [_compiled(argument) for argument in arguments])
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _call(_FUNCTIONS[name], [_compiled(argument) for argument in arguments])
    raise FormulaError(f"{ast.unparse(node)!r} is nothing that a formula can hold")


def _binary(operation: Callable[[Any, Any], Any], left: _Node, right: _Node) -> _Node:
    def value(lookup: _Lookup, chance: random.Random) -> Any:
        one, other = left(lookup, chance), right(lookup, chance)
        if isinstance(one, str) or isinstance(other, str):
            raise TypeError("a text is no number")
        return operation(one, other)

    return value


def _comparison(operations: list[Callable[[Any, Any], bool]], sides: list[_Node]) -> _Node:
    def value(lookup: _Lookup, chance: random.Random) -> bool:
        values = [side(lookup, chance) for side in sides]
        pairs = zip(operations, values, values[1:], strict=False)
        return all(operation(one, other) for operation, one, other in pairs)

    return value


def _call(function: Callable[..., Any], arguments: list[_Node]) -> _Node:
    return lambda lookup, chance: function(*[argument(lookup, chance) for argument in arguments])


def _drawing(function: Callable[..., Any], arguments: list[_Node]) -> _Node:
    return lambda look, chance: function(
        chance, *[argument(look, chance) for argument in arguments]
    )


def _time(minutes: int) -> str:
    if not 0 <= minutes < 24 * 60:
        raise ValueError(f"{minutes} minutes after midnight is no time of the same day")
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _clock_minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _has_word(text: str, word: str) -> bool:
    return word.lower() in text.lower().split()


def _one_of(chance: random.Random, *choices: Any) -> Any:
    return chance.choice(choices)


def _between(chance: random.Random, low: int, high: int, step: int = 1) -> int:
    return chance.randrange(low, high + 1, step)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "ceil": math.ceil,
    "floor": math.floor,
    "abs": abs,
    "time": _time,  # minutes after midnight as "14:30"
    "clock_minutes": _clock_minutes,  # the other way round
    "word_count": lambda text: len(text.split()),
    "has_word": _has_word,
    "listed": lambda *texts: ", ".join(filter(None, texts)),
    "joined": lambda *texts: "".join(texts),
}
_DRAWING: Mapping[str, Callable[..., Any]] = {"one_of": _one_of, "between": _between}


class _Renamed(ast.NodeTransformer):
    """Puts other words in place of names, and double quotes around texts."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._words.get(node.id, node.id))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name(f'"{node.value}"') if isinstance(node.value, str) else node

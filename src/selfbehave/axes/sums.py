"""Sums written out in numbers, such as "30 + (5 - 2) * 8 = 54": their value, and whether they hold.

A model writes some of them, so they are evaluated from their syntax tree, bounded, and never run.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction

__all__ = ["is_right_sum", "value_of"]

Number = Fraction

_LONGEST = 120  # characters of a sum
_MOST_DIGITS = 12  # of a number: products of those that fit stay small
_BINARY: Mapping[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda one, other: Fraction(one // other),
    ast.Mod: operator.mod,
}
_FUNCTIONS: Mapping[str, Callable[..., Number]] = {
    "min": min,
    "max": max,
    "ceil": lambda one: Fraction(math.ceil(one)),
    "floor": lambda one: Fraction(math.floor(one)),
}
_COMPUTES = re.compile(r"[-+*/%,]")


def value_of(expression: str) -> Fraction | None:
    """The exact value of arithmetic with + - * / // %, min, max, ceil and floor; else None."""
    if len(expression) > _LONGEST:
        return None
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError):
        return None


def is_right_sum(line: str, outcome: str) -> bool:
    """Whether a line is a sum that holds and ends in an outcome.

    Where the outcome is a text, only the line's end is compared: no arithmetic gives it.

    Args:
        line: such as "30 + (5 - 2) * 8 = 54".
        outcome: what Then states, without quotes: "54" or "accepted".
    """
    expression, _, result = line.rpartition(" = ")
    if not expression or result.strip().strip('"') != outcome:
        return False
    wanted = value_of(outcome)
    if wanted is None:
        return True
    return value_of(expression) == wanted and _COMPUTES.search(expression) is not None


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            if len(str(number)) > _MOST_DIGITS:
                raise ValueError("a number too long")
            return Fraction(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left), _value(right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*map(_value, arguments))
    raise ValueError("not arithmetic")

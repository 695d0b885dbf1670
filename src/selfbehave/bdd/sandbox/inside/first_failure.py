"""Collect facts about a failure: its place in the pair's code, and what its assert compared.

An assert does not keep what it compared. So its sides are evaluated again while the failing frame
still exists. That may run code of the pair a second time, but only after the failure that decides
the verdict.
"""

from __future__ import annotations

import ast
import builtins
import operator
import reprlib
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from types import FrameType, TracebackType
from typing import Any, NoReturn

__all__ = ["failure_of"]

_CODE = "/features/steps/steps.py"  # the end of the file name of the pair's code
_MOST_FRAMES = 8
_MOST_OPERANDS = 4
_MOST_CHARACTERS = 300
_MOST_SECONDS = 0.5

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = _MOST_CHARACTERS
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = _REPR.maxset = _REPR.maxdeque = 20

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}


def failure_of(error: BaseException, traceback: TracebackType | None, code: str) -> dict[str, Any]:
    """The facts about a failure, each cut to a few hundred characters.

    Args:
        code: the pair's code.

    Returns:
        `exception`, the name of its type; `message`; `frames`: line, function and source line of
        the calls in the pair's code, the failing one last; `operands`: source and value of the
        sides of its assert.
    """
    lines = code.encode().split(b"\n")
    entries = list(_entries(traceback))
    own = [one for one in entries if one.tb_frame.f_code.co_filename.endswith(_CODE)]
    operands: list[tuple[str, str]] = []
    if isinstance(error, AssertionError) and own and own[-1] is entries[-1]:
        with suppress(_TooLongError), _time_limit(_MOST_SECONDS):
            for operand in islice(_operands(own[-1], lines), _MOST_OPERANDS):
                operands.append(operand)
    return {
        "exception": type(error).__name__,
        "message": str(error)[:_MOST_CHARACTERS],
        "frames": [_frame(entry, lines) for entry in own[-_MOST_FRAMES:]],
        "operands": operands,
    }


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _frame(entry: TracebackType, lines: list[bytes]) -> tuple[int, str, str]:
    line = entry.tb_lineno
    source = lines[line - 1].decode().strip() if 0 < line <= len(lines) else ""
    return line, entry.tb_frame.f_code.co_name, source[:_MOST_CHARACTERS]


def _operands(entry: TracebackType, lines: list[bytes]) -> Iterator[tuple[str, str]]:
    """Source and value of each side of a failed assert, excluding constants."""
    asserted = _asserted(_source(entry, lines))
    if asserted is None:
        return
    compares = [node for node in ast.walk(asserted) if isinstance(node, ast.Compare)]
    sides = [side for one in compares for side in (one.left, *one.comparators)] or [asserted]
    for side in sides:
        # If the pair's code raises anything here, this side has no value to show.
        with suppress(Exception):
            if not isinstance(side, ast.Constant):
                value = _REPR.repr(_value(side, entry.tb_frame))
                yield ast.unparse(side)[:_MOST_CHARACTERS], value[:_MOST_CHARACTERS]


def _source(entry: TracebackType, lines: list[bytes]) -> str:
    """The source of what a frame was evaluating; may be empty."""
    positions = entry.tb_frame.f_code.co_positions()
    line, end_line, start, end = next(islice(positions, entry.tb_lasti // 2, None), (None,) * 4)
    if line is None or end_line is None or start is None or end is None:
        return ""
    part = lines[line - 1 : end_line]
    part[-1:] = [last[:end] for last in part[-1:]]
    part[:1] = [first[start:] for first in part[:1]]
    return b"\n".join(part).decode("utf-8", "replace")


def _asserted(source: str) -> ast.expr | None:
    """The expression of an assert; Python gives the position of it or of the whole statement."""
    with suppress(SyntaxError):
        return ast.parse(f"({source}\n)", mode="eval").body
    with suppress(SyntaxError):
        match ast.parse(source).body:
            case [ast.Assert(test=test)]:
                return test
    return None


def _value(node: ast.AST, frame: FrameType) -> Any:
    """The value of an expression in a frame, if it is of a kind that is common in asserts.

    Raises:
        Exception: the pair's code raises it, or the expression is of another kind.
    """

    def of(part: ast.AST) -> Any:
        return _value(part, frame)

    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return {**vars(builtins), **frame.f_globals, **frame.f_locals}[name]
        case ast.Attribute(value=owner, attr=name):
            return getattr(of(owner), name)
        case ast.Subscript(value=owner, slice=key):
            return of(owner)[of(key)]
        case ast.Call(func=function, args=arguments, keywords=keywords):
            named = {one.arg: of(one.value) for one in keywords if one.arg is not None}
            return of(function)(*map(of, arguments), **named)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](of(left), of(right))
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATORS[type(op)](of(operand))
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            values = [of(part) for part in parts]
            return values if isinstance(node, ast.List) else tuple(values)
        case ast.Dict(keys=keys, values=parts):
            return {of(key): of(part) for key, part in zip(keys, parts, strict=True) if key}
    raise NotImplementedError(type(node).__name__)


class _TooLongError(BaseException):
    """Raised by a timer; the pair's code does not expect it among its exceptions."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise an error if the body takes too long. If the pair has set a timer, skip the body."""

    def stop(*_: object) -> NoReturn:
        raise _TooLongError

    if signal.getitimer(signal.ITIMER_REAL) != (0.0, 0.0):
        raise _TooLongError
    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds / 10)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

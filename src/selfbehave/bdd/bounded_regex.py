"""Match regular expressions with the meaning of Python's `re`, in bounded time.

`re` defines which expressions are valid and what they match, but it can run forever and cannot be
stopped. It is therefore used only if the number of ways that it might try is small. The `regex`
package matches all other expressions. It accepts a time limit, but reads some expressions
differently (POSIX classes, fuzzy matching). So it gets an expression that is rewritten from `re`'s
parse tree, in syntax that both read the same way.
"""

from __future__ import annotations

import re
import time
from math import comb
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import regex

from .quiet import without_warnings

__all__ = ["MATCH_SECONDS", "BoundedRegex", "Budget", "TookTooLongError", "as_timed"]

MATCH_SECONDS = 0.2  # the maximum for one expression on one text
MODULE_SECONDS = 2.0  # the maximum for all patterns of a module together
_MOST_STEPS = 8_000_000  # the maximum for `re` on one text: about 0.2 s


class TookTooLongError(Exception):
    """Matching an expression took too long to find out the result."""


class Budget:
    """The time that the patterns of one module have left, in seconds."""

    def __init__(self, seconds: float = MODULE_SECONDS) -> None:
        self.seconds = self._whole = seconds

    def renew(self) -> None:
        """Restore the full time."""
        self.seconds = self._whole


class BoundedRegex:
    """A compiled expression, matched at the beginning of a text.

    Raises:
        re.error, OverflowError, RecursionError: `re` refuses it.
    """

    def __init__(self, expression: str, flags: int = 0) -> None:
        with without_warnings():
            self._compiled = re.compile(expression, flags)
            self._tree = parser.parse(expression, flags)
        self._size = len(expression)
        self._quick: dict[int, bool] = {}
        self._timed: regex.Pattern[str] | None = None

    def matches(self, text: str, budget: Budget) -> bool:
        """Whether it matches.

        Raises:
            TookTooLongError: it would exceed `MATCH_SECONDS` or the remaining budget.
        """
        if budget.seconds <= 0:
            raise TookTooLongError
        started = time.monotonic()
        try:
            if self.is_quick_on(text):
                return self._compiled.match(text) is not None
            if self._timed is None:
                self._timed = regex.compile(as_timed(self._tree), regex.VERSION0)
            return self._timed.match(text, timeout=MATCH_SECONDS) is not None
        except TimeoutError as error:
            raise TookTooLongError from error
        finally:
            budget.seconds -= time.monotonic() - started

    def is_quick_on(self, text: str) -> bool:
        """Whether `re` needs only a few steps for any text of this length."""
        length = 1 << len(text).bit_length()  # similar lengths share one count
        known = self._quick.get(length)
        if known is None:
            known = _ways(self._tree, length) * (length + self._size) <= _MOST_STEPS
            self._quick[length] = known
        return known


def as_timed(tree: Any) -> str:
    """Write an expression for the `regex` package from `re`'s parse tree."""
    return _sequence(tree, tree.state.flags)


# ---- Count the ways to match


def _ways(items: Any, length: int) -> int:
    """At most how many ways `re` may try on a text of a length; not counted beyond the most."""
    ways, free = 1, 0
    for op, value in items:
        while op is ops.SUBPATTERN and len(value[3]) == 1:
            op, value = value[3][0]
        if op in _REPEATS and _is_free(value, length):
            free += 1
        else:
            ways *= _ways_of(op, value, length)
        if ways > _MOST_STEPS:
            break
    # Where one repeat ends, the next begins: this is how many ways there are to share the text.
    return min(ways * comb(length + free, free), _MOST_STEPS + 1)


def _is_free(repeat: Any, length: int) -> bool:
    """Whether a repeat takes any length of a text, and each length in one way only."""
    _, most, inner = repeat
    narrowest, _ = inner.getwidth()
    return narrowest > 0 and most >= length and _ways(inner, length) == 1


def _ways_of(op: Any, value: Any, length: int) -> int:
    if op in _REPEATS:
        fewest, most, inner = value
        return _ways_of_repeat(fewest, most, inner, length)
    if op is ops.BRANCH:
        return sum(_ways(alternative, length) for alternative in value[1])
    if op is ops.GROUPREF_EXISTS:
        _, yes, no = value
        return _ways(yes, length) + (_ways(no, length) if no else 1)
    inner = _inner(op, value)
    return 1 if inner is None else _ways(inner, length)


def _ways_of_repeat(fewest: int, most: int, inner: Any, length: int) -> int:
    narrowest, _ = inner.getwidth()
    most = min(most, length // max(1, narrowest) + 1)
    stops = max(1, most - fewest + 1)
    ways = _ways(inner, length)
    if ways == 1 or most == 0:
        return stops
    # Each repetition has its own choices; 2 to the power of 22 is beyond the cap.
    return int(min(stops * ways ** min(most, 22), _MOST_STEPS + 1))


def _inner(op: Any, value: Any) -> Any:
    """The items of a group or an assertion; None if there are none."""
    if op is ops.SUBPATTERN:
        return value[3]
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        return value[1]
    return value if op is ops.ATOMIC_GROUP else None


# ---- Write the expression for `regex`

_REPEATS = {ops.MAX_REPEAT: "", ops.MIN_REPEAT: "?", ops.POSSESSIVE_REPEAT: "+"}
_ANYTHING = "(?s:.)"
_WORD, _ASCII_WORD = r"\p{L}\p{N}_", "A-Za-z0-9_"
_CLASSES = {
    ops.CATEGORY_DIGIT: (r"\p{Nd}", "0-9"),
    ops.CATEGORY_SPACE: (r"\s\x1c-\x1f", r"\x09-\x0d\x20"),
    ops.CATEGORY_WORD: (_WORD, _ASCII_WORD),
}
_OPPOSITES = {
    ops.CATEGORY_NOT_DIGIT: ops.CATEGORY_DIGIT,
    ops.CATEGORY_NOT_SPACE: ops.CATEGORY_SPACE,
    ops.CATEGORY_NOT_WORD: ops.CATEGORY_WORD,
}


def _sequence(items: Any, flags: int) -> str:
    return "".join(_written(op, value, flags) for op, value in items)


def _written(op: Any, value: Any, flags: int) -> str:
    if op in _REPEATS:
        fewest, most, inner = value
        end = "" if most is ops.MAXREPEAT else most
        return f"(?:{_sequence(inner, flags)}){{{fewest},{end}}}{_REPEATS[op]}"
    if op is ops.BRANCH:
        return f"(?:{'|'.join(_sequence(one, flags) for one in value[1])})"
    if op is ops.SUBPATTERN:
        group, added, taken, inner = value
        text = _sequence(inner, (flags | added) & ~taken)
        return f"(?:{text})" if group is None else f"({text})"
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        direction, inner = value
        sign = "=" if op is ops.ASSERT else "!"
        return f"(?{'<' if direction < 0 else ''}{sign}{_sequence(inner, flags)})"
    if op is ops.ATOMIC_GROUP:
        return f"(?>{_sequence(value, flags)})"
    if op is ops.GROUPREF_EXISTS:
        group, yes, no = value
        return f"(?({group}){_sequence(yes, flags)}|{_sequence(no, flags) if no else ''})"
    if op is ops.AT:
        return _place(value, flags)
    if op is ops.ANY:
        return _ANYTHING if flags & re.DOTALL else r"[^\n]"
    if op is ops.FAILURE:
        return "(?!)"
    if op is ops.GROUPREF:
        return _with_case(f"(?:\\{value})", flags)
    if op is ops.LITERAL:
        return _with_case(_escaped(value), flags)
    if op is ops.NOT_LITERAL:
        return _with_case(f"[^{_escaped(value)}]", flags)
    if op is not ops.IN:
        raise NotImplementedError(f"{op} of a regular expression")
    return _set(value, flags)


def _with_case(text: str, flags: int) -> str:
    return f"(?i:{text})" if flags & re.IGNORECASE else text


def _escaped(code: int) -> str:
    return f"\\U{code:08x}"


def _set(items: Any, flags: int) -> str:
    is_negated, characters, classes, alternatives = False, "", "", []
    for op, value in items:
        if op is ops.NEGATE:
            is_negated = True
        elif op is ops.LITERAL:
            characters += _escaped(value)
        elif op is ops.RANGE:
            first, last = value
            characters += f"{_escaped(first)}-{_escaped(last)}"
        elif value in _CLASSES:
            classes += _class(value, flags)
        else:
            alternatives.append(f"(?![{_class(_OPPOSITES[value], flags)}]){_ANYTHING}")
    if characters:
        alternatives.append(_with_case(f"[{characters}]", flags))
    if classes:
        alternatives.append(f"[{classes}]")
    text = f"(?:{'|'.join(alternatives)})"
    return f"(?:(?!{text}){_ANYTHING})" if is_negated else text


def _class(category: Any, flags: int) -> str:
    in_unicode, in_ascii = _CLASSES[category]
    return in_ascii if flags & re.ASCII else in_unicode


def _place(value: Any, flags: int) -> str:
    word = f"[{_ASCII_WORD if flags & re.ASCII else _WORD}]"
    if value in (ops.AT_BOUNDARY, ops.AT_NON_BOUNDARY):
        before, behind = ("!", "=") if value is ops.AT_BOUNDARY else ("=", "!")
        return f"(?:(?<={word})(?{before}{word})|(?<!{word})(?{behind}{word}))"
    lines = bool(flags & re.MULTILINE)
    return {
        ops.AT_BEGINNING: r"(?:(?<=\n)|\A)" if lines else r"\A",
        ops.AT_BEGINNING_STRING: r"\A",
        ops.AT_END: r"(?=\n|\Z)" if lines else r"(?=\n?\Z)",
        ops.AT_END_STRING: r"\Z",
    }[value]

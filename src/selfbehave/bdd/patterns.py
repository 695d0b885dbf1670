"""Match step patterns as behave's matchers do, in bounded time for every pattern.

Most patterns are literals and plain fields. They are matched here by tracking the positions they
can reach, without compiling a regular expression. This makes it possible to read thousands of
modules a second. All other patterns become a regular expression, see `bounded_regex`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

import parse
from cucumber_expressions.expression import CucumberExpression
from cucumber_expressions.parameter_type_registry import ParameterTypeRegistry
from parse_type import cfparse

from .bounded_regex import MATCH_SECONDS, BoundedRegex, Budget, TookTooLongError
from .converters import OpenTypes, StandIn, UnknownConverterError

__all__ = [
    "CUCUMBER",
    "MATCHERS",
    "MATCH_SECONDS",
    "MAX_PATTERN_CHARACTERS",
    "BadPatternError",
    "Budget",
    "Matches",
    "StepPattern",
    "TookTooLongError",
    "UnknownConverterError",
    "make_matcher",
]

MATCHERS = ("parse", "cfparse", "re", "re0")
CUCUMBER = "cucumber_expressions"  # also a matcher once behave's module of that name is imported
MAX_PATTERN_CHARACTERS = 1_000

Matches = Callable[[str], bool]

# The approximate time to check one position of a text, estimated rather than measured so that
# results for plain patterns do not depend on the machine.
_POSITION_SECONDS = 1e-7
_LETTERS_A_POSITION = 50  # that a type's expression reads in that time

# A field of a name and a built-in type without width or alignment, as `parse` reads it.
_PLAIN_FIELD = re.compile(r"\{(?P<name>[\w-]*)(?::(?P<type>[dwWfgenlxbosSD]))?\}")

_REFUSALS = (re.error, OverflowError, RecursionError, MemoryError)  # on a bad expression


class BadPatternError(ValueError):
    """A pattern that behave refuses, or reports as a bad step definition."""


class StepPattern:
    """A pattern of a step function.

    Args:
        text: the pattern as behave keeps it.
        find: returns whether a text matches.
        take: returns whether a text matches and can be converted; None if unknown. Only for
            patterns whose fields have converters.
    """

    def __init__(
        self, text: str, find: Matches, take: Callable[[str], bool | None] | None = None
    ) -> None:
        self.text = text
        self.find = find
        self._take = take

    def __call__(self, text: str) -> bool:
        """Whether it binds a step with this text; False if that takes too long to find out."""
        try:
            return self.find(text)
        except TookTooLongError:
            return False

    def takes(self, text: str) -> bool | None:
        """Whether a text matches and its parts can be converted, which makes it ambiguous.

        Raises:
            TookTooLongError: finding out would take too long.
        """
        if text == self.text:
            return True
        if not self.find(text):
            return False
        return True if self._take is None else self._take(text)


def make_matcher(
    matcher: str, pattern: str, types: MutableMapping[str, Any], budget: Budget
) -> StepPattern:
    """Make a matcher for a pattern.

    Args:
        matcher: one of `MATCHERS` or `CUCUMBER`, by behave's names.
        types: converters by their registered names. As in behave, a pattern with cardinality adds
            the types that it derives from them.

    Raises:
        BadPatternError: behave would refuse the pattern.
        UnknownConverterError: what the pattern matches depends on an unknown converter.
    """
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise BadPatternError(f"longer than {MAX_PATTERN_CHARACTERS} characters")
    if matcher in ("parse", "cfparse"):
        parts = _plain_parts(pattern, types)
        match parts:
            case [str(words)]:  # no fields, as in most patterns
                return StepPattern(pattern, lambda text: text == words)
        if parts is not None:
            return StepPattern(pattern, lambda text: _reaches_the_end(parts, text, budget))
        return _with_fields(matcher, pattern, types, budget)
    if matcher == CUCUMBER:
        return _expression(pattern, _cucumber_expression(pattern), budget)
    if matcher == "re":
        if pattern.startswith("^") or pattern.endswith("$"):
            raise BadPatternError("a pattern of the re matcher has no ^ or $ of its own")
        pattern = f"^{pattern}$"
    return _expression(pattern, pattern, budget)


def _expression(pattern: str, expression: str, budget: Budget) -> StepPattern:
    compiled = _compiled(expression, 0)
    return StepPattern(pattern, lambda text: compiled.matches(text, budget))


def _compiled(expression: str, flags: int) -> BoundedRegex:
    try:
        return BoundedRegex(expression, flags)
    except _REFUSALS as error:
        raise BadPatternError(str(error) or type(error).__name__) from error


def _cucumber_expression(pattern: str) -> str:
    try:
        return str(CucumberExpression(pattern, _parameter_types()).regexp)
    except Exception as error:
        raise BadPatternError(" ".join(str(error).split())[:200]) from error


@lru_cache
def _parameter_types() -> ParameterTypeRegistry:
    return ParameterTypeRegistry()


def _with_fields(
    matcher: str, pattern: str, types: MutableMapping[str, Any], budget: Budget
) -> StepPattern:
    """A pattern for `parse` with any kind of fields."""
    parser_class = parse.Parser if matcher == "parse" else cfparse.Parser
    try:
        parser = parser_class(pattern, extra_types=types, case_sensitive=True)
    except _NOT_PARSED as error:
        if isinstance(types, OpenTypes) and types.has_unknown and _names_a_type(pattern):
            raise UnknownConverterError("a type that is registered by **") from error
        raise BadPatternError(str(error)) from error
    compiled = _compiled(rf"\A{parser._expression}\Z", re.DOTALL)
    if not parser._type_conversions:
        return StepPattern(pattern, lambda text: compiled.matches(text, budget))
    stand_ins = [one for one in types.values() if isinstance(one, StandIn)]

    def take(text: str) -> bool | None:
        if not compiled.is_quick_on(text):
            return None
        for one in stand_ins:
            one.is_unsure = False
        try:
            parser.parse(text)
        except UnknownConverterError:
            return None
        except Exception:  # noqa: BLE001 (whatever a converter raises, behave takes it for no match)
            return False
        return None if any(one.is_unsure for one in stand_ins) else True

    found = StepPattern(pattern, lambda text: compiled.matches(text, budget), take)
    # Behave tries each pattern on an empty text; if a converter fails on it, the pattern is bad.
    match take("") if compiled.matches("", budget) else True:
        case False:
            raise BadPatternError("a converter fails on an empty text")
        case None:
            raise UnknownConverterError("a converter of an empty text")
    return found


_NOT_PARSED = (ValueError, NotImplementedError, KeyError, IndexError, TypeError, AssertionError)


def _names_a_type(pattern: str) -> bool:
    return re.search(r"\{[^{}]*:[^{}]+\}", pattern) is not None


# A literal, any non-empty text (None), or text that an expression fully matches.
_Part = str | None | re.Pattern[str]


def _plain_parts(pattern: str, types: Mapping[str, Any]) -> list[_Part] | None:
    """A pattern as literals and plain fields; None if it has any other kind of field."""
    parts: list[_Part] = []
    names: set[str] = set()
    for piece in parse.PARSE_RE.split(pattern):
        if not piece:
            continue
        if piece in ("{{", "}}"):
            parts.append(piece[0])
        elif piece[0] == "{" and piece[-1] == "}":
            field = _PLAIN_FIELD.fullmatch(piece)
            if field is None or field["name"] in names or field["type"] in types:
                return None
            if field["name"][:1].isalpha() and not field["name"].replace("-", "_").isidentifier():
                return None  # such as "x²", which is not a valid group name in a regular expression
            if field["name"]:
                names.add(field["name"])
            parts.append(_type_expression(field["type"]) if field["type"] else None)
        else:
            parts.append(piece)
    return parts


@lru_cache
def _type_expression(name: str) -> re.Pattern[str]:
    return re.compile(parse.Parser(f"{{:{name}}}", case_sensitive=True)._expression, re.DOTALL)


def _reaches_the_end(parts: list[_Part], text: str, budget: Budget) -> bool:
    """Whether the parts, in order, can match the whole text.

    Raises:
        TookTooLongError: that would exceed the limit for one match, or the remaining budget.
    """
    most = min(MATCH_SECONDS, budget.seconds) / _POSITION_SECONDS
    looked_at = 0
    positions = {0}  # where a part can begin
    end = len(text)
    for place, part in enumerate(parts):
        if isinstance(part, str):
            looked_at += len(positions)
            positions = {at + len(part) for at in positions if text.startswith(part, at)}
        else:
            following = parts[place + 1] if place + 1 < len(parts) else ""
            ends = range(min(positions) + 1, end + 1)
            looked_at += len(ends)
            if isinstance(following, str) and following:
                ends_there = {at for at in ends if text.startswith(following, at)}
            else:
                ends_there = set(ends) if place + 1 < len(parts) else {end} & set(ends)
            if part is None:
                positions = ends_there
            else:
                longest = 1 + len(ends) // _LETTERS_A_POSITION
                looked_at += len(positions) * len(ends_there) * longest
                if looked_at <= most:
                    positions = {
                        to
                        for to in ends_there
                        if any(at < to and part.fullmatch(text, at, to) for at in positions)
                    }
        if looked_at > most:
            budget.seconds -= most * _POSITION_SECONDS
            raise TookTooLongError
        if not positions:
            break
    budget.seconds -= looked_at * _POSITION_SECONDS
    return end in positions

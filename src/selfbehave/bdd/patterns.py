"""Step patterns, matched as behave's matchers match them, in bounded time whatever the pattern.

Most patterns are literals and plain fields. Those are matched here by the positions they can reach,
without compiling a regular expression: that is what makes thousands of modules a second readable.
All others are left to the `regex` package, under a time limit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import parse
import regex
from parse_type import cfparse

__all__ = ["MATCHERS", "BadPatternError", "Budget", "Matches", "make_matcher"]

MATCHERS = ("parse", "cfparse", "re", "re0")
MAX_PATTERN_CHARACTERS = 1_000
MATCH_SECONDS = 0.2  # the longest one pattern may work on one step
MODULE_SECONDS = 2.0  # the longest all patterns of a module may work in all

Matches = Callable[[str], bool]

# What looking at one position of a text takes, about. Estimated rather than measured, what plain
# patterns match does not depend on the machine.
_POSITION_SECONDS = 1e-7
_LETTERS_A_POSITION = 50  # that a type's expression reads in that time

# A field of a name and a built-in type without width or alignment, as `parse` reads it.
_PLAIN_FIELD = re.compile(r"\{(?P<name>[\w-]*)(?::(?P<type>[dwWfgenlxbosSD]))?\}")


class BadPatternError(ValueError):
    """A pattern that behave refuses, or reports as a bad step definition."""


class Budget:
    """The time that the patterns of one module may still take, in seconds."""

    def __init__(self, seconds: float = MODULE_SECONDS) -> None:
        self.seconds = seconds


def make_matcher(matcher: str, pattern: str, types: Mapping[str, Any], budget: Budget) -> Matches:
    """What tells whether a step's text matches a pattern.

    Args:
        matcher: one of `MATCHERS`, by behave's names.
        types: converters by the names they were registered under.

    Raises:
        BadPatternError: behave would not take the pattern.
    """
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise BadPatternError(f"longer than {MAX_PATTERN_CHARACTERS} characters")
    if matcher in ("parse", "cfparse"):
        parts = _plain_parts(pattern, types)
        match parts:
            case [str(words)]:  # without a field, as most patterns
                return lambda text: text == words
        if parts is not None:
            return lambda text: _reaches_the_end(parts, text, budget)
        return _expression_matcher(_parse_expression(matcher, pattern, types), regex.DOTALL, budget)
    if matcher == "re":
        if pattern.startswith("^") or pattern.endswith("$"):
            raise BadPatternError("a pattern of the re matcher has no ^ or $ of its own")
        pattern = f"^{pattern}$"
    return _expression_matcher(pattern, 0, budget)


def _parse_expression(matcher: str, pattern: str, types: Mapping[str, Any]) -> str:
    parser_class = parse.Parser if matcher == "parse" else cfparse.Parser
    try:
        parser = parser_class(pattern, extra_types=dict(types), case_sensitive=True)
    except (ValueError, NotImplementedError, KeyError, IndexError, TypeError) as error:
        raise BadPatternError(str(error)) from error
    return rf"\A{parser._expression}\Z"


def _expression_matcher(expression: str, flags: int, budget: Budget) -> Matches:
    try:
        # The `regex` package reads what `re` reads and, unlike it, can be given a time limit.
        compiled = regex.compile(expression, flags)
    except regex.error as error:
        raise BadPatternError(str(error)) from error

    def matches(text: str) -> bool:
        if budget.seconds <= 0:
            return False
        started = time.monotonic()
        try:
            return compiled.match(text, timeout=MATCH_SECONDS) is not None
        except TimeoutError:
            return False
        finally:
            budget.seconds -= time.monotonic() - started

    return matches


# A literal, any text of a character or more (None), or text that an expression matches whole.
_Part = str | None | re.Pattern[str]


def _plain_parts(pattern: str, types: Mapping[str, Any]) -> list[_Part] | None:
    """A pattern as literals and plain fields; None where it has any other kind of field."""
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
    """Whether the parts, one after the other, can make up the whole text.

    Not where finding that out would take longer than one match may, or than the budget has left.
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
            positions = set()
        if not positions:
            break
    budget.seconds -= min(looked_at, most) * _POSITION_SECONDS
    return end in positions

"""Read the patterns of pytest-bdd's steps, and translate them to behave's.

In pytest-bdd the parsers `parse` and `cfparse` ignore case, but in behave they never do. Such a
pattern is changed to the case of the step that it matches.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Formatter

import parse
from parse_type import cfparse

from ...bdd.bounded_regex import BoundedRegex, Budget, TookTooLongError
from ...bdd.converters import UnknownConverterError
from ...bdd.patterns import MAX_PATTERN_CHARACTERS, BadPatternError, make_matcher
from .constants import NotConstantError, constant, constant_text, written_items
from .converters import stand_in
from .left_out import CannotImportError, Why
from .references import Argument, Call, External, References

__all__ = ["NotReadError", "PytestPattern", "read_pattern"]

_PARSERS = {"parse": "parse", "cfparse": "cfparse", "re": "re", "string": "string"}
_FLAGS = {
    "A": "a", "ASCII": "a", "I": "i", "IGNORECASE": "i", "M": "m", "MULTILINE": "m",
    "S": "s", "DOTALL": "s", "X": "x", "VERBOSE": "x",
}  # fmt: skip
# The errors that pattern parsers raise for an invalid pattern.
_REFUSALS = (
    BadPatternError, LookupError, NotConstantError, OverflowError, RecursionError, ValueError,
    re.error,
)  # fmt: skip
_INLINE_FLAGS = re.compile(r"\(\?(?P<letters>[aimsx]+)\)")
_Match = re.Match[str] | None


class NotReadError(Exception):
    """A decorator whose pattern cannot be read."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, eq=False)
class PytestPattern:
    """A pattern.

    Attributes:
        written: the pattern for behave, in its original case.
        matcher: the behave matcher with which it matches the same steps.
        arguments: the names of the arguments that it extracts.
        types: converters of the fields' types, by the types' names.
        fault: why behave would extract other values; None if it extracts the same.
    """

    written: str
    matcher: str
    arguments: tuple[str, ...]
    types: Mapping[str, Argument]
    fault: str | None
    _matches: Callable[[str], bool]
    _is_exact: Callable[[str, str], bool]
    _spans: Callable[[str], _Match]

    def matches(self, text: str) -> bool:
        """Whether it matches a step in pytest-bdd; False if that takes too long to find out."""
        try:
            return self._matches(text)
        except TookTooLongError:
            return False

    def for_step(self, text: str) -> str:
        """The pattern in the case of a step that it matches.

        Raises:
            CannotImportError: behave cannot match that step with it.
        """
        if self._is_exact(self.written, text):
            return self.written
        found = self._spans(text)
        recased = _recased(self.written, text, found) if found is not None else None
        if recased is None or not self._is_exact(recased, text):
            raise CannotImportError(
                "not_translated", f"{self.written!r} matches '{text}' only without regard to case"
            )
        return recased


def read_pattern(
    argument: Argument | None, references: References, budget: Budget
) -> PytestPattern:
    """Read the first argument of a step decorator: a text, or a parser with a text.

    Raises:
        NotReadError: it is neither, or we cannot tell without running code.
    """
    if argument is None:
        raise NotReadError(Why.PATTERN)
    call = references.call(argument.node, argument.module)
    if call is None or call.function.package != "pytest_bdd":
        text = constant_text(argument, references)
        if text is None:
            is_parser = isinstance(argument.node, ast.Call)
            raise NotReadError(Why.PARSER if is_parser else Why.PATTERN)
        return _exact_text(text, budget)
    parser = _PARSERS.get(call.function.last)
    text = constant_text(call.argument(0, "name"), references)
    if parser is None:
        raise NotReadError(Why.PARSER)
    if text is None or call.is_open:
        raise NotReadError(Why.PATTERN)
    try:
        if parser == "string":
            return _exact_text(text, budget)
        if parser == "re":
            return _expression(text, call, references, budget)
        return _fields(parser, text, call, references, budget)
    except UnknownConverterError as error:
        raise NotReadError(Why.CONVERTER) from error
    except _REFUSALS as error:
        raise NotReadError(Why.PATTERN) from error


def _exact_text(text: str, budget: Budget) -> PytestPattern:
    """A pattern that equals the step's text."""
    pattern = text.replace("{", "{{").replace("}", "}}")
    return PytestPattern(
        pattern, "parse", (), {}, None,
        lambda step: step == text, lambda _, step: step == text, lambda _: None,
    )  # fmt: skip


def _fields(
    matcher: str, text: str, call: Call, references: References, budget: Budget
) -> PytestPattern:
    """A pattern with fields in braces, for `parse` or `cfparse`."""
    given = call.argument(1, "extra_types")
    types = written_items(given, references) if given is not None else {}
    if types is None:
        raise NotReadError(Why.PATTERN)
    stand_ins = {name: stand_in(one, references) for name, one in types.items()}
    sensitive = call.argument(2, "case_sensitive")
    is_sensitive = sensitive is not None and bool(constant(sensitive, references))
    fields = [field for _, field, _, _ in Formatter().parse(text) if field is not None]
    is_named = all(field.isidentifier() for field in fields)

    def is_exact(pattern: str, step: str) -> bool:
        return make_matcher(matcher, pattern, stand_ins, budget)(step)

    is_exact(text, "")  # raises an error if behave refuses the pattern
    parser = parse.Parser if matcher == "parse" else cfparse.Parser
    expression = parser(text, extra_types=dict(stand_ins), case_sensitive=is_sensitive)._expression
    flags = re.DOTALL if is_sensitive else re.DOTALL | re.IGNORECASE
    whole = rf"\A(?:{expression})\Z"
    compiled = BoundedRegex(whole, flags)

    def spans(step: str) -> _Match:
        return re.match(whole, step, flags) if compiled.is_quick_on(step) else None

    return PytestPattern(
        text,
        matcher,
        tuple(dict.fromkeys(fields)) if is_named else (),
        types,
        None if is_named else "has a pattern with a field without a name",
        lambda step: compiled.matches(step, budget),
        is_exact,
        spans,
    )


def _expression(text: str, call: Call, references: References, budget: Budget) -> PytestPattern:
    """A regular expression, for `re`."""
    if len(text) > MAX_PATTERN_CHARACTERS:
        raise NotReadError(Why.PATTERN)
    flags = call.argument(1, "flags")
    letters = _flag_letters(flags, references) if flags is not None else ""
    # Behave puts text before the pattern, where flags for the whole pattern are not allowed.
    while inline := _INLINE_FLAGS.match(text):
        letters, text = letters + inline["letters"], text[inline.end() :]
    # Both match the whole step; behave adds ^ and $ itself, and accepts none.
    pattern = text.removeprefix("^")
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1]
    names = tuple(re.compile(text).groupindex)
    if re.compile(pattern).groups > len(names):
        # Behave passes unnamed groups as arguments too; pytest-bdd does not.
        unnamed = _without_unnamed_groups(pattern)
        fault = None if unnamed else "has a pattern with a group without a name"
        pattern = unnamed or pattern
    else:
        fault = None
    if letters:
        pattern = f"(?{''.join(sorted(set(letters)))}:{pattern})"
    elif "|" in pattern:
        pattern = f"(?:{pattern})"
    matches = make_matcher("re", pattern, {}, budget)
    return PytestPattern(
        pattern, "re", names, {}, fault,
        matches, lambda _, step: matches(step), lambda _: None,
    )  # fmt: skip


def _recased(pattern: str, step: str, found: re.Match[str]) -> str | None:
    """A pattern with its words in the case of a step; its fields do not change."""
    at = 0
    made = []
    for piece in parse.PARSE_RE.split(pattern):
        if not piece:
            continue
        if piece[0] == "{" and piece[-1] == "}" and piece != "{{":
            name = piece[1:-1].partition(":")[0]
            if name not in found.re.groupindex:
                return None
            at = found.end(name)
            made.append(piece)
            continue
        words = piece[0] if piece in ("{{", "}}") else piece
        # An alignment allows blanks between a field and the text after it.
        start = step.lower().find(words.lower(), at)
        if start < 0 or step[at:start].strip():
            return None
        at = start + len(words)
        made.append(step[start:at].replace("{", "{{").replace("}", "}}"))
    return "".join(made)


def _flag_letters(argument: Argument, references: References) -> str:
    """The letters that stand for `re.IGNORECASE | re.DOTALL` in a pattern: "is"."""
    node = argument.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = (Argument(one, argument.module) for one in (node.left, node.right))
        return "".join(_flag_letters(one, references) for one in sides)
    found = references.to(node, argument.module)
    if isinstance(found, External) and found.package == "re" and found.last in _FLAGS:
        return _FLAGS[found.last]
    raise NotReadError(Why.PATTERN)


def _without_unnamed_groups(pattern: str) -> str | None:
    """Make unnamed groups non-capturing; None if that may change the expression's meaning."""
    # A number may refer to a group, and a comment of a verbose pattern may hold a parenthesis.
    if re.search(r"\\[1-9]|\(\?\(|\(\?[a-zA-Z-]*x", pattern):
        return None
    made = ""
    at = 0
    in_class = False
    while at < len(pattern):
        letter = pattern[at]
        if letter == "\\":
            made += pattern[at : at + 2]
            at += 2
            continue
        if in_class:
            in_class = letter != "]"
        elif letter == "[":
            in_class = True
            # A "]" right after the opening bracket is a member of the class.
            first = re.match(r"\[\^?\]?", pattern[at:])
            assert first is not None
            made += first[0]
            at += len(first[0])
            continue
        made += letter
        if letter == "(" and not in_class and pattern[at + 1 : at + 2] != "?":
            made += "?:"
        at += 1
    before, after = re.compile(pattern), re.compile(made)
    is_same = tuple(after.groupindex) == tuple(before.groupindex)
    return made if is_same and after.groups == len(after.groupindex) else None

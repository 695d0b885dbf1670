"""Canonical formatting of Gherkin: fixed indentation, aligned tables, one blank line between parts.

The formatter writes the tokens of the official parser in their order, so nothing is lost or moved.
Parsing the result gives the same document except for locations and ids. Formatting the result again
changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gherkin.ast_builder import AstBuilder
from gherkin.dialect import Dialect

from .feature_text import as_feature
from .official_parser import parse_officially

__all__ = ["format_scenario"]

_INDENT = 2
# Indentation of the parts of a feature; inside a rule they are one level deeper.
_LEVEL_OF = {"FeatureLine": 0, "RuleLine": 1, "BackgroundLine": 1, "ScenarioLine": 1}
_LEVEL_OF |= {"ExamplesLine": 2, "StepLine": 2}
_LEVEL_OF_ARGUMENT = 3  # tables and doc strings
_PARTS = ("FeatureLine", "RuleLine", "BackgroundLine", "ScenarioLine", "ExamplesLine")


def format_scenario(text: str) -> str:
    """Format a scenario or a feature without changing its content.

    Lines of descriptions and comments keep their indentation: the parser treats it as part of
    their text. The result ends without a line break.

    Raises:
        ScenarioError: the text is not valid Gherkin.
    """
    feature_text, added_lines = as_feature(text)
    recorder = _Recorder()
    parse_officially(feature_text, added_lines, recorder)
    tokens = recorder.tokens
    if added_lines:
        tokens = [token for token in tokens if token.kind != "FeatureLine"]
    return "\n".join(_Layout(tokens, is_bare=bool(added_lines)).lines())


@dataclass(frozen=True)
class _Token:
    """A line of the document as the parser interprets it, and the node it belongs to."""

    kind: str
    node: str
    node_number: int
    token: Any

    @property
    def source(self) -> str:
        """The line as written, without indentation and line break."""
        trimmed: str = self.token.line._trimmed_line_text
        return trimmed.strip()


class _Recorder(AstBuilder):
    """Records the tokens in order while the document is built from them, which validates them."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[_Token] = []
        self._node_numbers = [0]
        self._nodes = 0

    def start_rule(self, rule_type: str) -> None:
        super().start_rule(rule_type)
        self._nodes += 1
        self._node_numbers.append(self._nodes)

    def end_rule(self, rule_type: str) -> None:
        super().end_rule(rule_type)
        self._node_numbers.pop()

    def build(self, token: Any) -> None:
        node = self.current_node.rule_type
        self.tokens.append(_Token(token.matched_type, node, self._node_numbers[-1], token))
        super().build(token)


class _Layout:
    """Writes tokens line by line."""

    def __init__(self, tokens: Sequence[_Token], *, is_bare: bool) -> None:
        self._is_bare = is_bare
        self._is_in_rule = False
        self._tables = _tables(tokens)
        self._parts = _parts_led(tokens)
        self._doc_string_depth: int | None = None
        self._tokens = tokens

    def lines(self) -> list[str]:
        lines: list[str] = []
        last_of_description = _last_lines_of_descriptions(self._tokens)
        was_blank = was_lead = was_description = False
        for position, token in enumerate(self._tokens):
            kind, part = token.kind, self._parts[position]
            is_description = kind == "Other" and token.node == "Description"
            if kind == "EOF":
                continue
            # The parser trims empty lines only at the end of a description.
            if kind == "Empty" or (
                is_description and position > last_of_description.get(token.node_number, -1)
            ):
                was_blank = True
                continue
            needs_blank = (
                (part is not None and not was_lead)
                # A blank line before a comment shows which part the comment belongs to.
                or (kind == "Comment" and was_blank)
                or (was_description and not is_description and kind != "Comment")
            )
            if needs_blank and lines and lines[-1]:
                lines.append("")
            if part == "RuleLine":
                self._is_in_rule = False
            lines.append(self._line(position))
            if kind == "RuleLine":
                self._is_in_rule = True
            was_lead = part is not None and kind not in _PARTS
            if kind != "Comment":
                was_description = is_description
            was_blank = False
        return lines

    def _line(self, position: int) -> str:
        token = self._tokens[position]
        kind, matched = token.kind, token.token
        text: str = matched.matched_text or ""
        if kind == "Language":
            return f"# language: {text}"
        if kind == "Comment" or (kind == "Other" and token.node == "Description"):
            return text
        if kind == "Other":
            return self._doc_string_line(token)
        if kind == "DocStringSeparator":
            return self._doc_string_separator(token, text)
        if kind == "TableRow":
            return self._indent(_LEVEL_OF_ARGUMENT) + self._tables[position]
        if kind == "TagLine":
            return self._indent(_LEVEL_OF[self._parts[position] or ""]) + _tag_line(token)
        indent = self._indent(_LEVEL_OF[kind])
        if kind == "StepLine":
            return indent + _step_line(matched)
        return indent + f"{matched.matched_keyword}: {text}".rstrip(" ")

    def _indent(self, level: int) -> str:
        return " " * _INDENT * max(0, level + self._is_in_rule - self._is_bare)

    def _doc_string_separator(self, token: _Token, media_type: str) -> str:
        indent = self._indent(_LEVEL_OF_ARGUMENT)
        if self._doc_string_depth is None:
            self._doc_string_depth = token.token.line.indent
            return f"{indent}{token.token.matched_keyword}{media_type}"
        self._doc_string_depth = None
        return indent + token.source

    def _doc_string_line(self, token: _Token) -> str:
        # Unchanged, including escapes, and indented by the same amount as the delimiters.
        written = token.token.line.get_line_text(self._doc_string_depth).rstrip("\r\n")
        return self._indent(_LEVEL_OF_ARGUMENT) + written if written else ""


def _parts_led(tokens: Sequence[_Token]) -> list[str | None]:
    """The part that each line begins: its own line, or a tag or comment directly above it."""
    parts: list[str | None] = [None] * len(tokens)
    below = below_tags = None
    for position in range(len(tokens) - 1, -1, -1):
        kind = tokens[position].kind
        if kind in _PARTS:
            below = below_tags = kind
        elif kind == "TagLine":
            below = below_tags  # blank lines below a tag do not separate it from its part
        elif kind == "Empty":
            below = None
        elif kind not in ("Comment", "Language"):
            below = below_tags = None
        parts[position] = below
    return parts


def _last_lines_of_descriptions(tokens: Sequence[_Token]) -> dict[int, int]:
    """The position of the last non-empty line of each description, by its node."""
    return {
        token.node_number: position
        for position, token in enumerate(tokens)
        if token.kind == "Other" and token.node == "Description" and token.token.matched_text
    }


def _tag_line(token: _Token) -> str:
    tags = " ".join(item["text"] for item in token.token.matched_items)
    comment = re.search(r"\s(#.*)", token.source, re.S)
    return f"{tags} {comment[1]}" if comment else tags


def _step_line(matched: Any) -> str:
    keyword, text = matched.matched_keyword, matched.matched_text
    line = f"{keyword}{text}"
    # In some languages one keyword is the beginning of another ("A " and "A také "): a second space
    # keeps them apart, as in the source.
    dialect = Dialect.for_name(matched.matched_gherkin_dialect)
    assert dialect is not None
    keywords = [
        *dialect.given_keywords,
        *dialect.when_keywords,
        *dialect.then_keywords,
        *dialect.and_keywords,
        *dialect.but_keywords,
    ]
    if any(len(other) > len(keyword) and f"{line}\n".startswith(other) for other in keywords):
        return f"{keyword} {text}"
    return line


def _tables(tokens: Sequence[_Token]) -> dict[int, str]:
    """The rows of all tables by position, each aligned with the other rows of its table."""
    positions: dict[int, list[int]] = {}
    for position, token in enumerate(tokens):
        if token.kind == "TableRow":
            positions.setdefault(token.node_number, []).append(position)
    written: dict[int, str] = {}
    for table in positions.values():
        rows = [[_cell(item["text"]) for item in tokens[at].token.matched_items] for at in table]
        widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
        for position, row in zip(table, rows, strict=True):
            cells = [
                f" {cell}{' ' * (width - _width(cell))} |"
                for cell, width in zip(row, widths, strict=True)
            ]
            written[position] = "|" + "".join(cells) + _after_last_cell(tokens[position].source)
    return written


def _cell(value: str) -> str:
    # A backslash is escaped only if it would escape the next character.
    escaped = re.sub(r"\\(?=[\\n|\n]|\Z)", r"\\\\", value)
    return escaped.replace("|", r"\|").replace("\n", r"\n")


def _after_last_cell(row: str) -> str:
    """The text after the last bar, which the parser ignores."""
    rest = re.sub(r"\A(?:(?:[^\\|]|\\.?)*\|)+", "", row, flags=re.S).strip()
    return f" {rest}" if rest else ""


def _width(text: str) -> int:
    """The number of columns of a text in a fixed-width font."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)

"""Read a feature with Cucumber's official parser, which tools other than behave use."""

from __future__ import annotations

import re
from typing import Any

from gherkin.ast_builder import AstBuilder
from gherkin.errors import ParserError
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler
from gherkin.token_matcher import TokenMatcher

from .faults import Detail, Fault, FaultCode
from .feature_text import ScenarioError, refuse_long_blanks
from .growth import MAX_RUN_STEPS, fault_of_growth

__all__ = ["parse_officially", "run_pickles"]


def parse_officially(
    feature_text: str,
    added_lines: int = 0,
    builder: AstBuilder | None = None,
    most_steps: int = MAX_RUN_STEPS,
) -> Any:
    """The official parser's document of a whole feature.

    Args:
        feature_text: from `as_feature`, as is `added_lines`.
        builder: builds the document from the parser's tokens.
        most_steps: the maximum number of steps, and of tags, with outlines filled in.

    Raises:
        ScenarioError: the parser refuses it, or it would grow too large.
    """
    refuse_long_blanks(feature_text, added_lines)
    try:
        document = Parser(builder).parse(feature_text, TokenMatcher("en"))
    except ParserError as error:
        raise ScenarioError(_refusal(str(error), added_lines)) from error
    if fault := fault_of_growth(document, most_steps):
        raise ScenarioError(fault)
    return document


def run_pickles(document: Any) -> list[Any]:
    """What a document runs: the official compiler's pickles, one per scenario or outline row."""
    document["uri"] = ""  # the compiler requires one
    pickles: list[Any] = _LiteralCompiler().compile(document)
    return pickles


class _LiteralCompiler(Compiler):
    """The official compiler, but with literal outline headings, as in behave.

    The official one treats `<heading>` as a regular expression: "price ($)" is never filled in,
    "a)" breaks it, and "(a+)+b" may keep it busy forever.
    """

    def _interpolate(self, name: Any, variable_cells: Any, value_cells: Any) -> Any:
        if name is None:
            return None
        for heading, value in zip(variable_cells, value_cells, strict=True):
            name = name.replace(f"<{heading['value']}>", value["value"])
        return name


def _refusal(message: str, added_lines: int) -> Fault:
    """The parser's first error, with the line number of the original text."""
    complaints = [line for line in message.splitlines() if line.startswith("(")]
    first = complaints[0] if complaints else message.splitlines()[0]
    if match := re.match(r"\((\d+):(\d+)\): (.*)", first):
        line = max(1, int(match[1]) - added_lines)
        return Fault(FaultCode.NOT_GHERKIN, line, Detail(words=match[3][:200]))
    return Fault(FaultCode.NOT_GHERKIN, None, Detail(words=first[:200]))

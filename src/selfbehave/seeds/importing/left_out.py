"""Why an import leaves a scenario out, and which of a project's code is not understood."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["REASONS", "CannotImportError", "LeftOut", "NotUnderstood", "Why", "describe"]

# Every reason with its meaning, in the order of the table.
REASONS = {
    "feature_not_read": "a feature file that is not readable Gherkin",
    "no_steps": "no step in it",
    "no_title": "no title",
    "background_parameter": "a background with an outline's parameter in it",
    "no_step_modules": "no step modules for its feature file",
    "undefined_step": "a step that no step function binds",
    "not_understood": "a step that code may bind which the import does not understand",
    "ambiguous_step": "a step that two step functions bind",
    "step_under_condition": "a step function defined under if, try, with or a loop, or in a class",
    "name_clash": "two things of one name would meet in one module",
    "undefined_name": "its code uses a name that is nowhere defined",
    "import_not_followed": "its code imports a module of yours in a way that is not followed",
    "executes_steps": "its code runs other steps (execute_steps)",
    "needs_files": "its code looks for files beside its own (__file__)",
    "needs_fixture": "a pytest fixture that cannot come along",
    "not_translated": "pytest-bdd that has no safe counterpart in behave",
    "too_long": "longer than a seed task should be",
    "bound_otherwise": "by itself, its steps would be bound otherwise",
    "duplicate": "the same scenario as an earlier one",
    "below_min_rung": "below --min_rung of the ladder",
}
_LONGEST_SOURCE = 100
_CAUSES_SHOWN = 3


class Why(StrEnum):
    """Why a piece of code is not understood."""

    PATTERN = "pattern"
    PARSER = "parser"
    MATCHER = "matcher"
    DECORATOR = "decorator"
    STATEMENT = "statement"
    PACKAGE = "package"
    MODULE = "module"
    FEATURES = "features"
    PLUGINS = "plugins"
    CONVERTER = "converter"
    TYPES = "types"
    TOO_MANY = "too_many"


_SENTENCES = {
    Why.PATTERN: "its pattern is not a constant text",
    Why.PARSER: "this parser of patterns is not known",
    Why.MATCHER: "this step matcher is not known",
    Why.DECORATOR: "what this decorator registers is not known",
    Why.STATEMENT: "this may define steps when it runs",
    Why.PACKAGE: "a package outside the project is not read",
    Why.MODULE: "this file cannot be read",
    Why.FEATURES: "which scenarios it names is not known",
    Why.PLUGINS: "which modules it names is not known",
    Why.CONVERTER: "what a converter of its pattern matches is not known",
    Why.TYPES: "which types it registers is not known",
    Why.TOO_MANY: "the project has too many steps: this one and those behind it are not read",
}


@dataclass(frozen=True)
class NotUnderstood:
    """Code of a project that may define steps or name scenarios in a way that we cannot follow.

    Attributes:
        place: `file:line`.
        source: the code, in one line; "" for a whole file.
        words: an explanation, such as Python's error message; may be "".
    """

    place: str
    why: Why
    source: str = ""
    words: str = ""

    def to_dict(self) -> dict[str, str]:
        """As a JSON object."""
        return {"place": self.place, "why": self.why, "source": self.source, "words": self.words}


def describe(one: NotUnderstood) -> str:
    """Describe code that is not understood, as one line for people."""
    source = f"{one.source} in " if one.source else ""
    words = f": {one.words}" if one.words else ""
    return f"{source}{one.place} ({_SENTENCES[one.why]}{words})"


def source_line(node: ast.AST) -> str:
    """The source of a node in one line, shortened if it is long."""
    try:
        line = " ".join(ast.unparse(node).split())
    except RecursionError:
        return "code that is nested too deeply to show"
    return line if len(line) <= _LONGEST_SOURCE else f"{line[:_LONGEST_SOURCE]}…"


@dataclass(frozen=True)
class LeftOut:
    """A scenario that is not imported.

    Attributes:
        reason: one of `REASONS`.
        place: `file:line` of the scenario.
        detail: the details, in one line.
        causes: the code that is not understood, if that is the reason.
    """

    reason: str
    place: str
    detail: str
    causes: tuple[NotUnderstood, ...] = ()

    @property
    def line(self) -> str:
        """The details and the code that is not understood, as one line for people."""
        if not self.causes:
            return self.detail
        shown = [describe(one) for one in self.causes[:_CAUSES_SHOWN]]
        more = len(self.causes) - len(shown)
        return f"{self.detail}; not understood: {'; '.join(shown)}" + (
            f"; and {more} more" if more else ""
        )

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        row = {"reason": self.reason, "place": self.place, "detail": self.detail}
        causes = [one.to_dict() for one in self.causes]
        return {**row, "not_understood": causes} if causes else row


class CannotImportError(Exception):
    """One scenario cannot be imported.

    Args:
        reason: one of `REASONS`.
        detail: the details; line breaks are removed.
        line: the line in the current file, if it is more precise than the scenario's own.
        causes: see `LeftOut`.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        line: int | None = None,
        causes: Sequence[NotUnderstood] = (),
    ) -> None:
        assert reason in REASONS
        self.reason = reason
        self.detail = " ".join(detail.split())[:300]
        self.line = line
        self.causes = tuple(causes)
        super().__init__(f"{reason}: {self.detail}")


def unbound(step: str, causes: Sequence[NotUnderstood]) -> CannotImportError:
    """The error for an unbound step: "undefined" only if all of the code is understood."""
    if causes:
        return CannotImportError("not_understood", step, causes=causes)
    return CannotImportError("undefined_step", step)

"""Wrap a scenario's text in a feature that behave can read, and limit its size."""

from __future__ import annotations

import re

from behave.i18n import languages

from .faults import Detail, Fault, FaultCode, describe

__all__ = [
    "MAX_SCENARIO_CHARACTERS",
    "MAX_SCENARIO_LINES",
    "ScenarioError",
    "as_feature",
    "language_of",
    "refuse_long_blanks",
    "too_large",
]

MAX_SCENARIO_CHARACTERS = 50_000
MAX_SCENARIO_LINES = 3_000
_MOST_BLANKS = 1_000

# The official parser searches for the end of a cell from every blank.
_BLANKS = re.compile(rf"(?<![^\S\n])[^\S\n]{{{_MOST_BLANKS + 1}}}")
_FEATURE_NAME = "A scenario"
_PARTS = ("scenario", "scenario_outline", "background", "rule")


class ScenarioError(ValueError):
    """A text is not a scenario; the message is the fault in one line."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault

    def __str__(self) -> str:
        return describe(self.fault)


def too_large(most: int, unit: str, line: int | None = None) -> Fault:
    """The fault of a text with more than `most` of a unit, such as "lines"."""
    return Fault(FaultCode.SCENARIO_TOO_LARGE, line, Detail(count=most, unit=unit))


def as_feature(text: str) -> tuple[str, int]:
    """Wrap a bare scenario in a feature; return the document and how many lines were added.

    A text with a line `Feature:` before its first scenario stays unchanged, even if behave cannot
    read what is before that line.

    Raises:
        ScenarioError: it names a spoken language that behave does not know, or is too long.
    """
    if len(text) > MAX_SCENARIO_CHARACTERS:
        raise ScenarioError(too_large(MAX_SCENARIO_CHARACTERS, "characters"))
    # Split as behave does: also at U+2028 and other line boundaries.
    lines = text.splitlines(keepends=True)
    if len(lines) > MAX_SCENARIO_LINES:
        raise ScenarioError(too_large(MAX_SCENARIO_LINES, "lines"))
    language, head = language_of(lines)
    keywords = languages[language]
    if _has_feature(lines[head:], keywords):
        return text, 0
    # The language line must stay before the feature.
    before = "".join(lines[:head])
    if before and before == before.rstrip("\r\n"):
        before += "\n"
    feature = f"{keywords['feature'][0]}: {_FEATURE_NAME}\n\n"
    return f"{before}{feature}{''.join(lines[head:])}\n", 2


def language_of(lines: list[str]) -> tuple[str, int]:
    """The spoken language of a document, and the number of lines up to the comment that sets it.

    As in behave, only the comments before all other lines count, and the last one wins.

    Raises:
        ScenarioError: behave does not know the language.
    """
    language, head = "en", 0
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            break
        comment = text[1:].strip()
        if comment.lower().startswith("language:"):
            language, head = comment[len("language:") :].strip(), number
            if language not in languages:
                detail = Detail(name=language[:100])
                raise ScenarioError(Fault(FaultCode.UNKNOWN_LANGUAGE, number, detail))
    return language, head


def refuse_long_blanks(feature_text: str, added_lines: int) -> None:
    """Refuse a text for which the official parser would need quadratic time.

    Raises:
        ScenarioError: it has more than 1,000 blanks in a row.
    """
    if found := _BLANKS.search(feature_text):
        line = len(feature_text[: found.start()].splitlines()) or 1
        raise ScenarioError(too_large(_MOST_BLANKS, "blanks in a row", max(1, line - added_lines)))


def _has_feature(lines: list[str], keywords: dict[str, list[str]]) -> bool:
    """Whether a feature line comes before any line that begins a scenario or similar part."""
    features = tuple(f"{keyword}:" for keyword in keywords["feature"])
    parts = tuple(f"{keyword}:" for name in _PARTS for keyword in keywords[name])
    for line in lines:
        start = line.strip()
        if start.startswith(features):
            return True
        if start.startswith(parts):
            return False
    return False

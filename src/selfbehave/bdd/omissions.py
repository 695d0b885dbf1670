"""Omissions: a scenario without some of its steps, to see whether anything depends on them.

Omitted steps become empty lines, so that all other lines keep their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .scenario import Step, as_feature, parse_document, parts_of, resolved_kinds

__all__ = ["Omission", "each_scenario_alone", "without_actions", "without_each_given"]


@dataclass(frozen=True)
class Omission:
    """A scenario without some of its steps.

    Attributes:
        omitted: the omitted steps as written, with their lines in the original text.
        text: the whole feature document without them.
    """

    omitted: tuple[Step, ...]
    text: str


def each_scenario_alone(scenario_text: str) -> list[str]:
    """One copy of the text for each of its scenarios, without the other scenarios.

    Backgrounds stay. An outline with all its rows is one scenario.

    Raises:
        ScenarioError: the text is not a scenario.
    """
    layout = _Layout(scenario_text)
    scenarios = [part.lines for part in layout.parts if part.is_scenario]
    texts = []
    for kept in scenarios:
        others = {line for lines in scenarios if lines != kept for line in lines}
        kept_lines = (
            "" if number + layout.added_lines in others else line
            for number, line in enumerate(scenario_text.splitlines())
        )
        texts.append("\n".join(kept_lines))
    return texts


def without_actions(scenario_text: str) -> Omission:
    """Leave out every When step, and the And, But and * steps that continue it.

    Raises:
        ScenarioError: the text is not a scenario.
    """
    return _Layout(scenario_text).omitting(lambda step: step.kind == "when")


def without_each_given(scenario_text: str) -> Iterator[Omission]:
    """Leave out one Given step at a time, in the order of the text.

    An And, But or * that continues a Given is a separate step and stays.

    Raises:
        ScenarioError: the text is not a scenario.
    """
    layout = _Layout(scenario_text)
    for part in layout.parts:
        for given in part.steps:
            if given.kind == "given":
                yield layout.omitting(lambda step, given=given: step is given)  # type: ignore[misc]


@dataclass(frozen=True)
class _Step:
    """A step and its lines, from 0, including its table or doc string."""

    kind: str | None
    keyword: str
    text: str
    column: int
    lines: range


@dataclass(frozen=True)
class _Part:
    """A background or a scenario and its lines, from 0."""

    is_scenario: bool
    steps: tuple[_Step, ...]
    lines: range


class _Layout:
    """The lines of each step of a feature document.

    Attributes:
        added_lines: the number of lines that the document has before those of the original text.
        parts: its backgrounds and scenarios, in document order.
    """

    def __init__(self, scenario_text: str) -> None:
        text, self.added_lines = as_feature(scenario_text)
        self._lines = text.splitlines()
        document = parse_document(text, self.added_lines)
        self.parts = _parts(document, len(self._lines))
        self._keywords = _keywords(document)

    def omitting(self, is_omitted: Callable[[_Step], bool]) -> Omission:
        """The document without some steps; all other steps keep their kinds."""
        lines = [*self._lines]
        omitted: list[Step] = []
        for part in self.parts:
            follows_omitted = bool(omitted)  # the first step may continue one of a background
            for step in part.steps:
                first = step.lines.start
                if is_omitted(step):
                    omitted.append(Step(step.kind, step.text, first + 1 - self.added_lines))
                    lines[first : step.lines.stop] = [""] * len(step.lines)
                elif follows_omitted:
                    # And, But and * would continue the step before the omitted ones.
                    lines[first] = self._with_own_keyword(lines[first], step)
                follows_omitted = is_omitted(step)
        return Omission(tuple(omitted), "\n".join(lines))

    def _with_own_keyword(self, line: str, step: _Step) -> str:
        """A step's line with the keyword of its kind, spelled as elsewhere in the document."""
        # Only a Given can have its kind without a keyword: as a star with no step before it.
        keyword = self._keywords.get(step.kind, "* ")
        return line[: step.column] + keyword + line[step.column + len(step.keyword) :]


def _keywords(document: Any) -> dict[str | None, str]:
    """The first keyword of each kind in a document, ignoring And, But and *."""
    keywords: dict[str | None, str] = {}
    for part in parts_of(document):
        steps = part["steps"]
        for step, kind in zip(steps, resolved_kinds(steps), strict=True):
            if step["keywordType"] in ("Context", "Action", "Outcome"):
                keywords.setdefault(kind, step["keyword"])
    return keywords


def _parts(document: Any, line_count: int) -> list[_Part]:
    """Every background and scenario; each ends where the next one, or a rule, begins."""
    starts = sorted({*_starts(document["feature"]["children"]), line_count})
    parts = []
    for part in parts_of(document):
        start = _first_line(part)
        end = next(line for line in starts if line > start)
        parts.append(_Part("examples" in part, _steps(part, end), range(start, end)))
    return parts


def _starts(children: Sequence[Any]) -> Iterator[int]:
    for child in children:
        (part,) = child.values()
        yield _first_line(part)
        yield from _starts(part.get("children", ()))


def _first_line(part: Any) -> int:
    """The first line of a part, including its tags."""
    lines: list[int] = [one["location"]["line"] for one in (part, *part.get("tags", ()))]
    return min(lines) - 1


def _steps(part: Any, end: int) -> tuple[_Step, ...]:
    steps = part["steps"]
    starts = [step["location"]["line"] - 1 for step in steps]
    tables = [_first_line(table) for table in part.get("examples", ())]
    ends = [*starts[1:], min([*tables, end])]
    return tuple(
        _Step(
            kind, step["keyword"], step["text"], step["location"]["column"] - 1, range(start, stop)
        )
        for step, kind, start, stop in zip(steps, resolved_kinds(steps), starts, ends, strict=True)
    )

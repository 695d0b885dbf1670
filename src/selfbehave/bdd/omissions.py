"""Omissions: a scenario without some of its steps, to see whether anything depends on them.

What is left out leaves empty lines, so that all others keep their numbers.
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
        omitted: the steps that were left out, as written; their lines are those of the text that
            was given.
        text: the whole feature document without them.
    """

    omitted: tuple[Step, ...]
    text: str


def each_scenario_alone(scenario_text: str) -> list[str]:
    """The text once for each of its scenarios, without the others.

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
    """Leave out every When step, with the And, But and * that go on with it.

    Raises:
        ScenarioError: the text is not a scenario.
    """
    return _Layout(scenario_text).omitting(lambda step: step.kind == "when")


def without_each_given(scenario_text: str) -> Iterator[Omission]:
    """Leave out one Given step at a time, in the order of the text.

    An And, But or * that goes on with a Given is a step of its own and stays.

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
    """A step with the lines that it takes, its table or doc string included; from 0."""

    kind: str | None
    keyword: str
    text: str
    column: int
    lines: range


@dataclass(frozen=True)
class _Part:
    """A background or a scenario with the lines that it takes, from 0."""

    is_scenario: bool
    steps: tuple[_Step, ...]
    lines: range


class _Layout:
    """Which line of a feature document belongs to which step.

    Attributes:
        added_lines: that the document has before the lines of the text that was given.
        parts: in the order of the document.
    """

    def __init__(self, scenario_text: str) -> None:
        text, self.added_lines = as_feature(scenario_text)
        self._lines = text.splitlines()
        document = parse_document(text, self.added_lines)
        self.parts = _parts(document, len(self._lines))
        self._keywords = _keywords(document)

    def omitting(self, is_omitted: Callable[[_Step], bool]) -> Omission:
        """The document without some steps, the kinds of all others as they were."""
        lines = [*self._lines]
        omitted: list[Step] = []
        for part in self.parts:
            follows_omitted = bool(omitted)  # the first step may go on with a background's
            for step in part.steps:
                first = step.lines.start
                if is_omitted(step):
                    omitted.append(Step(step.kind, step.text, first + 1 - self.added_lines))
                    lines[first : step.lines.stop] = [""] * len(step.lines)
                elif follows_omitted:
                    # And, But and * would go on with the step before the omitted ones.
                    lines[first] = self._with_own_keyword(lines[first], step)
                follows_omitted = is_omitted(step)
        return Omission(tuple(omitted), "\n".join(lines))

    def _with_own_keyword(self, line: str, step: _Step) -> str:
        """A step's line with the keyword of its kind, as the document itself writes it."""
        # Only a Given may have its kind without a keyword: a star that no step comes before.
        keyword = self._keywords.get(step.kind, "* ")
        return line[: step.column] + keyword + line[step.column + len(step.keyword) :]


def _keywords(document: Any) -> dict[str | None, str]:
    """The first keyword of each kind in a document, those that only go on left out."""
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
    """Where a part begins, its tags included."""
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

"""Omissions: a scenario without some of its steps, to see whether anything depends on them.

A variant has one scenario of the text, for what happens in another one says nothing about it.
What is left out leaves empty lines, so that the others keep their numbers.
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


def each_scenario_alone(scenario_text: str) -> Iterator[str]:
    """The feature document once for each of its scenarios, without the others.

    Backgrounds stay. An outline with all its rows is one scenario.

    Raises:
        ScenarioError: the text is not a scenario.
    """
    layout = _Layout(scenario_text)
    scenarios = [part for part in layout.parts if part.is_scenario]
    for kept in scenarios:
        others = [part.lines for part in scenarios if part is not kept]
        yield layout.without(others)


def without_actions(scenario_text: str) -> Omission:
    """Leave out every When step, with the And, But and * that go on with it.

    Raises:
        ScenarioError: the text is not a scenario.
    """
    layout = _Layout(scenario_text)
    return layout.omitting(lambda step: step.kind == "when")


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
    """A step with the lines that it takes, its table or doc string included.

    Attributes:
        start_of_kind: the keyword, as written, of the step that gave this one its kind; None where
            no step did.
    """

    kind: str | None
    keyword: str
    start_of_kind: str | None
    text: str
    column: int
    lines: range


@dataclass(frozen=True)
class _Part:
    """A background or a scenario with the lines that it takes."""

    is_scenario: bool
    steps: tuple[_Step, ...]
    lines: range


class _Layout:
    """Which line of a feature document belongs to which step; lines count from 0."""

    def __init__(self, scenario_text: str) -> None:
        text, self._added_lines = as_feature(scenario_text)
        self._lines = text.split("\n")
        self.parts = _parts(parse_document(text, self._added_lines), len(self._lines))

    def without(self, ranges: Sequence[range]) -> str:
        """The document with these lines empty."""
        return "\n".join(_emptied(self._lines, ranges))

    def omitting(self, is_omitted: Callable[[_Step], bool]) -> Omission:
        """The document without some steps, the kinds of all others as they were."""
        lines = [*self._lines]
        omitted: list[Step] = []
        for part in self.parts:
            follows_omitted = False
            for step in part.steps:
                if is_omitted(step):
                    line = step.lines.start + 1 - self._added_lines
                    omitted.append(Step(step.kind, step.text, line))
                    lines = _emptied(lines, [step.lines])
                    follows_omitted = True
                elif follows_omitted:
                    # And, But and * would go on with the step before the omitted ones.
                    lines[step.lines.start] = _with_keyword(lines[step.lines.start], step)
                    follows_omitted = False
        return Omission(tuple(omitted), "\n".join(lines))


def _emptied(lines: Sequence[str], ranges: Sequence[range]) -> list[str]:
    emptied = {number for lines_of_one in ranges for number in lines_of_one}
    return ["" if number in emptied else line for number, line in enumerate(lines)]


def _with_keyword(line: str, step: _Step) -> str:
    """A step's line with the keyword that its kind comes from, in the document's own language."""
    if step.start_of_kind is None:
        return line
    return line[: step.column] + step.start_of_kind + line[step.column + len(step.keyword) :]


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
    read: list[_Step] = []
    start_of_kind: str | None = None
    for step, kind, start, stop in zip(steps, resolved_kinds(steps), starts, ends, strict=True):
        if step["keywordType"] in ("Context", "Action", "Outcome"):
            start_of_kind = step["keyword"]
        column = step["location"]["column"] - 1
        read.append(
            _Step(kind, step["keyword"], start_of_kind, step["text"], column, range(start, stop))
        )
    return tuple(read)

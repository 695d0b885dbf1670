"""Restore the lines of a scenario that was folded into one line, and the case of its keywords.

Nothing else changes. The scenario alone does not show whether an "and" joins two steps or two words
of one step; so its step functions decide, if they can.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .scenario import MAX_SCENARIO_CHARACTERS
from .steps import StepFunction

__all__ = ["capitalize_keywords", "is_folded", "unfold"]

_PRIMARY = ("given", "when", "then")
_TITLES = "feature|background|scenario outline|scenario template|scenarios|scenario|examples|rule"
_TITLE = rf"(?<!\S)(?P<title>{_TITLES})[ \t]*:"
_STEP = r"(?<!\S)(?P<step>given|when|then|and|but)(?=\s)"
# An apostrophe inside a word does not open a quotation.
_QUOTED = r"\"[^\"\n]*\"|(?<!\w)'[^'\n]*'(?!\w)|“[^“”\n]*”|(?<!`)`[^`\n]+`(?!`)|<[^<>\n]*>"
_MARK = re.compile(
    rf'(?P<doc>"""[\s\S]*?""")|(?P<quoted>{_QUOTED})|(?P<bar>\|)|{_TITLE}|{_STEP}', re.I
)
_KEYWORD_LINE = re.compile(
    rf"^(?P<indent>[ \t]*)(?P<word>(?:{_TITLES})(?=[ \t]*:)|(?:given|when|then|and|but)(?=\s))",
    re.I,
)
_NEXT_STEP = re.compile(rf"\s*(?:(?:given|when|then|and|but)\s|(?:{_TITLES})\s*:)", re.I)
# "and" before one of these begins a new step.
_SUBJECTS = frozenset("i we you he she it they there".split())
_ARTICLES = frozenset("a an the my their his her our your".split())
_LONGEST_JOIN = 8  # the most parts that "and" may join to one step
_SECONDS = 2.0  # time limit for matching step functions; a hostile pattern may use all of it


def is_folded(text: str) -> bool:
    """Whether a line contains a title and a step, or two steps, which belong on separate lines."""
    return len(text) <= MAX_SCENARIO_CHARACTERS and any(
        sum(mark.lastgroup == "title" or mark.group().lower() in _PRIMARY for mark in marks) > 1
        and marks[0].start() == len(line) - len(line.lstrip())
        for line in text.splitlines()
        if (marks := [one for one in _MARK.finditer(line) if one.lastgroup in ("title", "step")])
    )


def capitalize_keywords(text: str) -> str:
    """Capitalize the keyword at the beginning of each line, except in doc strings."""
    lines, delimiter = [], ""
    for line in text.split("\n"):
        start = line.lstrip()[:3]
        if delimiter:
            delimiter = "" if start == delimiter else delimiter
        elif start in ('"""', "```"):
            delimiter = start
        elif match := _KEYWORD_LINE.match(line):
            word = match["word"]
            line = f"{match['indent']}{word.title()}{line[match.end() :]}"
        lines.append(line)
    return "\n".join(lines)


def unfold(text: str, functions: Sequence[StepFunction] = ()) -> str | None:
    """Put each title, step and table row of a folded scenario on its own line.

    Args:
        text: the scenario.
        functions: its step functions; they help to tell a step that contains "and" from two steps.

    Returns:
        The text with the same letters in the same order, or None if it does not begin with a title
        or has a part that fits no line.
    """
    parts = _parts(text) if len(text) <= MAX_SCENARIO_CHARACTERS else []
    if not parts:
        return None
    deadline = time.monotonic() + _SECONDS
    lines: list[str] = []
    group: list[_Part] = []
    for part in [*_with_whole_titles(text, parts), None]:
        if group and (part is None or not part.is_join or group[-1].argument):
            for step in _joined(text, group, functions, deadline):
                lines += [f"{step.keyword.title()} {step.text}", *step.argument]
            group = []
        if part is None:
            break
        if part.is_title:
            lines += [f"{part.keyword.title()}: {part.text}".rstrip(), *part.argument]
        else:
            group.append(part)
    laid_out = "\n".join(lines)
    return laid_out if _letters(laid_out) == _letters(text) else None


@dataclass(frozen=True)
class _Part:
    """A keyword, the text up to the next keyword, and a table or doc string.

    Attributes:
        kind: the kind of a step; And and But have the kind of the step before them.
        start, text_start, end: the offsets of the keyword, of the text after it, and of the end
            without the argument.
    """

    keyword: str
    kind: str
    is_title: bool
    start: int
    text_start: int
    end: int
    text: str
    argument: tuple[str, ...] = ()

    @property
    def is_join(self) -> bool:
        return self.keyword in ("and", "but")


def _parts(text: str) -> list[_Part]:
    parts: list[_Part] = []
    kind = ""
    position = 0
    while mark := _MARK.search(text, position):
        position = mark.end()
        if mark["quoted"]:
            continue
        if mark["doc"] or mark["bar"]:
            if not parts:
                return []
            argument: tuple[str, ...]
            if mark["doc"]:
                argument = ('"""', mark["doc"][3:-3].strip("\n"), '"""')
            else:
                rows, position = _table(text, mark.start())
                argument = tuple(rows)
            if not parts[-1].argument:
                parts[-1] = _ended(text, parts[-1], mark.start())
            parts[-1] = replace(parts[-1], argument=parts[-1].argument + argument)
            continue
        keyword = " ".join((mark["title"] or mark["step"]).lower().split())
        before = text[max(0, mark.start() - 8) : mark.start()]
        if mark["step"] == "given" and re.search(r"\b(?:the|a|an|any|each)\s\Z", before):
            continue  # "the given name"
        if parts and not parts[-1].argument:
            parts[-1] = _ended(text, parts[-1], mark.start())
        kind = keyword if keyword in _PRIMARY else "" if mark["title"] else kind
        parts.append(
            _Part(keyword, kind, bool(mark["title"]), mark.start(), position, position, "")
        )
    if parts and not parts[-1].argument:
        parts[-1] = _ended(text, parts[-1], len(text))
    return parts if parts and parts[0].is_title else []


def _ended(text: str, part: _Part, end: int) -> _Part:
    return replace(part, end=end, text=" ".join(text[part.text_start : end].split("\n")).strip())


def _table(text: str, start: int) -> tuple[list[str], int]:
    """The rows of a folded table: only blanks between two bars separate one row from the next."""
    rows: list[str] = []
    row: list[str] = []
    width = 0
    position = start + 1
    while bar := re.compile(r"(?<!\\)\|").search(text, position):
        cell = text[position : bar.start()]
        if row and len(row) == (width or len(row)):
            is_border = not cell.strip()
            if is_border or _NEXT_STEP.match(cell):
                width = len(row)
                rows.append(_row(row))
                row = []
                if not is_border:
                    return rows, position
                position = bar.end()
                continue
        row.append(cell.strip())
        position = bar.end()
    return [*rows, _row(row)] if row else rows, position


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _with_whole_titles(text: str, parts: Sequence[_Part]) -> list[_Part]:
    """Join a title with the keywords inside it: those before its first Given."""
    whole: list[_Part] = []
    position = 0
    while position < len(parts):
        title = parts[position]
        position += 1
        if title.is_title and not title.argument:
            last = position
            while last < len(parts) and not parts[last].is_title and not parts[last - 1].argument:
                last += 1
            steps = [part.keyword for part in parts[position:last]]
            primary = [number for number, word in enumerate(steps) if word in _PRIMARY]
            taken = len(steps)  # a title with no step after it
            if title.keyword not in ("feature", "rule", "examples") and primary:
                taken = steps.index("given") if "given" in steps else primary[0]
            if taken:
                position += taken
                if parts[position - 1].argument:
                    position -= 1  # a table belongs to a step
                    taken -= 1
            if taken:
                title = _ended(text, title, parts[position - 1].end)
        whole.append(title)
    return whole


def _joined(
    text: str, group: Sequence[_Part], functions: Sequence[StepFunction], deadline: float
) -> list[_Part]:
    """Split a step at its "and"s so that the fewest words are left unbound.

    If the step functions do not decide, "and" begins a new step if a subject follows it.
    """
    # For each prefix of the group: unbound words, unlikely splits, and the start of its last step.
    best = [(0, 0, 0)]
    begins = [_begins_step(group, number) for number in range(len(group))]
    lengths = [len(part.text.split()) for part in group]
    for end in range(1, len(group) + 1):
        choices = []
        for start in range(max(0, end - _LONGEST_JOIN), end):
            is_bound = (
                bool(functions)
                and time.monotonic() < deadline
                and any(
                    function.kind in (step.kind, "step") and function.matches(step.text)
                    for step in [_step_of(text, group, start, end)]
                    for function in functions
                )
            )
            unlikely = sum(
                begins[number] != (number == start) for number in range(max(1, start), end)
            )
            unbound, odd, _ = best[start]
            words = 0 if is_bound else sum(lengths[start:end])
            choices.append((unbound + words, odd + unlikely, start))
        best.append(min(choices, key=lambda choice: choice[:2]))
    steps: list[_Part] = []
    end = len(group)
    while end:
        start = best[end][2]
        steps.append(_step_of(text, group, start, end))
        end = start
    return steps[::-1]


def _step_of(text: str, group: Sequence[_Part], start: int, end: int) -> _Part:
    """Some consecutive parts of a group as one step."""
    step = _ended(text, group[start], group[end - 1].end)
    return replace(step, argument=group[end - 1].argument)


def _begins_step(group: Sequence[_Part], number: int) -> bool:
    words = group[number].text.lower().split()
    if not words or words[0] in _SUBJECTS:
        return bool(words)
    first = group[0].text.lower().split()
    length = 2 if words[0] in _ARTICLES else 1
    return words[:length] == first[:length]


def _letters(text: str) -> str:
    return "".join(text.split()).casefold()

"""Seed tasks as a Markdown page for review; reading the page gives back exactly the same tasks.

Texts appear unchanged on the page. Some texts cannot be read back exactly: empty texts, texts with
surrounding whitespace or an open fence, and texts with a line that looks like a heading of the
page. They are written as JSON strings, under a heading that says so. Lines inside a fence are never
headings of tasks, so code may have comments that begin with `## `.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bdd.fences import fenced_blocks
from ..core.errors import SelfBehaveError
from ..core.files import read_text
from ..core.four_criteria import CRITERIA
from ..core.jsonl import json_line, read_records
from ..core.records import SeedTask
from .load import seeds_path

__all__ = ["from_markdown", "jsonl_of_file", "markdown_of_file", "to_jsonl", "to_markdown"]

_TASK = re.compile(r"##[ \t]+(?P<title>.*?)[ \t]*")
_SECTION = re.compile(r"###[ \t]+(?P<name>Instruction|Input|Output)(?P<is_json> \(JSON\))?[ \t]*")
_CLASSIFICATION = "Classification: "
_CRITERIA = "Criteria: "
# Ruff formats Python in Markdown too; here the code is data and must not change.
_NO_FORMATTING = "<!-- fmt: off -->"
_JSON_BLOCK = re.compile(r"```json\n(?P<text>.*)\n```", re.S)
_MEND = "use the format that `selfbehave seeds to-markdown` writes"


def markdown_of_file(file: str) -> str:
    """The Markdown page of a seed file, or of a packaged set by its name.

    Raises:
        SelfBehaveError: the file cannot be read, or has a field that the page cannot represent.
    """
    path = seeds_path(file)
    tasks = read_records(path, _task_of_known_fields)
    return to_markdown(tasks, title=path.stem)


def jsonl_of_file(file: str) -> str:
    """The JSON Lines of a Markdown page.

    Raises:
        SelfBehaveError: the file cannot be read, or a line does not have the page's format.
    """
    path = Path(file)
    return to_jsonl(from_markdown(read_text(path), where=str(path)))


def to_jsonl(tasks: Iterable[SeedTask]) -> str:
    """Seed tasks as JSON Lines."""
    return b"".join(json_line(task.to_dict()) for task in tasks).decode()


def to_markdown(tasks: Sequence[SeedTask], title: str = "Seed tasks") -> str:
    """Seed tasks as a page: for each task a heading, a line of criteria, and its texts."""
    count = f"{len(tasks)} seed task{'' if len(tasks) == 1 else 's'}"
    note = "`selfbehave seeds from-markdown` reads this page back."
    head = [f"# {title}", _NO_FORMATTING, f"{count}. {note}"]
    return "\n\n".join([*head, *map(_task_part, tasks)]) + "\n"


def from_markdown(text: str, where: str = "the page") -> list[SeedTask]:
    """Read seed tasks from a page.

    Args:
        where: the name of the page for error messages, which add the line.

    Raises:
        SelfBehaveError: there is no task, or a line does not have the format of `to_markdown`.
    """
    tasks = [_read_task(part) for part in _task_parts(text, where)]
    if not tasks:
        raise SelfBehaveError("the page has no task (level-2 heading)", where=where, mend=_MEND)
    return tasks


def _task_part(task: SeedTask) -> str:
    parts = [_heading(task)]
    facts = [f"{_CLASSIFICATION}{'yes' if task.is_classification else 'no'}"]
    if task.criteria is not None:
        criteria = [name if met else f"not {name}" for name, met in task.criteria.items()]
        facts.append(_CRITERIA + ", ".join(criteria))
    parts += ["\\\n".join(facts), *_section("Instruction", task.instruction)]
    for instance in task.instances:
        if instance.input:
            parts += _section("Input", instance.input)
        parts += _section("Output", instance.output)
    return "\n\n".join(parts)


def _heading(task: SeedTask) -> str:
    is_plain = re.fullmatch(r"[\w.-]+", task.id) and task.name == task.name.strip() != ""
    if is_plain and task.name.isprintable():
        return f"## {task.id}: {task.name}"
    return f"## {json.dumps([task.id, task.name])}"


def _section(name: str, text: str) -> list[str]:
    if _is_plain(text):
        return [f"### {name}", text]
    # One line of ASCII: no whitespace is lost, and it cannot start a fence or a heading.
    return [f"### {name} (JSON)", f"```json\n{json.dumps(text)}\n```"]


def _is_plain(text: str) -> bool:
    if not text or text != text.strip() or re.search(r"[^\S \n]|[^\S\n]$", text, re.M):
        return False
    if any(not letter.isprintable() for letter in text if letter != "\n"):
        return False
    lines = text.split("\n")
    fenced = _fenced_lines(text)
    if any(_TASK.fullmatch(line) for number, line in enumerate(lines) if number not in fenced):
        return False
    if any(_SECTION.fullmatch(line) for line in lines):
        return False
    return all(block.is_closed for block in fenced_blocks(text))


def _fenced_lines(text: str) -> dict[int, int]:
    """The lines inside or of a fence, each with the line of its opening fence; counted from 0."""
    fenced: dict[int, int] = {}
    for block in fenced_blocks(text):
        first = text.count("\n", 0, block.start)
        last = first + text.count("\n", block.start, block.end - 1)
        fenced |= dict.fromkeys(range(first, last + 1), first)
    return fenced


@dataclass(frozen=True)
class _Part:
    """The lines of one task on the page, with their positions."""

    lines: tuple[str, ...]
    first_line: int
    where: str

    def fault(self, offset: int, what: str) -> SelfBehaveError:
        place = f"{self.where}:{self.first_line + offset}"
        return SelfBehaveError(what, where=place, mend=_MEND)


def _task_parts(text: str, where: str) -> Iterator[_Part]:
    # Only \n ends a line. An editor may have added \r before it; no text on the page contains \r.
    text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    fenced = _fenced_lines(text)
    for number, fence in fenced.items():
        # No text on the page has such a line. Without this check, an unclosed fence would hide all
        # tasks after it without notice.
        if _SECTION.fullmatch(lines[number]):
            raise SelfBehaveError(
                f"{lines[number].strip()!r} is inside the fence opened on line {fence + 1}",
                where=f"{where}:{number + 1}",
                mend="close the fence before this line, or write the text as a JSON string",
            )
    starts = [
        number
        for number, line in enumerate(lines)
        if number not in fenced and _TASK.fullmatch(line)
    ]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        yield _Part(tuple(lines[start:end]), start + 1, where)


def _read_task(part: _Part) -> SeedTask:
    task_id, name = _read_heading(part)
    sections = [
        (number, match)
        for number, line in enumerate(part.lines)
        if (match := _SECTION.fullmatch(line))
    ]
    first = sections[0][0] if sections else len(part.lines)
    row: dict[str, Any] = {"id": task_id, "name": name, "instances": []}
    row |= _read_facts(part, first)
    given = ""
    ends = [number for number, _ in sections[1:]] + [len(part.lines)]
    for (number, match), end in zip(sections, ends, strict=False):
        text = _read_text(part, number, end, is_json=bool(match["is_json"]))
        if match["name"] == "Instruction":
            row["instruction"] = text
        elif match["name"] == "Input":
            given = text
        else:
            row["instances"].append({"input": given, "output": text})
            given = ""
    try:
        return SeedTask.from_dict(row)
    except ValueError as error:
        raise part.fault(0, str(error)) from error


def _read_heading(part: _Part) -> tuple[str, str]:
    found = _TASK.fullmatch(part.lines[0])
    assert found is not None
    heading = found["title"]
    if heading.startswith("["):
        try:
            task_id, name = json.loads(heading)
        except (ValueError, TypeError, RecursionError) as error:
            raise part.fault(0, f"not a task heading: {heading!r}") from error
        return task_id, name
    task_id, colon, name = heading.partition(": ")
    if not colon:
        raise part.fault(0, f"a task heading must be 'id: name', not {heading!r}")
    return task_id, name


def _read_facts(part: _Part, end: int) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for offset, line in enumerate(part.lines[1:end], start=1):
        fact = line.removesuffix("\\").strip()
        if fact.startswith(_CLASSIFICATION):
            answer = fact.removeprefix(_CLASSIFICATION)
            if answer not in ("yes", "no"):
                raise part.fault(offset, f"{_CLASSIFICATION}must be yes or no, not {answer!r}")
            facts["is_classification"] = answer == "yes"
        elif fact.startswith(_CRITERIA):
            names = fact.removeprefix(_CRITERIA).split(", ")
            facts["criteria"] = {
                name.removeprefix("not "): not name.startswith("not ") for name in names
            }
            if set(facts["criteria"]) != set(CRITERIA):
                raise part.fault(offset, f"the criteria must be {', '.join(CRITERIA)}")
        elif fact:
            raise part.fault(offset, f"unknown line: {fact!r}")
    return facts


def _read_text(part: _Part, number: int, end: int, *, is_json: bool) -> str:
    text = "\n".join(part.lines[number + 1 : end]).strip("\n")
    if not is_json:
        return text
    block = _JSON_BLOCK.fullmatch(text)
    try:
        value = json.loads(block["text"]) if block else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, str):
        raise part.fault(number, "expected a JSON string in a ```json block below this heading")
    return value


def _task_of_known_fields(row: Any) -> SeedTask:
    task = SeedTask.from_dict(row)
    written = task.to_dict()
    if row != written:
        odd = sorted(set(row) - set(written)) or ["instances"]
        raise ValueError(f"unsupported fields for a page: {', '.join(odd)}")
    return task

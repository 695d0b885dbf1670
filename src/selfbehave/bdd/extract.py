"""Find blocks in an answer even if its fences are wrong.

Data comes only from blocks that are valid CommonMark (`fences`). This module reads the same text
leniently, so that a fault can be reported and repaired.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .fences import first_block, lines_of
from .steps import parse_python, read_step_functions

__all__ = ["Found", "compiles", "find_block", "find_leak", "has_step_functions", "unfinished_tail"]

# A line that begins the next task of a list; models often continue the list of the prompt.
_LEAK = re.compile(
    r"^[ \t]*+(?:(?:Task|Instruction|Exercise|Question|Problem)[ \t]*+(?:\d++[ \t]*+)?:"
    r"|Write the Python step functions for this Gherkin scenario)",
    re.M,
)
_GOES_ON = re.compile(r"[\s)\]}#]|(?:else|elif|except|finally)\b")
_STATEMENTS_TRIED = 5  # from the end; a string over several lines may look like statements


@dataclass(frozen=True)
class Found:
    """A block and the text around it.

    Attributes:
        before, body, after: the text without the fences.
        is_closed: whether a closing fence follows.
        is_proper: whether the block is valid CommonMark too, and its opening fence is followed by
            a language only.
        begins_on_fence_line: whether the body begins on the line of the opening fence.
        ends_on_fence_line: whether the body ends on the line of the closing fence.
    """

    before: str
    body: str
    after: str
    is_closed: bool
    is_proper: bool
    begins_on_fence_line: bool
    ends_on_fence_line: bool


def find_block(text: str, languages: tuple[str, ...]) -> Found | None:
    """The first block that seems to be in one of the languages."""
    names = "|".join(languages)
    opening = re.search(
        rf"(?<![`~])(?P<fence>`{{3,}}+|~{{3,}}+)[ \t]*+(?:{names})(?![\w+-])[ \t]*", text, re.I
    )
    if opening is None:
        return None
    before, rest = text[: opening.start()], text[opening.end() :]
    begins_on_line = not re.match(r"\r?(?:\n|\Z)", rest)
    own_line = not before.rpartition("\n")[2].strip(" ")
    block = first_block(text, languages)
    if block is not None and block.is_closed and own_line and not begins_on_line:
        return Found(before, block.body, text[block.end :], True, True, False, False)
    closing = re.search(f"{opening['fence']}{opening['fence'][0]}*", rest)
    if closing is None:
        return Found(before, rest, "", False, False, begins_on_line, False)
    body, after = rest[: closing.start()], rest[closing.end() :]
    ends_on_line = bool(body.rpartition("\n")[2].strip())
    return Found(before, body, after, True, False, begins_on_line, ends_on_line)


def find_leak(text: str) -> int | None:
    """The offset in characters of the next task's text; None if there is no such text."""
    leak = _LEAK.search(text)
    return None if leak is None else leak.start()


def compiles(code: str) -> bool:
    """Whether a text is valid Python. It is not executed."""
    try:
        parse_python(code)
    except SyntaxError:
        return False
    return True


def has_step_functions(code: str) -> bool:
    """Whether a text is valid Python with a step function."""
    try:
        return bool(read_step_functions(code).functions)
    except SyntaxError:
        return False


def unfinished_tail(code: str) -> int | None:
    """The offset of an unfinished last statement: the code compiles only without it.

    In characters. None if the code compiles unchanged, or does not compile even without its last
    statement.
    """
    if compiles(code):
        return None
    lines = lines_of(code)
    tried = 0
    for number in range(len(lines) - 1, 0, -1):
        if not lines[number].strip() or _GOES_ON.match(lines[number]):
            continue
        if lines[number - 1].startswith("@"):
            continue  # a decorated function starts at its first decorator
        kept = "".join(lines[:number])
        if compiles(kept):
            return len(kept)
        tried += 1
        if tried == _STATEMENTS_TRIED:
            break
    return None

"""Fenced code blocks (CommonMark 0.31, section 4.5) in a model's answer or an instruction."""

from __future__ import annotations

import io
import re
import textwrap
from dataclasses import dataclass

__all__ = ["GHERKIN", "PYTHON", "Block", "fence", "fenced_blocks", "first_block", "lines_of"]

GHERKIN = ("gherkin", "feature", "cucumber")
PYTHON = ("python", "py", "python3")

# Possessive: backtracking cannot find a match here, and would take quadratic time.
_FENCE = re.compile(
    r" {0,3}(?:(?P<ticks>`{3,}+)(?![^\n]*`)|(?P<tildes>~{3,}+))[ \t]*+(?P<language>[\w+-]*+).*"
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: the word after the opening fence, lower-cased; "" if there is none.
        body: the text between the fences, without common indentation and outer blank lines.
        is_closed: False if the text ends before the closing fence.
        end: the offset in the text where the block ends, in characters.
        start: the offset in the text where the opening fence's line begins, in characters.
    """

    language: str
    body: str
    is_closed: bool
    end: int
    start: int = 0


def fenced_blocks(text: str) -> list[Block]:
    """All fenced blocks of a text, in order."""
    blocks: list[Block] = []
    opening: re.Match[str] | None = None
    body: list[str] = []
    start = position = 0
    for line in lines_of(text):
        match = _FENCE.fullmatch(line.rstrip("\r\n"))
        if opening is None:
            if match:
                opening, body, start = match, [], position
            position += len(line)
            continue
        position += len(line)
        if match and _closes(match, opening):
            blocks.append(_block(opening, body, True, position, start))
            opening = None
        else:
            body.append(line)
    if opening is not None:
        blocks.append(_block(opening, body, False, position, start))
    return blocks


def lines_of(text: str) -> list[str]:
    """The lines of a text with their line ends: \\n, \\r or \\r\\n, as in CommonMark and Python.

    `str.splitlines` would also split string literals and table cells, at U+2028 and others.
    """
    return list(io.StringIO(text, newline=""))


def first_block(text: str, languages: tuple[str, ...]) -> Block | None:
    """The first block of a text in one of the languages."""
    return next((block for block in fenced_blocks(text) if block.language in languages), None)


def fence(language: str, body: str) -> str:
    """Put a body between fences; they are longer than any run of backticks in the body."""
    longest = max((len(run) for run in re.findall(r"`{3,}", body)), default=2)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{body}\n{ticks}"


def _closes(fence: re.Match[str], opening: re.Match[str]) -> bool:
    """Whether a fence closes another: same character, at least as long, without a language."""
    kind = "ticks" if opening["ticks"] else "tildes"
    return len(fence[kind] or "") >= len(opening[kind]) and not fence["language"]


def _block(opening: re.Match[str], body: list[str], is_closed: bool, end: int, start: int) -> Block:
    dedented = textwrap.dedent("".join(body))
    lines = [line.rstrip() for line in lines_of(dedented)]
    full = [number for number, line in enumerate(lines) if line]
    kept = lines[full[0] : full[-1] + 1] if full else []
    return Block(opening["language"].lower(), "\n".join(kept), is_closed, end, start)

"""Plain text and code as Markdown."""

from __future__ import annotations

import re

__all__ = ["code", "escaped", "fenced"]


def code(text: str) -> str:
    """A piece of code within a line."""
    return f"`{text}`"


def fenced(text: str, language: str) -> str:
    """A block of code."""
    return f"```{language}\n{text}\n```"


def escaped(text: str) -> str:
    """Text with all Markdown escaped, except for `backticks`."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([\\*_<>\[\]#|])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)

"""The code in a completion: a text, or the messages of a conversational one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..bdd.fences import PYTHON, first_block

__all__ = ["MAX_CHARACTERS", "Completion", "code_in", "text_of"]

MAX_CHARACTERS = 100_000  # of a completion; a longer one is not read

Completion = str | Sequence[Mapping[str, Any]]

_END_OF_THOUGHTS = re.compile(r"</think(?:ing)?>", re.I)


def text_of(completion: Completion) -> str:
    """The text of a completion; of messages, that of the last one of the assistant.

    Raises:
        TypeError: it is neither a text nor messages.
    """
    if isinstance(completion, str):
        return completion
    if not isinstance(completion, Sequence) or isinstance(completion, bytes):
        raise TypeError(f"a completion is a text or messages, not {type(completion).__name__}")
    for message in reversed(completion):
        if not isinstance(message, Mapping):
            raise TypeError(f"a message is an object, not {type(message).__name__}")
        if message.get("role", "assistant") == "assistant":
            return _content(message.get("content"))
    return ""


def code_in(text: str) -> str | None:
    """The body of the first closed Python block after the model's thoughts; None without one."""
    if len(text) > MAX_CHARACTERS:
        return None
    answer = _END_OF_THOUGHTS.split(text)[-1]
    block = first_block(answer, PYTHON)
    return block.body if block is not None and block.is_closed else None


def _content(content: Any) -> str:
    """The text of a message; its content may be a text or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        parts = (part.get("text") for part in content if isinstance(part, Mapping))
        return "".join(part for part in parts if isinstance(part, str))
    return ""

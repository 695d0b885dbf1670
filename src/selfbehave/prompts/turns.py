"""Examples as turns of a chat: the user asks, the assistant answers."""

from __future__ import annotations

from collections.abc import Iterable

from ..engines.base import Message

__all__ = ["turns"]


def turns(system: str, examples: Iterable[tuple[str, str]]) -> tuple[Message, ...]:
    """The messages before a prompt: a system message, then each question with its answer."""
    messages = [Message("system", system)]
    for asked, answered in examples:
        messages += [Message("user", asked), Message("assistant", answered)]
    return tuple(messages)

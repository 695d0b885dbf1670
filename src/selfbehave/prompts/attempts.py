"""The prompts of later attempts: a fresh one told how the outcome follows, or a repair."""

from __future__ import annotations

from dataclasses import replace

from ..bdd.faults import Fault, sentence
from ..bdd.ladder import Ladder
from ..engines.base import Message
from .base import Prompt

__all__ = ["repair_prompt", "with_reasoning"]

_MOST_FAULTS = 3
_MOST_CHARACTERS = 300  # of what is told of a fault


def with_reasoning(prompt: Prompt, reasoning: str) -> Prompt:
    """A prompt that also tells how the outcome follows, such as "30 + (5 - 2) * 8 = 54"."""
    return replace(prompt, text=f"{prompt.text}\n\nThe outcome follows so: {reasoning}")


def repair_prompt(prompt: Prompt, answer: str, ladder: Ladder) -> Prompt:
    """A prompt for a chat that shows the last answer and its faults and asks for a better one."""
    faults = "\n".join(f"- {_told(fault)}" for fault in ladder.faults[:_MOST_FAULTS])
    return replace(
        prompt,
        text=f"They do not work:\n{faults}\nWrite the whole block again, corrected.",
        before=(*prompt.before, Message("user", prompt.text), Message("assistant", answer)),
    )


def _told(fault: Fault) -> str:
    """A fault with what the code did: the line that failed, and the values that it compared."""
    told = sentence(fault)[:_MOST_CHARACTERS]
    if fault.detail.source:
        told += f"\n  in the line: {fault.detail.source}"
    told += "".join(f"\n  {source} is {value}" for source, value in fault.detail.operands)
    return told

"""Rows of datasets in our shapes: what each asks, and its answer.

The shapes are seed tasks, the rows of a run or a release (`instruction`, `input`, `output`), and
its forms for fine-tuning (`prompt` and `completion`, or `messages`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.fields import text_field, typed_field
from ..prompts.bdd import has_scenario, scenario_of

__all__ = ["answer_in", "asked_in", "scenario_or_text"]

Row = Mapping[str, Any]


def asked_in(row: Row) -> str:
    """What a row asks of a model.

    Raises:
        ValueError: the row has none of the shapes.
    """
    if "instruction" in row:
        instruction = text_field(row, "instruction")
        return f"{instruction}\n\n{row['input']}" if row.get("input") else instruction
    if "prompt" in row:
        return text_field(row, "prompt")
    if "messages" in row:
        return _message(row, "user")
    raise ValueError("no field 'instruction', 'prompt' or 'messages'")


def answer_in(row: Row) -> str:
    """The answer that a row gives; a seed task's first output.

    Raises:
        ValueError: the row has none of the shapes.
    """
    if "instances" in row:
        instances = typed_field(row, "instances", list, "a list of {input, output}")
        if not instances or not isinstance(instances[0], dict):
            raise ValueError("field 'instances' must hold objects {input, output}")
        return text_field(instances[0], "output")
    if "instruction" in row:
        return text_field(row, "output")
    return text_field(row, "completion") if "prompt" in row else _message(row, "assistant")


def scenario_or_text(text: str) -> str:
    """The scenario in a text, for comparisons; the text itself if it has none."""
    return scenario_of(text) if has_scenario(text) else text


def _message(row: Row, role: str) -> str:
    for message in typed_field(row, "messages", list, "a list of messages"):
        if isinstance(message, dict) and message.get("role") == role:
            return text_field(message, "content")
    raise ValueError(f"no message of the {role} in 'messages'")

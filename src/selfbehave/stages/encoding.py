"""Encodings of an example as a prompt and its completion, drawn at random for variety.

Self-Instruct (Wang et al., section 2.3) trains on several layouts, so that a model does not depend
on one of them. No end-of-text mark is added: the tokenizer does that.
"""

from __future__ import annotations

import random

from ..core.records import Example

__all__ = ["encode"]

_WITH_INPUT = (
    ("{instruction}\nInput: {input}\nOutput:", " {output}"),
    ("{instruction}\n\nInput: {input}\n\nOutput:", " {output}"),
    ("Task: {instruction}\nInput: {input}\nOutput:", " {output}"),
    ("{instruction}\n\n{input}\n\nOutput:", " {output}"),
    ("{instruction}\n\n{input}\n\n", "{output}"),
    ("Task: {instruction}\n\n{input}\n\n", "{output}"),
)
_WITHOUT_INPUT = (
    ("{instruction}\nOutput:", " {output}"),
    ("{instruction}\n\nOutput:", " {output}"),
    ("{instruction}\n\n", "{output}"),
    ("Task: {instruction}\n\n", "{output}"),
)
# A fenced block must begin on a new line.
_WITHOUT_INPUT_FENCED = (
    ("{instruction}\n\n", "{output}"),
    ("{instruction}\n\nOutput:\n", "{output}"),
    ("Task: {instruction}\n\n", "{output}"),
    ("Task: {instruction}\n\nOutput:\n", "{output}"),
)


def encode(example: Example, chance: random.Random) -> dict[str, str]:
    """Encode an example as {prompt, completion}, with a template drawn by `chance`."""
    templates: tuple[tuple[str, str], ...]
    if example.input:
        templates = _WITH_INPUT
    elif example.output.startswith("```"):
        templates = _WITHOUT_INPUT_FENCED
    else:
        templates = _WITHOUT_INPUT
    prompt, completion = chance.choice(templates)
    return {"prompt": _fill(prompt, example), "completion": _fill(completion, example)}


def _fill(template: str, example: Example) -> str:
    return template.format(
        instruction=example.instruction.strip(), input=example.input, output=example.output
    )

"""Make requests from prompts and settings, and the metadata of answers for records."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

from ..engines.base import Completion, Engine, Request
from ..prompts import Known, Prompt

__all__ = ["Sampling", "answer_metadata", "grammar_for", "known_of", "make_request"]


# The requests of a stage share the beginning of their prompts: each stage has a prompt cache.
_SLOTS = {"bootstrap": 0, "classify": 1, "instances": 2}


class Sampling(Protocol):
    """The fields of `SamplingSettings`, and a random seed."""

    @property
    def temperature(self) -> float | None: ...
    @property
    def top_p(self) -> float | None: ...
    @property
    def max_tokens(self) -> int | None: ...
    @property
    def random_seed(self) -> int: ...


def make_request(
    stage: str,
    index: int,
    prompt: Prompt,
    engine: Engine,
    settings: Sampling,
    temperature: float,
    top_p: float,
    attempt: int = 0,
) -> Request:
    """Make the request for a prompt.

    Args:
        temperature, top_p: the stage's defaults, used if the settings are None.
        attempt: which answer to the same item it asks for, from 0.
    """
    grammar = grammar_for(prompt, engine)
    drawn = f"{settings.random_seed} {stage} {index}" + (f" {attempt}" if attempt else "")
    digest = hashlib.sha256(drawn.encode()).digest()
    if prompt.temperatures:
        temperature = prompt.temperatures[min(attempt, len(prompt.temperatures) - 1)]
    return Request(
        stage=stage,
        index=index,
        prompt=prompt.text,
        temperature=temperature if settings.temperature is None else settings.temperature,
        top_p=top_p if settings.top_p is None else settings.top_p,
        max_tokens=settings.max_tokens or prompt.max_tokens,
        seed=int.from_bytes(digest[:4], "big") >> 1,  # 31 bits: the most that servers agree on
        # With a grammar: no stop texts. A valid answer may contain one, and the grammar ends it.
        stop=() if grammar else prompt.stop,
        grammar=grammar,
        before=prompt.before,
        slot=_SLOTS.get(stage),
    )


def grammar_for(prompt: Prompt, engine: Engine) -> str | None:
    """The grammar of a prompt's answer, made only for an engine that accepts grammars."""
    return prompt.grammar() if prompt.grammar and engine.takes_grammar else None


def answer_metadata(request: Request, completion: Completion, engine: Engine) -> dict[str, Any]:
    """The metadata of an answer for a record; `request_key` is its key in the journal."""
    thoughts = completion.reasoning_tokens
    return {
        "engine": engine.identity,
        "api": engine.api,
        "request_key": request.key(engine),
        "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        **({"reasoning_tokens": thoughts} if thoughts else {}),
    }


def known_of(instruction_metadata: Mapping[str, Any]) -> Known:
    """What the program knows of an instruction's outcome, if it drew the values."""
    axes = instruction_metadata.get("axes")
    if not isinstance(axes, dict):
        return Known()
    known_sum, rows = axes.get("sum"), axes.get("rows")
    first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    return Known(
        known_sum if isinstance(known_sum, str) else None,
        {str(name): str(value) for name, value in first.items()},
    )

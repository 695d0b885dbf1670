"""Make requests from prompts and settings, and the metadata of answers for records."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

from ..engines.base import Completion, Engine, Request
from ..prompts import Prompt

__all__ = ["answer_metadata", "grammar_for", "make_request"]


class _Sampling(Protocol):
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
    settings: _Sampling,
    temperature: float,
    top_p: float,
) -> Request:
    """Make the request for a prompt.

    Args:
        temperature, top_p: the stage's defaults, used if the settings are None.
    """
    grammar = grammar_for(prompt, engine)
    digest = hashlib.sha256(f"{settings.random_seed} {stage} {index}".encode()).digest()
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

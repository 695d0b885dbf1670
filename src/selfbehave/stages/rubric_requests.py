"""The request that asks a model whether a scenario meets a criterion of the rubric."""

from __future__ import annotations

from ..engines.base import Engine, Request
from ..prompts.rubric import rubric_prompt
from .requests import grammar_for

__all__ = ["rubric_request"]

_WARMER = 0.7  # the temperature of another try: at 0 a model would say the same again


def rubric_request(
    stage: str,
    criterion: str,
    scenario: str,
    engine: Engine,
    *,
    max_tokens: int | None = None,
    is_bad_first: bool = False,
    attempt: int = 0,
    slot: int | None = None,
) -> Request:
    """Make the request, whose answer is one word: an engine that takes grammars is held to it.

    Args:
        stage: under which the journal stores the answer.
        max_tokens: the token limit of the answer, for models that reason first; a few by default.
        is_bad_first: the order of the prompt's examples, as in `rubric_prompt`.
        attempt: which answer to the same question it asks for, from 0.
        slot: the prompt cache that it goes to.
    """
    prompt = rubric_prompt(criterion, scenario, engine.api, is_bad_first=is_bad_first)
    grammar = grammar_for(prompt, engine)
    return Request(
        stage=stage,
        index=attempt,
        prompt=prompt.text,
        temperature=_WARMER if attempt else 0.0,
        top_p=1.0,
        max_tokens=max_tokens or prompt.max_tokens,
        seed=attempt,
        # A model that reasons first may output an empty line.
        stop=() if grammar or max_tokens else prompt.stop,
        grammar=grammar,
        slot=slot,
    )

"""The embedded models: known files that run on this machine."""

from __future__ import annotations

from ..models import model_file, model_named
from ..settings import IN_FLIGHT_HERE, EngineSettings
from .llama_cpp import LlamaCppEngine, is_held_to_grammars
from .openai_requests import extra_body_in

__all__ = ["embedded"]


def embedded(settings: EngineSettings) -> LlamaCppEngine:
    """The engine of an embedded model, such as `embedded`.

    Raises:
        SelfBehaveError: its file is not on this machine, or cannot be assembled.
    """
    model = model_named(settings.engine)
    api = settings.api_or(model.api)
    return LlamaCppEngine(
        model_file(model),
        model.identity,
        in_flight=settings.in_flight_or(IN_FLIGHT_HERE),
        prompt_cache=settings.prompt_cache == "on",
        api=api,
        takes_grammar=is_held_to_grammars(settings, model.api),
        notice=f"{model.title}, licence {model.licence}: {model.terms}",
        extra_body=extra_body_in(settings.extra_body),
        thinking_tokens=settings.thinking_tokens,
    )

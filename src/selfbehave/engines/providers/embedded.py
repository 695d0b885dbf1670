"""The embedded models: known files that run on this machine."""

from __future__ import annotations

from pathlib import Path

from ..models import MODELS, model_file, model_named
from ..settings import EngineSettings
from .llama_cpp import LlamaCppEngine, is_held_to_grammars
from .openai_requests import extra_body_in

__all__ = ["embedded", "embedded_model"]


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
        slots=settings.request_batch_size,
        api=api,
        takes_grammar=is_held_to_grammars(settings, model.api),
        notice=f"{model.title}, under the {model.licence}: {model.terms}",
        extra_body=extra_body_in(settings.extra_body),
        thinking_tokens=settings.thinking_tokens,
    )


def embedded_model() -> Path:
    """The file of the default embedded model, joined from its packages on first use (253 MB)."""
    return model_file(MODELS[0])

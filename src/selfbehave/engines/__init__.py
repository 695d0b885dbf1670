"""A language model behind one small protocol: embedded, or any OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import loading_on_use

if TYPE_CHECKING:
    from .base import Completion, Engine, Request
    from .journal import Journal, Kept
    from .providers.http_answers import completion_of
    from .registry import open_engine, portable, runs_here

__all__ = [
    "Completion",
    "Engine",
    "Journal",
    "Kept",
    "Request",
    "completion_of",
    "open_engine",
    "portable",
    "runs_here",
]

__getattr__ = loading_on_use(
    __name__,
    {
        "Completion": ".base",
        "Engine": ".base",
        "Journal": ".journal",
        "Kept": ".journal",
        "Request": ".base",
        "completion_of": ".providers.http_answers",
        "open_engine": ".registry",
        "portable": ".registry",
        "runs_here": ".registry",
    },
)

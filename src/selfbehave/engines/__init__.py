"""A language model behind one small protocol: embedded, or any OpenAI-compatible endpoint."""

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

"""A language model behind one small protocol: embedded, or any OpenAI-compatible endpoint."""

from .journal import FolderInUseError, Journal, Kept
from .openai_compatible import completion_of
from .protocol import Completion, Engine, Request
from .resolve import open_engine, portable, runs_here

__all__ = [
    "Completion",
    "Engine",
    "FolderInUseError",
    "Journal",
    "Kept",
    "Request",
    "completion_of",
    "open_engine",
    "portable",
    "runs_here",
]

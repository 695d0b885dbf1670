"""A language model behind one small protocol: embedded, or any OpenAI-compatible endpoint."""

from .journal import FolderInUseError, Journal, Kept
from .protocol import Completion, Engine, Request
from .resolve import open_engine, portable, runs_here

__all__ = [
    "Completion",
    "Engine",
    "FolderInUseError",
    "Journal",
    "Kept",
    "Request",
    "open_engine",
    "portable",
    "runs_here",
]

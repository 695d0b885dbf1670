"""A language model behind one small protocol: embedded, or any OpenAI-compatible endpoint."""

from .journal import Journal
from .protocol import Completion, Engine, Request
from .resolve import open_engine, runs_here

__all__ = ["Completion", "Engine", "Journal", "Request", "open_engine", "runs_here"]

"""Language models behind one small protocol, and the journal of their answers.

`providers` make single calls; a `Client` around them retries, limits and emits events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import loading_on_use

if TYPE_CHECKING:
    from .base import Api, Completion, Engine, Message, Request
    from .client import Client
    from .failures import Cause, TryAgainError
    from .journal import Journal, Kept
    from .providers.openai_compatible import OpenAICompatibleEngine
    from .providers.openai_requests import Server
    from .registry import kind_of_engine, open_engine, portable, requests_in_flight, runs_here
    from .settings import EngineSettings

__all__ = [
    "Api",
    "Cause",
    "Client",
    "Completion",
    "Engine",
    "EngineSettings",
    "Journal",
    "Kept",
    "Message",
    "OpenAICompatibleEngine",
    "Request",
    "Server",
    "TryAgainError",
    "kind_of_engine",
    "open_engine",
    "portable",
    "requests_in_flight",
    "runs_here",
]

__getattr__ = loading_on_use(
    __name__,
    {
        "Api": ".base",
        "Cause": ".failures",
        "Client": ".client",
        "Completion": ".base",
        "Engine": ".base",
        "EngineSettings": ".settings",
        "Journal": ".journal",
        "Kept": ".journal",
        "Message": ".base",
        "OpenAICompatibleEngine": ".providers.openai_compatible",
        "Request": ".base",
        "Server": ".providers.openai_requests",
        "TryAgainError": ".failures",
        "kind_of_engine": ".registry",
        "open_engine": ".registry",
        "portable": ".registry",
        "requests_in_flight": ".registry",
        "runs_here": ".registry",
    },
)

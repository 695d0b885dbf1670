"""The settings of an engine: its name, address and limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.option_fields import option

if TYPE_CHECKING:
    from .base import Api

__all__ = ["EngineSettings"]


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """Which engine answers prompts, and how many requests it gets at once."""

    engine: str = option(
        "embedded",
        "the model that answers: 'embedded', 'embedded-coder', a path ending in .gguf, "
        "a Hugging Face 'org/model', or an OpenAI-compatible address 'http(s)://…/v1'. Several "
        "that serve the same model share the requests: give --engine again, or commas between",
        is_repeatable=True,
        may_change=True,
    )
    base_url: str | None = option(
        None,
        "address of an OpenAI-compatible server for --engine, or several with commas between",
        may_change=True,
    )
    model: str | None = option(None, "model to ask for at --engine's address")
    api: str | None = option(
        None,
        "endpoint kind; default: chat, but completions for a model without a chat template",
        ("chat", "completions"),
    )
    grammar: str = option(
        "auto",
        "constrain answers by a llama.cpp grammar: auto = for base models that run on this machine",
        ("auto", "on", "off"),
    )
    request_batch_size: int = option(
        5, "requests in flight at once, over all addresses", may_change=True
    )
    api_key: str | None = option(
        None, "key or token; default: HF_TOKEN for 'org/model', else OPENAI_API_KEY"
    )
    organization: str | None = option(None, "value of the OpenAI-Organization header")
    max_wait: float = option(600.0, "seconds to keep retrying one request")
    request_timeout: float = option(
        600.0, "seconds to wait for one complete answer before retrying"
    )

    def api_or(self, default: Api) -> Api:
        """The endpoint kind that the settings name, or else the engine's default."""
        return "chat" if (self.api or default) == "chat" else "completions"

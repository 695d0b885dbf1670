"""What a stage asks of an engine and what it gets back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Completion", "Engine", "Request"]


@dataclass(frozen=True)
class Request:
    """One prompt with all that determines its answer, the engine apart.

    Attributes:
        stage: that asks.
        index: of the request within its stage, from 0.
        prompt: the completions prompt, or the one user message of a chat.
        temperature, top_p, max_tokens, seed: sampling parameters.
        stop: texts that end the answer; applied to whatever comes back as well.
        grammar: a llama.cpp grammar (GBNF) for the answer, or None.
    """

    stage: str
    index: int
    prompt: str
    temperature: float
    top_p: float
    max_tokens: int
    seed: int
    stop: tuple[str, ...] = ()
    grammar: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The sampling parameters, as an OpenAI-compatible request names them."""
        parameters: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
        }
        if self.stop:
            parameters["stop"] = list(self.stop)
        if self.grammar is not None:
            parameters["grammar"] = self.grammar
        return parameters

    def key(self, engine: Engine) -> str:
        """The journal's key: a digest of the request, the engine and the endpoint kind."""
        determining = [
            engine.identity,
            engine.api,
            self.stage,
            self.index,
            self.prompt,
            self.parameters,
        ]
        text = json.dumps(determining, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Completion:
    """An engine's answer.

    Attributes:
        text: what the engine wrote, not the prompt.
        finish_reason: "stop", "length", or the server's own word.
        prompt_tokens, completion_tokens: as the server counted them.
        attempts: requests made until one was answered.
        is_replayed: whether it came from the journal.
    """

    text: str
    finish_reason: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    attempts: int = 1
    is_replayed: bool = False

    @property
    def is_truncated(self) -> bool:
        """Whether the end of the answer is missing, so that its tail must not become data."""
        return self.finish_reason != "stop"


class Engine(Protocol):
    """What answers prompts.

    Attributes:
        identity: names the model, not where it runs: part of the journal's keys.
        api: endpoint kind, "chat" or "completions".
        takes_grammar: whether requests may carry a grammar.
        notice: terms of the model that its user must know of, or None.
    """

    identity: str
    api: Any
    takes_grammar: bool
    notice: str | None

    async def complete(self, request: Request) -> Completion:
        """Answer a request.

        Raises:
            SelfBehaveError: the engine refused the request, or stayed away too long.
        """
        ...

    def stop_retrying(self) -> None:
        """Let no request be tried again: those in flight may still be answered."""
        ...

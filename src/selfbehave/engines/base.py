"""What a stage asks of an engine, what it gets back, and what an engine is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, Self

__all__ = ["Api", "Completion", "Engine", "Request"]

Api = Literal["chat", "completions"]


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
    """What answers prompts: one call for each request, and nothing else.

    Subclass it, and all but `identity` and `complete` has a default. A `Client` around an engine
    tries again, limits how many requests are in flight, and tells what happens.

    An engine is used within `async with`, which it may override to open and close what it needs.
    After that it may be opened again, maybe in another event loop.

    Attributes:
        identity: names the model, not where it runs: part of the journal's keys.
        api: endpoint kind, "chat" or "completions": prompts are laid out for it.
        takes_grammar: whether requests may carry a grammar.
        notice: terms of the model that its user must know of, or None.
        address: where it answers, for messages; None where that is of no interest.
        runs_here: whether the model runs on this machine, so that all answers take about as long.
    """

    identity: str
    api: Api = "chat"
    takes_grammar: bool = False
    notice: str | None = None
    address: str | None = None
    runs_here: bool = False

    async def complete(self, request: Request) -> Completion:
        """Answer a request, by a single attempt.

        Raises:
            TryAgainError: it failed in a way that may pass.
            SelfBehaveError: it will never be answered: the run ends.
        """
        ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

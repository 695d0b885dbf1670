"""The protocol of engines: the request of a stage, the answer, and the engine itself."""

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
    """One prompt with everything, except the engine, that determines its answer.

    Attributes:
        stage: the stage that sends it.
        index: its number within the stage, from 0.
        prompt: the completions prompt, or the only user message of a chat.
        temperature, top_p, max_tokens, seed: sampling parameters.
        stop: texts that end the answer; also applied to the text that comes back.
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
        """The sampling parameters, with the names of an OpenAI-compatible request."""
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
        attempts: the number of attempts until the answer.
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
        """Whether the end of the answer is missing; its last part must then not become data."""
        return self.finish_reason != "stop"


class Engine(Protocol):
    """Answers prompts, with one call for each request.

    A subclass must define `identity` and `complete`; the rest has defaults. A `Client` around an
    engine retries, limits the number of requests in flight, and emits events.

    Use an engine within `async with`, which it may override to open and close its resources.
    Afterwards it may be opened again, maybe in another event loop.

    Attributes:
        identity: names the model, not where it runs. It is part of the journal's keys.
        api: endpoint kind, "chat" or "completions", which decides the layout of prompts.
        takes_grammar: whether requests may carry a grammar.
        notice: terms of the model that its user must know, or None.
        address: where it answers, for messages; None if that does not matter.
        runs_here: whether the model runs on this machine, so that all answers take about as long.
    """

    identity: str
    api: Api = "chat"
    takes_grammar: bool = False
    notice: str | None = None
    address: str | None = None
    runs_here: bool = False

    async def complete(self, request: Request) -> Completion:
        """Answer a request in a single attempt.

        Raises:
            TryAgainError: the failure is temporary.
            SelfBehaveError: the failure is permanent; the run ends.
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

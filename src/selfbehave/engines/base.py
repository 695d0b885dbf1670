"""The protocol of engines: the request of a stage, the answer, and the engine itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Literal, Protocol, Self

__all__ = ["Api", "Completion", "Engine", "Message", "Request"]

Api = Literal["chat", "completions"]


@dataclass(frozen=True)
class Message:
    """A message of a chat.

    Attributes:
        role: "system", "user" or "assistant".
        content: its text.
    """

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Request:
    """One prompt with everything, except the engine, that determines its answer.

    Attributes:
        stage: the stage that sends it.
        index: its number within the stage, from 0.
        prompt: the completions prompt, or the last user message of a chat.
        temperature, top_p, max_tokens, seed: sampling parameters.
        stop: texts that end the answer; also applied to the text that comes back.
        grammar: a llama.cpp grammar (GBNF) for the answer, or None.
        before: for a chat, the messages before the prompt: a system message, and examples as
            turns of user and assistant.
        begun: for a chat, the beginning of the answer, from which the model goes on; the
            completion's text is what follows it. It should end where a token ends. Only for
            engines that take begun answers.
        slot: which of the server's prompt caches to use. Requests with the same number share a
            beginning. It does not determine the answer.
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
    before: tuple[Message, ...] = ()
    begun: str = ""
    slot: int | None = None

    @property
    def messages(self) -> list[dict[str, str]]:
        """The messages of a chat, as JSON objects."""
        messages = [asdict(message) for message in self.before]
        messages.append({"role": "user", "content": self.prompt})
        if self.begun:
            messages.append({"role": "assistant", "content": self.begun})
        return messages

    @property
    def transcript(self) -> str:
        """All that the engine reads, as one text: the prompt, or the messages with their roles."""
        if not self.before and not self.begun:
            return self.prompt
        return "\n\n".join(f"[{one['role']}]\n{one['content']}" for one in self.messages)

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
        if self.before or self.begun:
            # Only then: a request with a prompt alone keeps the key that older versions gave it.
            determining += [[asdict(message) for message in self.before], self.begun]
        if additions := getattr(engine, "additions", None):
            determining.append({"additions": dict(additions)})
        text = json.dumps(determining, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Completion:
    """An engine's answer.

    Attributes:
        text: what the engine wrote, neither the prompt nor its thoughts.
        finish_reason: "stop", "length", or the server's own word.
        prompt_tokens, completion_tokens: as the server counted them; the second includes the
            tokens of thoughts.
        attempts: the number of attempts until the answer.
        is_replayed: whether it came from the journal.
        reasoning: the thoughts that a reasoning model wrote before its answer; they never become
            data.
        reasoning_tokens: those of the completion tokens that went into thoughts.
        cached_tokens: those of the prompt tokens that the server had in its cache.
    """

    text: str
    finish_reason: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    attempts: int = 1
    is_replayed: bool = False
    reasoning: str = ""
    reasoning_tokens: int = 0
    cached_tokens: int = 0

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
        additions: what the user adds to each request beyond the stage's parameters. It is part of
            the journal's keys.
        changes: the parameters that the server refused, each with the name under which it is sent
            instead, or "" if it is left out. It grows while the engine answers.
        takes_begun: whether requests may begin the answer (`Request.begun`).
        notice: terms of the model that its user must know, or None.
        address: where it answers, for messages; None if that does not matter.
        runs_here: whether the model runs on this machine, so that all answers take about as long.
    """

    identity: str
    api: Api = "chat"
    takes_grammar: bool = False
    takes_begun: bool = False
    additions: Mapping[str, Any] = MappingProxyType({})
    changes: Mapping[str, str] = MappingProxyType({})
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

"""Asks a chat endpoint, and keeps every answer: the same request is never sent twice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from selfbehave.core.errors import SelfBehaveError

from .kept import KeptRecords, digest
from .prompts import Message

__all__ = ["Answer", "Asker", "ChatServer"]

_TOP_P = 0.95
_SECONDS = 900.0  # until an answer must be there: a busy processor evaluates some tokens a second


@dataclass(frozen=True)
class ChatServer:
    """A server with a chat endpoint.

    Attributes:
        address: such as "http://localhost:8000/v1".
        model: as it names the model: part of the keys that answers are kept under.
        headers: sent with each request.
        slots: how many prompts llama.cpp keeps in its cache, one a slot; 0 for a server that is not
            told which slot to take.
    """

    address: str
    model: str
    headers: Mapping[str, str] = field(default_factory=dict)
    slots: int = 0


@dataclass(frozen=True)
class Answer:
    """One answer; the tokens are as the server counted them.

    Attributes:
        text: what the model added to the beginning of the answer that it was given.
        finish_reason: "stop" or "length".
        answer_tokens: generated.
        prompt_tokens: of the whole prompt.
        cached_tokens: of these, taken from the server's cache; 0 where it does not say.
        seconds: from request to answer.
    """

    text: str
    finish_reason: str
    answer_tokens: int
    prompt_tokens: int
    cached_tokens: int
    seconds: float


class Asker:
    """Asks a server for what is not kept yet.

    Args:
        server: that is asked.
        kept: the answers so far.
    """

    def __init__(self, server: ChatServer, kept: KeptRecords) -> None:
        self._server = server
        self._kept = kept
        self._client = httpx.Client(timeout=_SECONDS, headers=dict(server.headers))

    def ask(
        self,
        messages: list[Message],
        *,
        temperature: float,
        max_tokens: int,
        seed: int,
        stop: tuple[str, ...] = (),
        beginning: str = "",
        slot: int = 0,
    ) -> Answer:
        """The answer to a chat.

        Args:
            stop: texts that end the answer.
            beginning: of the answer, that the model goes on from. It should end where a token
                ends. Few servers can do this; llama.cpp's can.
            slot: of the server's prompt cache.

        Raises:
            SelfBehaveError: the server cannot be reached, or refuses.
        """
        if beginning:
            messages = [*messages, {"role": "assistant", "content": beginning}]
        body: dict[str, Any] = {
            "messages": messages,
            "temperature": temperature,
            "top_p": _TOP_P,
            "max_tokens": max_tokens,
            "seed": seed,
        }
        if stop:
            body["stop"] = list(stop)
        key = digest(self._server.model, body)
        record = self._kept.get(key)
        if record is None:
            answer = self._asked(body, beginning, slot)
            self._kept.add(key, {"model": self._server.model, **asdict(answer)})
            return answer
        return Answer(**{name: record[name] for name in Answer.__dataclass_fields__})

    def _asked(self, body: dict[str, Any], beginning: str, slot: int) -> Answer:
        sent = {**body, "model": self._server.model}
        if self._server.slots:
            sent["id_slot"] = slot % self._server.slots
        began = time.monotonic()
        content = _posted(self._client, f"{self._server.address}/chat/completions", sent)
        try:
            choice, usage = content["choices"][0], content["usage"]
            details = usage.get("prompt_tokens_details") or {}
            return Answer(
                text=str(choice["message"]["content"] or "").removeprefix(beginning),
                finish_reason=str(choice["finish_reason"]),
                answer_tokens=int(usage["completion_tokens"]),
                prompt_tokens=int(usage["prompt_tokens"]),
                cached_tokens=int(details.get("cached_tokens") or 0),
                seconds=time.monotonic() - began,
            )
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise SelfBehaveError(
                f"an answer without {error}",
                where=self._server.address,
                mend="give the address of an OpenAI-compatible server that counts tokens",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()


def _posted(client: httpx.Client, url: str, body: dict[str, Any]) -> Any:
    try:
        response = client.post(url, json=body)
    except httpx.HTTPError as error:
        raise SelfBehaveError(
            f"the server does not answer: {error or type(error).__name__}",
            where=url,
            mend="start it, then give the same command: it goes on from the answers kept",
            goes_on=True,
        ) from error
    if response.is_error:
        raise SelfBehaveError(
            f"the server refuses ({response.status_code}): {response.text}",
            where=url,
            mend="see what it says",
        )
    try:
        return response.json()
    except ValueError as error:
        raise SelfBehaveError(
            "the answer is not JSON", where=url, mend="check the address"
        ) from error

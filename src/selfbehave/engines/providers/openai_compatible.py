"""An OpenAI-compatible server as an engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any

from ..base import Api, Completion, Engine, Request
from .http_connections import Connection, Connections, HttpResponse
from .openai_answers import answer_of, completion_of
from .openai_requests import Server, body_of, url_of
from .refused_parameters import changed, refused_in

__all__ = ["OpenAICompatibleEngine", "Server"]

_REFUSAL_SECONDS = 1.0


class OpenAICompatibleEngine(Engine):
    """A model at `/chat/completions` or `/completions` of one server (see `Engine`).

    A parameter that the server refuses is renamed or left out from then on (see `changes`).

    Args:
        server: its address, and the headers and parameters of each request.
        model: the server's name for it; also the identity. The address is not part of the
        identity: if the server moves or another one answers, no answers are lost.
        takes_grammar: whether the server takes llama.cpp's grammars.
        additions: what the user adds to each request (see `Engine`).
    """

    def __init__(
        self,
        server: Server,
        model: str,
        *,
        api: Api = "chat",
        takes_grammar: bool = False,
        additions: Mapping[str, Any] | None = None,
    ) -> None:
        self.identity = model
        self.api = api
        self.takes_grammar = takes_grammar
        self.address = server.place
        self.additions = dict(additions or {})
        self.changes: dict[str, str] = {}
        self._server = server
        self._first: asyncio.Event | None = None  # set once the first request has its response
        self._connections = Connections(
            server.place, server.headers, may_use_proxy=not server.is_in_process
        )

    async def complete(self, request: Request) -> Completion:
        """Send the request to the server once; again if it refuses a parameter."""
        body = body_of(request, self._server, self.identity, self.api)
        async with self._connections.taking_one() as connection:
            async with self._after_the_first():
                response = await self._response(connection, body)
            answer = answer_of(response)
            if "id" in answer:
                connection.refuse_repeated(response.content)
            connection.remember(response.content)
        return completion_of(answer, request)

    @asynccontextmanager
    async def _after_the_first(self) -> AsyncIterator[None]:
        """Let the first request find out what is refused; the others wait for it, but not long.

        Servers refuse at once, but take long to answer.
        """
        if self._first is None and not self._server.is_in_process:
            self._first = asyncio.Event()
            try:
                yield
            finally:
                self._first.set()
            return
        if self._first is not None and not self._first.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_REFUSAL_SECONDS):
                    await self._first.wait()
        yield

    async def _response(
        self, connection: Connection, whole_body: Mapping[str, Any]
    ) -> HttpResponse:
        while True:
            body = changed(whole_body, self.changes)
            response = await connection.post(url_of(self._server, self.api), body)
            refused = refused_in(response, body, besides=self._server.extra_parameters)
            if not refused:
                return response
            # One that was learned meanwhile, from another request, is in `changes` already.
            self.changes |= refused

    @property
    def server(self) -> Server:
        """The server that it asks."""
        return self._server

    def batch_body(self, request: Request) -> dict[str, Any]:
        """The body of a request, for a line of a batch's file."""
        return changed(body_of(request, self._server, self.identity, self.api), self.changes)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._first = None
        await self._connections.close()

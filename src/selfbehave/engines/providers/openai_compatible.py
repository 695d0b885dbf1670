"""An OpenAI-compatible server as an engine."""

from __future__ import annotations

from types import TracebackType

from ..base import Api, Completion, Engine, Request
from .http_connections import Connections
from .openai_answers import answer_of, completion_of
from .openai_requests import Server, body_of, url_of

__all__ = ["OpenAICompatibleEngine", "Server"]


class OpenAICompatibleEngine(Engine):
    """A model at `/chat/completions` or `/completions` of one server (see `Engine`).

    Args:
        server: its address, and the headers and parameters of each request.
        model: the server's name for it; also the identity. The address is not part of the
        identity: if the server moves or another one answers, no answers are lost.
        takes_grammar: whether the server takes llama.cpp's grammars.
    """

    def __init__(
        self, server: Server, model: str, *, api: Api = "chat", takes_grammar: bool = False
    ) -> None:
        self.identity = model
        self.api = api
        self.takes_grammar = takes_grammar
        self.address = server.address
        self._server = server
        self._connections = Connections(server.address, server.headers)

    async def complete(self, request: Request) -> Completion:
        """Send the request to the server once."""
        body = body_of(request, self._server, self.identity, self.api)
        async with self._connections.taking_one() as connection:
            response = await connection.post(url_of(self._server, self.api), body)
            answer = answer_of(response)
            if "id" in answer:
                connection.refuse_repeated(response.content)
            connection.remember(response.content)
        return completion_of(answer, request)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connections.close()

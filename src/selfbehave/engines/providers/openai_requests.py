"""What an OpenAI-compatible server is sent: address, headers and body, without any I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import SelfBehaveError
from ..base import Api, Request

__all__ = ["Server", "body_of", "headers_of", "url_of"]

_PATHS: Mapping[Api, str] = {"chat": "/chat/completions", "completions": "/completions"}


@dataclass(frozen=True)
class Server:
    """A server as its requests need to know it.

    Attributes:
        address: such as "http://localhost:8000/v1".
        headers: sent with each request (see `headers_of`).
        extra_parameters: put into the body of each request.
    """

    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    extra_parameters: Mapping[str, Any] = field(default_factory=dict)


def url_of(server: Server, api: Api) -> str:
    """Where a request goes."""
    return server.address.rstrip("/") + _PATHS[api]


def headers_of(api_key: str | None, organization: str | None = None) -> dict[str, str]:
    """The headers that say who asks.

    Raises:
        SelfBehaveError: a header cannot hold one of the two.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    if organization:
        headers["OpenAI-Organization"] = organization
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise SelfBehaveError(
            "the key, token or organization holds a character that none can have",
            mend="check --api_key, HF_TOKEN or OPENAI_API_KEY, and --organization",
        )
    return headers


def body_of(request: Request, server: Server, model: str, api: Api) -> dict[str, Any]:
    """The body of a request, as JSON will hold it."""
    body = {"model": model, **request.parameters, **server.extra_parameters}
    if api == "chat":
        return {**body, "messages": [{"role": "user", "content": request.prompt}]}
    return {**body, "prompt": request.prompt}

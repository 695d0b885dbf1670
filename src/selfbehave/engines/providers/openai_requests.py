"""The address, headers and body of a request to an OpenAI-compatible server, without I/O."""

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
    """The properties of a server that its requests need.

    Attributes:
        address: such as "http://localhost:8000/v1".
        headers: sent with each request (see `headers_of`).
        extra_parameters: added to the body of each request.
        slots: the number of prompt caches that requests may choose from by `id_slot`, as llama.cpp
            has them; 0 for a server that does not know this parameter.
    """

    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    extra_parameters: Mapping[str, Any] = field(default_factory=dict)
    slots: int = 0


def url_of(server: Server, api: Api) -> str:
    """The address that a request goes to."""
    return server.address.rstrip("/") + _PATHS[api]


def headers_of(api_key: str | None, organization: str | None = None) -> dict[str, str]:
    """The headers that identify the user.

    Raises:
        SelfBehaveError: one of the two values is not valid in a header.
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
    """The body of a request, as a JSON object."""
    body = {"model": model, **request.parameters, **server.extra_parameters}
    if server.slots and request.slot is not None:
        body["id_slot"] = request.slot % server.slots
    if api == "chat":
        return {**body, "messages": request.messages}
    return {**body, "prompt": request.prompt}

"""The address, headers and body of a request to an OpenAI-compatible server, without I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ...core.errors import EXIT_USAGE, SelfBehaveError
from ..base import Api, Request

__all__ = [
    "GRAMMAR_FIELDS",
    "Server",
    "additions_of",
    "api_in",
    "body_of",
    "checked_address",
    "extra_body_in",
    "extra_headers_in",
    "headers_of",
    "models_url_of",
    "place_of",
    "url_of",
]

_PATHS: Mapping[Api, str] = {"chat": "/chat/completions", "completions": "/completions"}
# The hosts of Azure, which takes its keys in a header of its own.
_AZURE = (".azure.com", ".azure.us", ".azure.cn", ".azure-api.net")
# The fields that carry a grammar, and their values: of llama.cpp, of vLLM, of vLLM before 0.12, of
# SGLang, of Fireworks.
GRAMMAR_FIELDS: Mapping[str, Any] = {
    "grammar": lambda grammar: grammar,
    "structured_outputs": lambda grammar: {"grammar": grammar},
    "guided_grammar": lambda grammar: grammar,
    "ebnf": lambda grammar: grammar,
    "response_format": lambda grammar: {"type": "grammar", "grammar": grammar},
}
_OWN_FIELDS = ("messages", "model", "n", "prompt", "stream")  # what the user cannot replace


@dataclass(frozen=True)
class Server:
    """The properties of a server that its requests need.

    Attributes:
        address: such as "http://localhost:8000/v1". It may have a query, and may end in the path
            of an endpoint.
        headers: sent with each request (see `headers_of`).
        extra_parameters: added to the body of each request; None leaves a parameter out.
        slots: the number of prompt caches that requests may choose from by `id_slot`, as llama.cpp
            has them; 0 for a server that does not know this parameter.
        grammar_field: the field that carries a request's grammar, one of `GRAMMAR_FIELDS`.
        thinking_tokens: added to the limit of each answer, for thoughts.
        is_in_process: whether it runs in this process, so that no proxy is between.
    """

    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    extra_parameters: Mapping[str, Any] = field(default_factory=dict)
    slots: int = 0
    grammar_field: str = "grammar"
    thinking_tokens: int = 0
    is_in_process: bool = False

    @property
    def place(self) -> str:
        """Its address for messages: without user, password and query, which may be secret."""
        return place_of(self.address)


def place_of(address: str) -> str:
    """An address for messages: without user, password and query, which may be secret."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def checked_address(address: str) -> str:
    """An address as the user gave it, if requests can go there.

    Raises:
        SelfBehaveError: it is not the address of an HTTP server.
    """
    mend = "give 'http(s)://…/v1', and commas between several"
    try:
        parts = urlsplit(address)
        if parts.netloc.rpartition("@")[2].count(":") > 1 and "[" not in parts.netloc:
            mend = "put an IPv6 address in brackets: http://[::1]:8000/v1"
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # raises if it is not a number
    except ValueError:
        is_valid = False
    if not is_valid:
        raise SelfBehaveError(f"not an address: '{address}'", mend=mend, exit_code=EXIT_USAGE)
    return address


def api_in(address: str) -> Api | None:
    """The endpoint kind that an address ends in, if it ends in one."""
    path = urlsplit(address).path.rstrip("/")
    return next((api for api, ending in _PATHS.items() if path.endswith(ending)), None)


def url_of(server: Server, api: Api) -> str:
    """The address that a request goes to; a query is kept."""
    return _with_path(server.address, _PATHS[api])


def models_url_of(server: Server) -> str:
    """The address of a server's list of models."""
    return _with_path(server.address, "/models")


def headers_of(
    api_key: str | None,
    organization: str | None = None,
    extra: Mapping[str, str] | None = None,
    address: str = "",
) -> dict[str, str]:
    """The headers that identify the user, and those that the user adds.

    Args:
        extra: headers that replace others of the same name.
        address: the server's; Azure takes a key in another header.

    Raises:
        SelfBehaveError: a value is not valid in a header.
    """
    headers: dict[str, str] = {}
    if api_key:
        host = urlsplit(address).hostname or ""
        is_azure = host.endswith(_AZURE)
        headers |= {"api-key": api_key} if is_azure else {"Authorization": f"Bearer {api_key}"}
    if organization:
        headers["OpenAI-Organization"] = organization
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise SelfBehaveError(
            "the key, token or organization holds a character that none can have",
            mend="check --api_key, HF_TOKEN or OPENAI_API_KEY, and --organization",
        )
    replaced = {name.lower() for name in extra or {}}
    kept = {name: value for name, value in headers.items() if name.lower() not in replaced}
    return {**kept, **(extra or {})}


def extra_headers_in(text: str | None) -> dict[str, str]:
    """Read `--extra_headers`.

    Raises:
        SelfBehaveError: it is not a JSON object of texts that can be headers.
    """
    headers = _object_in(text, "extra_headers", '{"api-key": "…"}')
    for name, value in headers.items():
        is_name = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        if not (is_name and isinstance(value, str) and value.isascii() and value.isprintable()):
            raise SelfBehaveError(
                f"--extra_headers: '{name}' is not a header, or its value is not a text of ASCII",
                mend="give a JSON object of texts",
                exit_code=EXIT_USAGE,
            )
    return headers


def extra_body_in(text: str | None) -> dict[str, Any]:
    """Read `--extra_body`.

    Raises:
        SelfBehaveError: it is not a JSON object, or has a field that requests always have.
    """
    body = _object_in(text, "extra_body", '{"reasoning_effort": "low"}')
    for name in _OWN_FIELDS:
        if name in body:
            raise SelfBehaveError(
                f"--extra_body cannot replace '{name}'", mend="leave it out", exit_code=EXIT_USAGE
            )
    return body


def additions_of(extra_body: Mapping[str, Any], thinking_tokens: int) -> dict[str, Any]:
    """What the user adds to each request, as an engine's `additions`."""
    return {**extra_body, **({"thinking_tokens": thinking_tokens} if thinking_tokens else {})}


def body_of(request: Request, server: Server, model: str, api: Api) -> dict[str, Any]:
    """The body of a request, as a JSON object."""
    body = {"model": model, **request.parameters, "stream": False}
    body["max_tokens"] += server.thinking_tokens
    if request.grammar is not None and server.grammar_field != "grammar":
        del body["grammar"]
        body[server.grammar_field] = GRAMMAR_FIELDS[server.grammar_field](request.grammar)
    if server.slots and request.slot is not None:
        body["id_slot"] = request.slot % server.slots
    body |= server.extra_parameters
    body = {name: value for name, value in body.items() if value is not None}
    if api == "chat":
        return {**body, "messages": request.messages}
    return {**body, "prompt": request.prompt}


def _with_path(address: str, ending: str) -> str:
    """An address with another ending of its path instead of an endpoint's."""
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    for known in _PATHS.values():  # the longer one first
        if path.endswith(known):
            path = path.removesuffix(known)
            break
    return urlunsplit((parts.scheme, parts.netloc, path + ending, parts.query, ""))


def _object_in(text: str | None, option: str, example: str) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise SelfBehaveError(
            f"--{option} is not a JSON object: '{text}'",
            mend=f"give one such as '{example}'",
            exit_code=EXIT_USAGE,
        )
    return value

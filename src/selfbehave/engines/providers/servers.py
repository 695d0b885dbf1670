"""Servers named by address (`http(s)://…/v1`): one, or several with the same model."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence

from ...core.errors import SelfBehaveError
from ..failures import Cause, TryAgainError
from ..settings import EngineSettings
from .http_connections import Connections, HttpResponse
from .http_failures import address_advice, is_page, json_in, raise_failure
from .openai_compatible import OpenAICompatibleEngine
from .openai_requests import (
    Server,
    additions_of,
    api_in,
    checked_address,
    extra_body_in,
    extra_headers_in,
    headers_of,
    models_url_of,
)

__all__ = ["servers_at", "servers_of_addresses", "servers_of_base_url"]

_BETWEEN = re.compile(r"[,\s]+")
_LISTING_SECONDS = 10.0
_MOST_NAMES = 10
_NAME_IT = "name the model with --model"


async def servers_of_addresses(settings: EngineSettings) -> list[OpenAICompatibleEngine]:
    """The engines of `--engine http(s)://…`; without a named model, they use their only one.

    Raises:
        SelfBehaveError: an address is invalid, or the servers do not share one single model.
    """
    addresses = _addresses(settings.engine)
    key = settings.api_key or os.environ.get("OPENAI_API_KEY")
    model = settings.model or await _only_model(_servers(addresses, key, settings))
    return servers_at(addresses, model, key, settings)


def servers_of_base_url(settings: EngineSettings) -> list[OpenAICompatibleEngine]:
    """The engines at `--base_url`; `--engine` names the model unless `--model` does.

    Raises:
        SelfBehaveError: an address is invalid.
    """
    addresses = _addresses(settings.base_url or "")
    key = settings.api_key or os.environ.get("OPENAI_API_KEY")
    return servers_at(addresses, settings.model or settings.engine, key, settings)


def servers_at(
    addresses: Sequence[str], model: str, key: str | None, settings: EngineSettings
) -> list[OpenAICompatibleEngine]:
    """An engine for each address of a model.

    Raises:
        SelfBehaveError: the key, or what the user adds to requests, is invalid.
    """
    return [
        OpenAICompatibleEngine(
            server,
            model,
            api=settings.api_or(api_in(server.address) or "chat"),
            takes_grammar=settings.grammar == "on",
            additions=additions_of(extra_body_in(settings.extra_body), settings.thinking_tokens),
        )
        for server in _servers(addresses, key, settings)
    ]


def _servers(addresses: Sequence[str], key: str | None, settings: EngineSettings) -> list[Server]:
    extra = extra_headers_in(settings.extra_headers)
    return [
        Server(
            address,
            headers_of(key, settings.organization, extra, address),
            extra_body_in(settings.extra_body),
            grammar_field=settings.grammar_field,
            thinking_tokens=settings.thinking_tokens,
        )
        for address in addresses
    ]


def _addresses(text: str) -> list[str]:
    """The distinct addresses in a list separated by commas or spaces."""
    found = _BETWEEN.split(text.strip(", "))
    addresses = list(dict.fromkeys(address.rstrip("/") for address in found))
    return [checked_address(address) for address in addresses]


async def _only_model(servers: Sequence[Server]) -> str:
    """The single model of the servers; all servers that can be reached must have the same."""
    lists = await asyncio.gather(*map(_models_at, servers))
    reached = [
        (server, names)
        for server, names in zip(servers, lists, strict=True)
        if not isinstance(names, str)
    ]
    if not reached:
        raise SelfBehaveError(
            f"the server cannot be reached ({lists[0]})",
            where=", ".join(server.place for server in servers),
            mend="start it, or correct the address",
        )
    for server, names in reached:
        if len(names) != 1:
            listed = f"it has {', '.join(names[:_MOST_NAMES])}" if names else "it lists none"
            raise SelfBehaveError(f"which model? {listed}", where=server.place, mend=_NAME_IT)
    (first, (model,)), *others = reached
    for server, names in others:
        if names != [model]:
            raise SelfBehaveError(
                f"it has {names[0]}, but {first.place} has {model}",
                where=server.place,
                mend=f"give addresses of one model, or {_NAME_IT}",
            )
    return model


async def _models_at(server: Server) -> Sequence[str] | str:
    """The models that a server lists, or the error if it cannot be reached.

    Raises:
        SelfBehaveError: it refuses to list them, or has no list.
    """
    connections = Connections(server.place, server.headers)
    try:
        async with asyncio.timeout(_LISTING_SECONDS), connections.taking_one() as connection:
            return _names_in(server, await connection.get(models_url_of(server)))
    except TimeoutError:
        return f"no answer within {_LISTING_SECONDS:g} s"
    except TryAgainError as error:
        if error.cause is Cause.UNREACHED:
            return str(error)
        raise SelfBehaveError(
            f"the server is up, but does not list its models ({error})",
            where=server.place,
            mend=f"wait until it is ready, or {_NAME_IT}",
        ) from error
    finally:
        await connections.close()


def _names_in(server: Server, response: HttpResponse) -> list[str]:
    """The models in a list of them.

    Raises:
        TryAgainError: the server is not ready.
        SelfBehaveError: this is not such a list, or a refusal.
    """
    if response.status in (404, 405, 501):
        raise SelfBehaveError(
            f"the server has no list of models ({response.status})",
            where=server.place,
            mend=f"{_NAME_IT}, and {address_advice(server.place)}",
        )
    raise_failure(response)
    body = json_in(response.content)
    models = body.get("data", body.get("models")) if isinstance(body, dict) else body
    if not isinstance(models, list):
        came = "a web page" if is_page(response.content) else "something else"
        raise SelfBehaveError(
            f"the server answers with {came} instead of a list of models",
            where=server.place,
            mend=f"{address_advice(server.place)}; {_NAME_IT}",
        )
    names = (one.get("id", one.get("name")) if isinstance(one, dict) else one for one in models)
    return [name for name in names if isinstance(name, str)]

"""Servers named by address (`http(s)://…/v1`): one, or several with the same model."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence

import httpx

from ...core.errors import EXIT_USAGE, SelfBehaveError
from ..settings import EngineSettings
from .openai_compatible import OpenAICompatibleEngine
from .openai_requests import Server, headers_of

__all__ = ["servers_at", "servers_of_addresses", "servers_of_base_url"]

_BETWEEN = re.compile(r"[,\s]+")
_LISTING_SECONDS = 10.0


async def servers_of_addresses(settings: EngineSettings) -> list[OpenAICompatibleEngine]:
    """The engines of `--engine http(s)://…`; without a named model, they use their only one.

    Raises:
        SelfBehaveError: an address is invalid, or the servers do not share one single model.
    """
    addresses = _addresses(settings.engine)
    key = settings.api_key or os.environ.get("OPENAI_API_KEY")
    model = settings.model or await _only_model(key, addresses)
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
    """An engine for each address of a model."""
    headers = headers_of(key, settings.organization)
    return [
        OpenAICompatibleEngine(
            Server(address, headers),
            model,
            api=settings.api_or("chat"),
            takes_grammar=settings.grammar == "on",
        )
        for address in addresses
    ]


def _addresses(text: str) -> list[str]:
    """The distinct addresses in a list separated by commas or spaces."""
    found = _BETWEEN.split(text.strip(", "))
    addresses = list(dict.fromkeys(address.rstrip("/") for address in found))
    for address in addresses:
        if not address.startswith(("http://", "https://")):
            raise SelfBehaveError(
                f"not an address: '{address}'",
                mend="give 'http(s)://…/v1', and commas between several",
                exit_code=EXIT_USAGE,
            )
    return addresses


async def _only_model(key: str | None, addresses: Sequence[str]) -> str:
    """The single model of the servers; all servers that can be reached must have the same."""
    async with httpx.AsyncClient(headers=headers_of(key), timeout=_LISTING_SECONDS) as client:
        found = await asyncio.gather(*(_models_at(client, address) for address in addresses))
    lists = dict(zip(addresses, found, strict=True))
    reached = {address: names for address, names in lists.items() if not isinstance(names, str)}
    if not reached:
        raise SelfBehaveError(
            f"the server cannot be reached ({found[0]})",
            where=", ".join(addresses),
            mend="start it, or correct the address",
        )
    for address, names in reached.items():
        if len(names) != 1:
            listed = f"it has {', '.join(names[:10])}" if names else "it lists none"
            raise SelfBehaveError(
                f"which model? {listed}", where=address, mend="name one with --model"
            )
    (first, (model,)), *others = reached.items()
    for address, names in others:
        if names != [model]:
            raise SelfBehaveError(
                f"it has {names[0]}, but {first} has {model}",
                where=address,
                mend="give addresses of one model, or name it with --model",
            )
    return model


async def _models_at(client: httpx.AsyncClient, address: str) -> list[str] | str:
    """The models that a server lists, or the error if it cannot be reached."""
    try:
        response = await client.get(f"{address}/models")
        if response.status_code == 200:
            return [str(model["id"]) for model in response.json()["data"]]
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
    except (ValueError, KeyError, TypeError):
        pass
    return []

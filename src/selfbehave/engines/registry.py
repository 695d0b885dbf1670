"""From an engine's name to an engine: what `--engine` takes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import httpx

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..events.events import Emit, ignore
from .base import Engine
from .providers.llama_cpp import (
    LocalServer,
    embedded_model,
    embedded_model_terms,
    has_chat_template,
)
from .providers.openai_compatible import OpenAICompatibleEngine
from .settings import EngineSettings

__all__ = ["open_engine", "portable", "runs_here"]

HUGGING_FACE_URL = "https://router.huggingface.co/v1"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.:-]+")
_BETWEEN = re.compile(r"[,\s]+")

Api = Literal["chat", "completions"]


def runs_here(settings: EngineSettings) -> bool:
    """Whether the settings name a model that llama.cpp runs in this process."""
    return settings.engine == "embedded" or settings.engine.endswith(".gguf")


def portable(settings: EngineSettings, engine: Engine) -> EngineSettings:
    """The settings by which another process, maybe elsewhere, opens the very same engine.

    They hold the key or token that this process takes from its environment.
    """
    has_address = settings.engine.startswith(("http://", "https://")) or settings.base_url
    key = os.environ.get("OPENAI_API_KEY" if has_address else "HF_TOKEN")
    return replace(settings, model=engine.identity, api=engine.api, api_key=settings.api_key or key)


@asynccontextmanager
async def open_engine(settings: EngineSettings, tell: Emit = ignore) -> AsyncIterator[Engine]:
    """Open the engine that the settings name, and close it at the end.

    Args:
        tell: is told what is in flight, and what is tried again.

    Raises:
        SelfBehaveError: there is no such engine, its model is missing, or its token is.
    """
    if settings.request_batch_size < 1:
        raise SelfBehaveError("--request_batch_size must be at least 1", exit_code=EXIT_USAGE)
    if not settings.request_timeout > 0:
        raise SelfBehaveError("--request_timeout must be more than 0", exit_code=EXIT_USAGE)
    name = settings.engine
    if name == "embedded":
        notice = f"Gemma 3 270M, under the Gemma Terms of Use: {embedded_model_terms()}"
        opened = _local(settings, tell, embedded_model(), "embedded gemma-3-270m-q4_k_m", notice)
    elif name.endswith(".gguf"):
        model = Path(name)
        has_template = has_chat_template(model)
        identity = f"{model.name} ({model.stat().st_size} bytes)"
        opened = _local(
            settings, tell, model, identity, None, "chat" if has_template else "completions"
        )
    elif name.startswith(("http://", "https://")):
        addresses = _addresses(name)
        model_name = settings.model or await _only_model(settings, addresses)
        opened = _remote(settings, tell, addresses, model_name)
    elif settings.base_url:
        opened = _remote(settings, tell, _addresses(settings.base_url), settings.model or name)
    elif _HUB_NAME.fullmatch(name) and not Path(name).exists():
        opened = _hugging_face(settings, tell, name)
    else:
        raise SelfBehaveError(
            f"unknown engine '{name}'",
            mend="give 'embedded', a .gguf file, a Hugging Face 'org/model', an address "
            "'http(s)://…/v1', or any model's name with --base_url",
            exit_code=EXIT_USAGE,
        )
    async with opened as engine:
        yield engine


@asynccontextmanager
async def _local(
    settings: EngineSettings,
    tell: Emit,
    model: Path,
    identity: str,
    notice: str | None,
    api: Api = "completions",
) -> AsyncIterator[Engine]:
    server = LocalServer(model, settings.request_batch_size)
    engine = OpenAICompatibleEngine(
        base_urls=[server.base_url],
        model=identity,
        identity=identity,
        api=_api(settings, api),
        takes_grammar=settings.grammar != "off",
        concurrency=settings.request_batch_size,
        max_wait=settings.max_wait,
        request_timeout=settings.request_timeout,
        api_key=server.api_key,
        extra_parameters=server.extra_parameters,
        notice=notice,
        tell=tell,
    )
    async with contextlib.aclosing(engine):
        try:
            yield engine
        finally:
            server.close()


@asynccontextmanager
async def _remote(
    settings: EngineSettings, tell: Emit, addresses: Sequence[str], model: str
) -> AsyncIterator[Engine]:
    key = settings.api_key or os.environ.get("OPENAI_API_KEY")
    async with contextlib.aclosing(_client(settings, tell, addresses, model, key)) as engine:
        yield engine


@asynccontextmanager
async def _hugging_face(settings: EngineSettings, tell: Emit, model: str) -> AsyncIterator[Engine]:
    token = settings.api_key or os.environ.get("HF_TOKEN")
    if not token:
        raise SelfBehaveError(
            f"engine '{model}' needs a Hugging Face token",
            mend="set HF_TOKEN or give --api_key; for a server of your own give --base_url",
        )
    base_url = os.environ.get("HF_INFERENCE_ENDPOINT") or HUGGING_FACE_URL
    async with contextlib.aclosing(_client(settings, tell, [base_url], model, token)) as engine:
        yield engine


def _client(
    settings: EngineSettings, tell: Emit, addresses: Sequence[str], model: str, key: str | None
) -> OpenAICompatibleEngine:
    return OpenAICompatibleEngine(
        base_urls=addresses,
        model=model,
        # Not the address: a server may move, or another answer, without answers being lost.
        identity=model,
        api=_api(settings, "chat"),
        takes_grammar=settings.grammar == "on",
        concurrency=settings.request_batch_size,
        max_wait=settings.max_wait,
        request_timeout=settings.request_timeout,
        api_key=key,
        organization=settings.organization,
        tell=tell,
    )


def _api(settings: EngineSettings, default: Api) -> Api:
    return "chat" if (settings.api or default) == "chat" else "completions"


def _addresses(text: str) -> list[str]:
    """The addresses in a list of them, with commas or spaces between; each one once."""
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


async def _only_model(settings: EngineSettings, addresses: Sequence[str]) -> str:
    """The model of servers that have just one, the same at all that can be reached."""
    async with _listing_client(settings) as client:
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


def _listing_client(settings: EngineSettings) -> httpx.AsyncClient:
    key = settings.api_key or os.environ.get("OPENAI_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(headers=headers, timeout=10.0)


async def _models_at(client: httpx.AsyncClient, address: str) -> list[str] | str:
    """The models that a server lists; why it could not be reached, if so."""
    try:
        response = await client.get(f"{address}/models")
        if response.status_code == 200:
            return [str(model["id"]) for model in response.json()["data"]]
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
    except (ValueError, KeyError, TypeError):
        pass
    return []

"""From an engine's name to an engine: what `--engine` takes."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx

from ..errors import EXIT_USAGE, SelfBehaveError
from ..settings import EngineSettings
from ..watch.events import Tell, unheard
from .embedded import LocalServer, embedded_model, embedded_model_terms, has_chat_template
from .openai_compatible import OpenAICompatibleEngine
from .protocol import Engine

__all__ = ["open_engine", "runs_here"]

HUGGING_FACE_URL = "https://router.huggingface.co/v1"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.:-]+")

Api = Literal["chat", "completions"]


def runs_here(settings: EngineSettings) -> bool:
    """Whether the settings name a model that llama.cpp runs in this process."""
    return settings.engine == "embedded" or settings.engine.endswith(".gguf")


@asynccontextmanager
async def open_engine(settings: EngineSettings, tell: Tell = unheard) -> AsyncIterator[Engine]:
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
        model_name = settings.model or await _only_model(settings, name)
        opened = _remote(settings, tell, name, model_name)
    elif settings.base_url:
        opened = _remote(settings, tell, settings.base_url, settings.model or name)
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
    tell: Tell,
    model: Path,
    identity: str,
    notice: str | None,
    api: Api = "completions",
) -> AsyncIterator[Engine]:
    server = LocalServer(model, settings.request_batch_size)
    engine = OpenAICompatibleEngine(
        base_url=server.base_url,
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
    settings: EngineSettings, tell: Tell, base_url: str, model: str
) -> AsyncIterator[Engine]:
    key = settings.api_key or os.environ.get("OPENAI_API_KEY")
    async with contextlib.aclosing(_client(settings, tell, base_url, model, key)) as engine:
        yield engine


@asynccontextmanager
async def _hugging_face(settings: EngineSettings, tell: Tell, model: str) -> AsyncIterator[Engine]:
    token = settings.api_key or os.environ.get("HF_TOKEN")
    if not token:
        raise SelfBehaveError(
            f"engine '{model}' needs a Hugging Face token",
            mend="set HF_TOKEN or give --api_key; for a server of your own give --base_url",
        )
    base_url = os.environ.get("HF_INFERENCE_ENDPOINT") or HUGGING_FACE_URL
    async with contextlib.aclosing(_client(settings, tell, base_url, model, token)) as engine:
        yield engine


def _client(
    settings: EngineSettings, tell: Tell, base_url: str, model: str, key: str | None
) -> OpenAICompatibleEngine:
    return OpenAICompatibleEngine(
        base_url=base_url,
        model=model,
        identity=model,  # not the address: a server may move without its answers being lost
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


async def _only_model(settings: EngineSettings, base_url: str) -> str:
    """The model of a server that has just one."""
    key = settings.api_key or os.environ.get("OPENAI_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    names: list[Any] = []
    try:
        async with httpx.AsyncClient(headers=headers, timeout=10.0) as client:
            response = await client.get(base_url.rstrip("/") + "/models")
            if response.status_code == 200:
                names = [model["id"] for model in response.json()["data"]]
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise SelfBehaveError(
            f"the server cannot be reached ({error or type(error).__name__})",
            where=base_url,
            mend="start it, or correct the address",
        ) from error
    except (ValueError, KeyError, TypeError):
        names = []
    if len(names) == 1:
        return str(names[0])
    listed = f"it has {', '.join(map(str, names[:10]))}" if names else "it lists none"
    raise SelfBehaveError(f"which model? {listed}", where=base_url, mend="name one with --model")

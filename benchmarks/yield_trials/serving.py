"""The server that a benchmark asks: llama.cpp with a model file, or one that runs elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines.models import MODELS, model_file, model_named
from selfbehave.engines.providers.llama_cpp import has_chat_template, server_parameters
from selfbehave.engines.providers.openai_requests import headers_of

from .asking import ChatServer

__all__ = ["SLOTS", "serving"]

SLOTS = 4  # one for each beginning that prompts share: scenarios, and three ways of solving


@contextmanager
def serving(model: str) -> Iterator[ChatServer]:
    """The server of a `*.gguf` file or an embedded model, started here, or of an address.

    Raises:
        SelfBehaveError: the file is no model for chat, or the server does not answer.
    """
    if model.startswith(("http://", "https://")):
        yield _elsewhere(model.rstrip("/"))
        return
    is_embedded = any(known.name == model for known in MODELS)
    path = model_file(model_named(model)) if is_embedded else Path(model)
    if not has_chat_template(path):
        raise SelfBehaveError(
            "this model has no chat template", where=path, mend="give one that follows instructions"
        )
    parameters = server_parameters(path, SLOTS)
    key = secrets.token_urlsafe(24)
    parameters.api_keys = [key]
    import xllamacpp

    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise SelfBehaveError(
            f"llama.cpp cannot load this model: {error}", where=path, mend="give a whole GGUF file"
        ) from error
    identity = f"{path.name} ({path.stat().st_size} bytes)"
    yield ChatServer(f"{server.listening_address}/v1", identity, headers_of(key), SLOTS)
    del server  # its destructor stops it


def _elsewhere(address: str) -> ChatServer:
    try:
        response = httpx.get(f"{address}/models", timeout=30)
        response.raise_for_status()
        model = str(response.json()["data"][0]["id"])
    except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
        raise SelfBehaveError(
            f"the server does not say which model it has: {error}",
            where=f"{address}/models",
            mend="give the address of an OpenAI-compatible server, such as http://localhost:8080/v1",
        ) from error
    return ChatServer(address, model)

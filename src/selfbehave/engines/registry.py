"""Find an engine by name: the built-in kinds of `--engine`, and those of other packages."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.extensions import ENGINES, extension_names
from ..core.option_fields import at_least
from ..events.events import Emit, ignore
from .base import Engine
from .client import Client, check_limits
from .models import MODELS
from .providers.added_engines import extension_of
from .settings import IN_FLIGHT, IN_FLIGHT_HERE, EngineSettings

__all__ = [
    "KINDS",
    "EngineKind",
    "kind_of_engine",
    "open_engine",
    "portable",
    "requests_in_flight",
    "runs_here",
]

_HUB_NAME = re.compile(r"[\w.-]+/[\w.:-]+")
_PROVIDERS = "selfbehave.engines.providers"
_EMBEDDED = tuple(model.name for model in MODELS)


@dataclass(frozen=True)
class EngineKind:
    """A kind of engines whose names have the same form.

    Attributes:
        names: the form of their names, for messages.
        takes: whether settings name an engine of this kind.
        make: the function that makes an engine from the settings, as "module:function". It returns
        one engine, or a list with one for each address. It may be a coroutine function.
        runs_here: whether the model runs on this machine.
    """

    names: str
    takes: Callable[[EngineSettings], bool]
    make: str
    runs_here: bool = False


def _is_hub_name(settings: EngineSettings) -> bool:
    return bool(_HUB_NAME.fullmatch(settings.engine)) and not Path(settings.engine).exists()


# The first kind that takes the settings wins.
KINDS = (
    EngineKind(
        " or ".join(f"'{name}'" for name in _EMBEDDED),
        lambda settings: settings.engine in _EMBEDDED,
        f"{_PROVIDERS}.embedded:embedded",
        runs_here=True,
    ),
    EngineKind(
        "a .gguf file",
        lambda settings: settings.engine.endswith(".gguf"),
        f"{_PROVIDERS}.llama_cpp:gguf_file",
        runs_here=True,
    ),
    EngineKind(
        "an address 'http(s)://…/v1'",
        lambda settings: settings.engine.startswith(("http://", "https://")),
        f"{_PROVIDERS}.servers:servers_of_addresses",
    ),
    EngineKind(
        "an engine that another package adds",
        lambda settings: extension_of(settings) is not None,
        f"{_PROVIDERS}.added_engines:added_engine",
    ),
    EngineKind(
        "any model's name with --base_url",
        lambda settings: settings.base_url is not None,
        f"{_PROVIDERS}.servers:servers_of_base_url",
    ),
    EngineKind(
        "a Hugging Face 'org/model'",
        _is_hub_name,
        f"{_PROVIDERS}.hugging_face:hugging_face",
    ),
)


def kind_of_engine(settings: EngineSettings, where: str | None = None) -> EngineKind:
    """The kind of engine that settings name.

    Args:
        where: the option that names it, for the message.

    Raises:
        SelfBehaveError: there is no such engine.
    """
    kind = _kind_of(settings)
    if kind is None:
        names = ", ".join(one.names for one in KINDS)
        added = ", ".join(extension_names(ENGINES))
        raise SelfBehaveError(
            f"unknown engine '{settings.engine}'",
            where=where,
            mend=f"give {names}" + (f" ({added})" if added else ""),
            exit_code=EXIT_USAGE,
        )
    return kind


def runs_here(engine: EngineSettings | Engine) -> bool:
    """Whether the model of an engine runs on this machine."""
    if isinstance(engine, EngineSettings):
        kind = _kind_of(engine)
        return kind is not None and kind.runs_here
    return engine.runs_here


def requests_in_flight(engine: EngineSettings | Client) -> int:
    """The most requests that an engine gets at once."""
    if isinstance(engine, EngineSettings):
        return engine.in_flight_or(IN_FLIGHT_HERE if runs_here(engine) else IN_FLIGHT)
    return engine.request_batch_size


def portable(settings: EngineSettings, engine: Engine) -> EngineSettings:
    """Settings with which another process, maybe on another machine, opens the same engine.

    They include the key or token that this process reads from its environment.
    """
    has_address = settings.engine.startswith(("http://", "https://")) or settings.base_url
    key = os.environ.get("OPENAI_API_KEY" if has_address else "HF_TOKEN")
    return replace(
        settings,
        model=engine.identity,
        api=engine.api,
        api_key=settings.api_key or key,
        request_batch_size=requests_in_flight(settings),
    )


@asynccontextmanager
async def open_engine(
    engine: EngineSettings | Engine, emit: Emit = ignore
) -> AsyncIterator[Client]:
    """Open an engine, and close it at the end.

    Args:
        engine: settings that name an engine, or an engine, which is wrapped in a `Client` unless
            it already is one.
        emit: called with the events of the engine's requests.

    Raises:
        SelfBehaveError: there is no such engine, or its model or token is missing.
    """
    if isinstance(engine, EngineSettings):
        found = await _client_of(engine, emit)
    elif isinstance(engine, Client):
        found = engine.emitting(emit)
    else:
        found = Client(engine, emit=emit)
    async with found as client:
        yield client


async def _client_of(settings: EngineSettings, emit: Emit) -> Client:
    in_flight = requests_in_flight(settings)
    check_limits(in_flight, settings.request_timeout)
    kind = kind_of_engine(settings)
    at_least(0, settings, "thinking_tokens")
    module, _, function = kind.make.partition(":")
    made = getattr(import_module(module), function)(settings)
    if inspect.isawaitable(made):
        made = await made
    return Client(
        *(made if isinstance(made, list) else [made]),
        request_batch_size=in_flight,
        max_wait=settings.max_wait,
        request_timeout=settings.request_timeout,
        budget=settings.budget,
        emit=emit,
    )


def _kind_of(settings: EngineSettings) -> EngineKind | None:
    return next((kind for kind in KINDS if kind.takes(settings)), None)

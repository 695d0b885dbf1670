"""Models that llama.cpp runs in this process: the embedded one, and any `*.gguf` file.

llama.cpp serves them on a free loopback port, so requests work as with any other
OpenAI-compatible server.
"""

from __future__ import annotations

import mmap
import os
import secrets
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ...core.errors import SelfBehaveError
from ..base import Api, Completion, Engine, Request
from ..settings import IN_FLIGHT_HERE, EngineSettings
from .openai_compatible import OpenAICompatibleEngine
from .openai_requests import Server, additions_of, extra_body_in, headers_of
from .prompt_caches import PromptCaches

__all__ = [
    "CONTEXT_TOKENS",
    "LlamaCppEngine",
    "gguf_file",
    "has_chat_template",
    "is_held_to_grammars",
    "server_parameters",
    "slots_for",
]

CONTEXT_TOKENS = 4096  # of each slot: prompt and answer together
_BEGINNINGS = 3  # of prompts that a run alternates between: new scenarios, and two ways of solving
_QUIET = -1


class LlamaCppEngine(Engine):
    """A model file that llama.cpp serves in this process while the engine is open.

    The server listens on loopback and requires a key that only this process knows.

    Args:
        model: a GGUF file.
        identity: names the model.
        in_flight: the most requests at once.
        prompt_cache: whether the beginning of a prompt is taken from an earlier one. What is in the
            cache changes the arithmetic, and so do other requests at the same time. Without both,
            the same request gets the same answer.
        api: endpoint kind that the requests go to.
        takes_grammar: whether answers must follow the grammars of requests.
        notice: terms of the model that its user must know.
        extra_body: fields to add to each request.
        thinking_tokens: added to the limit of each answer.
    """

    runs_here = True
    takes_begun = True

    def __init__(
        self,
        model: Path,
        identity: str,
        *,
        in_flight: int,
        prompt_cache: bool = True,
        api: Api = "completions",
        takes_grammar: bool = True,
        notice: str | None = None,
        extra_body: Mapping[str, Any] | None = None,
        thinking_tokens: int = 0,
    ) -> None:
        self.identity = identity
        self.api = api
        self.takes_grammar = takes_grammar
        self.notice = notice
        self.additions = additions_of(extra_body or {}, thinking_tokens)
        self._extra_body = extra_body or {}
        self._thinking_tokens = thinking_tokens
        self._model = model
        self._in_flight = in_flight
        self._prompt_cache = prompt_cache
        self._caches = PromptCaches(0)
        self._is_open = False
        self._server: Any = None
        self._client: OpenAICompatibleEngine | None = None

    async def __aenter__(self) -> Self:
        self._is_open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._client is not None:
            await self._client.__aexit__(kind, error, traceback)
        self._server = self._client = None  # the server's destructor stops it
        self._is_open = False

    def server_parameters(self, slots: int) -> Any:
        """The parameters of llama.cpp's server. Benchmarks change some."""
        return server_parameters(self._model, slots)

    async def complete(self, request: Request) -> Completion:
        """Get llama.cpp's answer."""
        if not self._is_open:
            raise RuntimeError("an engine is used within `async with`")
        client = self._client or self._start()
        beginning = request.stage if request.slot is None else request.slot
        with self._caches.taking(beginning) as slot:
            return await client.complete(replace(request, slot=slot))

    def _start(self) -> OpenAICompatibleEngine:
        """Start the server, at the first request: a run from the journal needs no model.

        A server that is stopped before it was asked anything would wait for ever.
        """
        key = secrets.token_urlsafe(24)
        slots = slots_for(self._in_flight)
        self._server = _started(self.server_parameters(slots), key)
        self._caches = PromptCaches(slots)
        server = Server(
            f"{self._server.listening_address}/v1",
            headers_of(key),
            {"cache_prompt": self._prompt_cache, **self._extra_body},
            slots=slots,
            thinking_tokens=self._thinking_tokens,
            is_in_process=True,
        )
        self._client = OpenAICompatibleEngine(server, self.identity, api=self.api)
        return self._client


def gguf_file(settings: EngineSettings) -> LlamaCppEngine:
    """The engine of a path that ends in `.gguf`: for chat if the file has a chat template.

    Raises:
        SelfBehaveError: there is no such file, or it is not GGUF.
    """
    model = Path(settings.engine)
    default: Api = "chat" if has_chat_template(model) else "completions"
    return LlamaCppEngine(
        model,
        f"{model.name} ({model.stat().st_size} bytes)",
        in_flight=settings.in_flight_or(IN_FLIGHT_HERE),
        prompt_cache=settings.prompt_cache == "on",
        api=settings.api_or(default),
        takes_grammar=is_held_to_grammars(settings, default),
        extra_body=extra_body_in(settings.extra_body),
        thinking_tokens=settings.thinking_tokens,
    )


def is_held_to_grammars(settings: EngineSettings, api: Api) -> bool:
    """Whether the answers of a model on this machine must follow the prompts' grammars.

    Grammars are for base models. A model with a chat template follows instructions and writes
    better code without them.

    Args:
        api: the endpoint kind that the model is made for, even if the settings use the other one.
    """
    return settings.grammar == "on" or (settings.grammar == "auto" and api == "completions")


def _started(parameters: Any, key: str) -> Any:
    """Start llama.cpp's server.

    Raises:
        SelfBehaveError: the file is not a model that it can load.
    """
    parameters.api_keys = [key]
    import xllamacpp

    try:
        return xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise SelfBehaveError(
            f"llama.cpp cannot load this model: {error}",
            where=parameters.model.path,
            mend="give a whole GGUF file of a model that fits in memory",
        ) from error


def slots_for(in_flight: int) -> int:
    """The number of slots that a server needs for as many requests at once.

    Each of these requests needs one. The other slots keep the beginnings of the prompts that the
    run asks again later.
    """
    return in_flight + _BEGINNINGS - 1


def server_parameters(model: Path, slots: int) -> Any:
    """The parameters of llama.cpp's server; `benchmarks/embedded.py` measures their effect."""
    # By default llama.cpp's threads wait for each other in busy loops. If another program
    # displaces one thread, all of them stall (on 2 cores 60 tokens/s fell to 2.7). OpenMP reads
    # the variable when it loads, so set it first.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import xllamacpp
    except ImportError as error:
        raise SelfBehaveError(
            f"llama.cpp cannot be loaded: {error}",
            mend="install the library it names (on Debian: apt install libgomp1)",
        ) from error

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_parallel = slots
    parameters.n_ctx = slots * CONTEXT_TOKENS
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.verbosity = _QUIET
    parameters.warmup = False
    parameters.cache_ram_mib = 0  # the slots keep the beginnings; by default it takes up to 8 GiB
    # Without it a model with a sliding window, such as Gemma 3, forgets the prefix that a stage's
    # prompts share (40 MB a slot against 93 % of a classic prompt evaluated again).
    parameters.swa_full = True
    threads = len(os.sched_getaffinity(0))
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    return parameters


def has_chat_template(model: Path) -> bool:
    """Whether a GGUF file has a chat template. Without one it is a base model, for completions.

    Raises:
        SelfBehaveError: there is no such file, or it is not GGUF.
    """
    name = b"tokenizer.chat_template"
    key = struct.pack("<Q", len(name)) + name  # a GGUF string: its length, then its bytes
    try:
        with model.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise SelfBehaveError("not a GGUF file", where=model, mend="give a GGUF model")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return content.find(key) >= 0
    except OSError as error:
        raise SelfBehaveError(
            f"the model cannot be read: {error.strerror}", where=model, mend="check the path"
        ) from error

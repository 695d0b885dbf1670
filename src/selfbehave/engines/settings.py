"""The settings of an engine: its name, address and limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.option_fields import option
from ..core.spending import Budget, Prices

if TYPE_CHECKING:
    from .base import Api

__all__ = ["BATCH_FIELDS", "IN_FLIGHT", "IN_FLIGHT_HERE", "EngineSettings"]

BATCH_FIELDS = ("batch", "batch_window", "batch_poll")  # only for runs on one machine
# Requests in flight by default: at servers, and at a model that runs on this machine. There one
# request keeps the processor busy. Two at once would each evaluate the beginning that they share.
IN_FLIGHT = 5
IN_FLIGHT_HERE = 1


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """Which engine answers prompts, and how many requests it gets at once."""

    engine: str = option(
        "embedded",
        "the model that answers: 'embedded', or another one that `selfbehave models` lists, a path "
        "ending in .gguf, a Hugging Face 'org/model', or an OpenAI-compatible address "
        "'http(s)://…/v1'. Several that serve the same model share the requests: give --engine "
        "again, or commas between",
        is_repeatable=True,
        may_change=True,
    )
    base_url: str | None = option(
        None,
        "address of an OpenAI-compatible server for --engine, or several with commas between",
        may_change=True,
    )
    model: str | None = option(None, "model to ask for at --engine's address")
    api: str | None = option(
        None,
        "endpoint kind; default: chat, but completions for a model without a chat template",
        ("chat", "completions"),
    )
    grammar: str = option(
        "auto",
        "constrain answers by a llama.cpp grammar: auto = for base models that run on this machine",
        ("auto", "on", "off"),
    )
    grammar_field: str = option(
        "grammar",
        "the field of a request that carries the grammar: grammar = llama.cpp, "
        "structured_outputs = vLLM, guided_grammar = vLLM before 0.12, ebnf = SGLang, "
        "response_format = Fireworks",
        ("grammar", "structured_outputs", "guided_grammar", "ebnf", "response_format"),
        may_change=True,
    )
    extra_body: str | None = option(
        None,
        "JSON object of fields to add to each request, such as "
        """'{"reasoning_effort": "low"}'; null leaves a field out""",
    )
    extra_headers: str | None = option(
        None, "JSON object of headers to send with each request to a server"
    )
    thinking_tokens: int = option(
        0, "tokens added to the limit of each answer, for models that think first"
    )
    request_batch_size: int | None = option(
        None,
        f"requests in flight at once, over all addresses; default: {IN_FLIGHT}, but "
        f"{IN_FLIGHT_HERE} where the model runs here",
        may_change=True,
    )
    prompt_cache: str = option(
        "on",
        "where the model runs here, keep the beginnings that prompts share: on = several times as "
        "fast; off, with one request in flight = the same request gets the same answer",
        ("on", "off"),
        may_change=True,
    )
    api_key: str | None = option(
        None, "key or token; default: HF_TOKEN for 'org/model', else OPENAI_API_KEY"
    )
    organization: str | None = option(None, "value of the OpenAI-Organization header")
    max_wait: float = option(600.0, "seconds to keep retrying one request")
    request_timeout: float = option(
        600.0, "seconds to wait for one complete answer before retrying"
    )

    batch: bool = option(
        False,
        "send the requests that depend on no other answer in batches, which servers answer within "
        "a day at a lower price",
        may_change=True,
    )
    batch_window: str = option(
        "24h", "how long a server may take for a batch, in its own words", may_change=True
    )
    batch_poll: float = option(30.0, "seconds between two looks at a batch", may_change=True)
    max_requests: int | None = option(
        None,
        "requests that the run may spend in all, those answered before included; default: no limit",
        may_change=True,
    )
    max_total_tokens: int | None = option(
        None,
        "tokens that the run may spend in all, of prompts and answers; default: no limit",
        may_change=True,
    )
    max_cost: float | None = option(
        None,
        "what the run may cost in all, in the currency of the prices; default: no limit",
        may_change=True,
    )
    price_in: float | None = option(
        None, "price of a million tokens of prompts, in any currency", may_change=True
    )
    price_out: float | None = option(
        None,
        "price of a million tokens of answers, those of reasoning included",
        may_change=True,
    )
    price_cached: float | None = option(
        None,
        "price of a million tokens of prompts that the server had in its cache; "
        "default: --price_in",
        may_change=True,
    )

    @property
    def budget(self) -> Budget:
        """The limits of what the run may spend, and the prices.

        Raises:
            SelfBehaveError: a limit or price is negative, or one that the others need is missing.
        """
        limits = ("max_requests", "max_total_tokens", "max_cost")
        prices = ("price_in", "price_out", "price_cached")
        for name in (*limits, *prices):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise SelfBehaveError(
                    f"--{name} must be at least 0, not {value}", exit_code=EXIT_USAGE
                )
        if self.price_in is None or self.price_out is None:
            given = [name for name in ("max_cost", *prices) if getattr(self, name) is not None]
            if given:
                raise SelfBehaveError(
                    f"--{given[0]} needs --price_in and --price_out",
                    mend="give both prices, of a million tokens",
                    exit_code=EXIT_USAGE,
                )
            return Budget(self.max_requests, self.max_total_tokens)
        known = Prices(self.price_in, self.price_out, self.price_cached)
        return Budget(self.max_requests, self.max_total_tokens, self.max_cost, known)

    def api_or(self, default: Api) -> Api:
        """The endpoint kind that the settings name, or else the engine's default."""
        return "chat" if (self.api or default) == "chat" else "completions"

    def in_flight_or(self, default: int) -> int:
        """The number of requests in flight that the settings name, or else the engine's default."""
        return default if self.request_batch_size is None else self.request_batch_size

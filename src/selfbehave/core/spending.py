"""What answers cost: their tokens, the prices of tokens, and the budget that they must stay within.

One answer may be paid for at several prices: prompt tokens, those of them that the server had in
its cache, and the tokens of the answer. Reasoning is paid for as a part of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BYTES_A_TOKEN", "Budget", "BudgetEnd", "Prices", "Spending", "estimated_tokens"]

_PRICED = 1_000_000  # tokens that a price is for
BYTES_A_TOKEN = 3  # of UTF-8, as tokenizers have it for English, code and most other languages


@dataclass(frozen=True, slots=True)
class Spending:
    """What a number of answers took.

    Attributes:
        requests: the answers.
        prompt_tokens: tokens that the engine read, with those in its cache.
        cached_tokens: those of them that were in its cache, and may have a lower price.
        completion_tokens: tokens that the engine wrote, with those of its reasoning.
        reasoning_tokens: those of them that are reasoning.
        uncounted: answers whose tokens the server did not count; they are estimated from the
            length of the texts.
    """

    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    uncounted: int = 0

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.completion_tokens + other.completion_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.uncounted + other.uncounted,
        )

    def __sub__(self, other: Spending) -> Spending:
        return Spending(
            self.requests - other.requests,
            self.prompt_tokens - other.prompt_tokens,
            self.cached_tokens - other.cached_tokens,
            self.completion_tokens - other.completion_tokens,
            self.reasoning_tokens - other.reasoning_tokens,
            self.uncounted - other.uncounted,
        )

    @property
    def total_tokens(self) -> int:
        """All tokens, read and written."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of a million tokens, in any one currency.

    Attributes:
        input: for tokens of the prompt.
        output: for tokens of the answer and of its reasoning.
        cached: for tokens of the prompt that the server had in its cache; None for the same as
            `input`.
    """

    input: float
    output: float
    cached: float | None = None

    def cost(self, spent: Spending) -> float:
        """What answers cost."""
        cached = self.input if self.cached is None else self.cached
        return (
            (spent.prompt_tokens - spent.cached_tokens) * self.input
            + spent.cached_tokens * cached
            + spent.completion_tokens * self.output
        ) / _PRICED


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a run may spend in all; None for no limit.

    Attributes:
        max_requests: answers.
        max_total_tokens: tokens read and written.
        max_cost: in the currency of the prices, which must be given then.
        prices: the prices of tokens, if they are known.
    """

    max_requests: int | None = None
    max_total_tokens: int | None = None
    max_cost: float | None = None
    prices: Prices | None = None

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return (self.max_requests, self.max_total_tokens, self.max_cost) != (None, None, None)

    def cost(self, spent: Spending) -> float | None:
        """What answers cost; None without prices."""
        return None if self.prices is None else self.prices.cost(spent)

    def exceeded_by(self, spent: Spending) -> BudgetEnd | None:
        """The first limit that a spending exceeds; None if it stays within all of them."""
        used: list[tuple[str, float | None, float | None]] = [
            ("max_requests", self.max_requests, spent.requests),
            ("max_total_tokens", self.max_total_tokens, spent.total_tokens),
            ("max_cost", self.max_cost, self.cost(spent)),
        ]
        for limit, most, use in used:
            if most is not None and use is not None and use > most:
                return BudgetEnd(limit, most)
        return None


@dataclass(frozen=True, slots=True)
class BudgetEnd:
    """The limit that allowed no further request.

    Attributes:
        limit: the name of the setting: "max_requests", "max_total_tokens" or "max_cost".
        most: its value.
    """

    limit: str
    most: float


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, for a server that does not count them."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_A_TOKEN)

"""A budget is never exceeded, and what it pays for belongs to the first items."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfbehave.core.errors import EXIT_USAGE, SelfBehaveError
from selfbehave.core.spending import Budget, BudgetEnd, Prices, Spending
from selfbehave.engines import Client, Completion, Engine, EngineSettings, Request
from selfbehave.engines.budget import BudgetEndError, BudgetGate, Purse, spent_by

PROMPT = "word " * 40
MAX_TOKENS = 100


def request(index: int) -> Request:
    return Request("test", index, PROMPT, 1.0, 1.0, MAX_TOKENS, seed=0)


class Metered(Engine):
    """Answers after a pause, with a random number of tokens; checks the budget at each request."""

    identity = "metered"

    def __init__(self, chance: random.Random, most_prompt_tokens: int = 40) -> None:
        self.spent = Spending()
        self.answered: list[int] = []
        self._chance = chance
        self._most = most_prompt_tokens

    async def complete(self, asked: Request) -> Completion:
        for _ in range(self._chance.randrange(6)):
            await asyncio.sleep(0)
        tokens = self._chance.randint(1, MAX_TOKENS)
        completion = Completion("x", "stop", self._chance.randint(1, self._most), tokens)
        self.spent += spent_by(asked, completion)
        self.answered.append(asked.index)
        return completion


async def ask_all(budget: Budget, engine: Engine, count: int) -> list[bool]:
    """Which of some requests were answered; their places are their indices."""
    async with Client(engine, request_batch_size=4) as client:
        gate = BudgetGate(Purse(budget, Spending()), 4)
        results = await asyncio.gather(
            *(gate.before(client, index).complete(request(index)) for index in range(count)),
            return_exceptions=True,
        )
    assert all(isinstance(one, Completion | BudgetEndError) for one in results)
    return [isinstance(one, Completion) for one in results]


@given(st.integers(0, 3_000), st.randoms())
def test_a_budget_of_tokens_holds_whatever_answers_turn_out_to_be(
    most: int, chance: random.Random
) -> None:
    engine = Metered(chance)
    answered = asyncio.run(ask_all(Budget(max_total_tokens=most), engine, 20))
    assert engine.spent.total_tokens <= most
    assert answered == sorted(answered, reverse=True), "the first items are answered"
    longest = len(PROMPT) * 0.5 + MAX_TOKENS + 16
    assert all(answered) or engine.spent.total_tokens > most - longest, "and it is used up"


@given(st.integers(0, 25), st.randoms())
def test_a_budget_of_requests_is_used_up_to_the_last_one(most: int, chance: random.Random) -> None:
    engine = Metered(chance)
    answered = asyncio.run(ask_all(Budget(max_requests=most), engine, 20))
    assert answered == [place < most for place in range(20)]


@given(st.floats(0, 0.01), st.randoms())
def test_a_budget_of_money_holds(most: float, chance: random.Random) -> None:
    engine, prices = Metered(chance), Prices(2.0, 8.0)
    asyncio.run(ask_all(Budget(max_cost=most, prices=prices), engine, 20))
    assert prices.cost(engine.spent) <= most


def test_what_the_journal_holds_already_counts() -> None:
    purse = Purse(Budget(max_requests=3), Spending(requests=2))
    purse.reserve(request(0))
    with pytest.raises(BudgetEndError, match="max_requests 3"):
        purse.reserve(request(1))


def test_a_request_that_fails_costs_nothing() -> None:
    class Failing(Metered):
        async def complete(self, asked: Request) -> Completion:
            if asked.index == 0:
                raise ValueError
            return await super().complete(asked)

    async def ask() -> list[object]:
        async with Client(Failing(random.Random(1))) as client:
            gate = BudgetGate(Purse(Budget(max_requests=1), Spending()), 4)
            asking = (gate.before(client, place).complete(request(place)) for place in range(2))
            return list(await asyncio.gather(*asking, return_exceptions=True))

    failed, answered = asyncio.run(ask())
    assert isinstance(failed, ValueError)
    assert isinstance(answered, Completion)


def test_a_cancelled_request_gives_back_its_place_and_what_was_kept_for_it() -> None:
    async def ask() -> Completion:
        async with Client(Metered(random.Random(1))) as client:
            gate = BudgetGate(Purse(Budget(max_requests=1), Spending()), 1)
            cancelled = asyncio.ensure_future(gate.before(client, 0).complete(request(0)))
            for _ in range(2):  # so that it was let through, and did not notice yet
                await asyncio.sleep(0)
            cancelled.cancel()
            completion = await gate.before(client, 1).complete(request(1))
            assert cancelled.cancelled()
            return completion

    assert asyncio.run(ask()).text == "x"


def test_a_gate_that_is_closed_refuses_those_that_wait_and_those_that_come() -> None:
    async def ask() -> None:
        async with Client(Metered(random.Random(1)), request_batch_size=1) as client:
            gate = BudgetGate(Purse(Budget(), Spending()), 0)
            waiting = asyncio.ensure_future(gate.before(client, 0).complete(request(0)))
            await asyncio.sleep(0)
            gate.close(KeyError("over"))
            for one in (waiting, gate.before(client, 1).complete(request(1))):
                with pytest.raises(KeyError):
                    await one

    asyncio.run(ask())


def test_answers_without_counts_are_estimated_from_their_length() -> None:
    spent = spent_by(request(0), Completion("four words of it", "stop"))
    assert spent == Spending(1, prompt_tokens=67, completion_tokens=6, uncounted=1)


def test_cached_tokens_have_their_own_price_and_reasoning_that_of_the_answer() -> None:
    spent = Spending(2, 1_000_000, 400_000, 500_000, reasoning_tokens=300_000)
    assert Prices(1.0, 10.0, cached=0.25).cost(spent) == pytest.approx(0.6 + 0.1 + 5.0)
    assert Prices(1.0, 10.0).cost(spent) == pytest.approx(1.0 + 5.0)


def test_the_first_limit_that_is_exceeded_is_named() -> None:
    budget = Budget(max_requests=10, max_total_tokens=100)
    assert budget.exceeded_by(Spending(10, 60, 0, 40)) is None
    assert budget.exceeded_by(Spending(10, 60, 0, 41)) == BudgetEnd("max_total_tokens", 100)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_cost": 1.0}, "--max_cost needs --price_in and --price_out"),
        ({"price_in": 1.0}, "--price_in needs"),
        ({"price_cached": 1.0, "price_out": 2.0}, "--price_out needs"),
        ({"max_requests": -1}, "--max_requests must be at least 0"),
        ({"price_in": float("nan"), "price_out": 1.0}, "--price_in must be at least 0"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(settings: dict[str, float], words: str) -> None:
    with pytest.raises(SelfBehaveError, match=words) as refused:
        _ = EngineSettings(**settings).budget  # type: ignore[arg-type]
    assert refused.value.exit_code == EXIT_USAGE

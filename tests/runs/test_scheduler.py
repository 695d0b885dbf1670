"""Requests are drawn and committed in order, however their answers arrive."""

import asyncio
import json
import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfbehave.engines.base import Completion, Request
from selfbehave.runs.scheduler import commit_in_order, default_lag, growing_lag


def request(index: int, prompt: str = "") -> Request:
    return Request("test", index, prompt, 1.0, 1.0, 10, seed=0)


def run(
    lag: int | Callable[[int], int], count: int, delay: random.Random, stop_after: int | None = None
) -> list[str]:
    """What was drawn from what had been committed, with answers in a random order."""
    committed: list[int] = []
    drawn: list[str] = []

    def draw(index: int) -> Request | None:
        if index == count:
            return None
        drawn.append(f"{index} after {committed}")
        return request(index)

    async def ask(asked: Request) -> Completion:
        for _ in range(delay.randrange(6)):
            await asyncio.sleep(0)
        return Completion(str(asked.index), "stop")

    def commit(asked: Request, completion: Completion) -> bool:
        assert completion.text == str(asked.index)
        committed.append(asked.index)
        return len(committed) != stop_after

    asyncio.run(
        commit_in_order(
            draw=draw, ask=ask, commit=commit, break_off=lambda _: None,
            lag=lag if callable(lag) else lambda _: lag,
        )
    )  # fmt: skip
    assert committed == list(range(count if stop_after is None else min(stop_after, count)))
    return drawn


@given(st.integers(1, 6), st.integers(0, 20), st.randoms())
def test_a_request_is_drawn_right_after_the_one_a_lag_before_it_is_committed(
    lag: int, count: int, delay: random.Random
) -> None:
    expected = [f"{index} after {list(range(max(0, index - lag + 1)))}" for index in range(count)]
    assert run(lag, count, delay) == expected


@given(st.integers(1, 60), st.integers(0, 80), st.randoms())
def test_a_growing_lag_shows_a_request_a_quarter_of_those_before_it(
    lag: int, count: int, delay: random.Random
) -> None:
    of = growing_lag(lag)
    expected = [f"{at} after {list(range(max(0, at - of(at) + 1)))}" for at in range(count)]
    drawn = run(of, count, delay)
    assert drawn == expected
    for at, told in enumerate(drawn):
        seen = len(json.loads(told.partition(" after ")[2]))
        assert seen >= at - lag
        assert seen >= at // 4 or at <= max(6, lag // 6)


def test_nothing_is_drawn_once_enough_is_committed() -> None:
    assert len(run(3, 100, random.Random(1), stop_after=5)) == 7


def test_answers_in_flight_are_awaited_when_one_fails() -> None:
    answered: list[int] = []
    told: list[int] = []

    async def ask(asked: Request) -> Completion:
        if asked.index == 0:
            raise ConnectionError
        await asyncio.sleep(0.05)
        answered.append(asked.index)
        return Completion("", "stop")

    work = commit_in_order(
        draw=request,
        ask=ask,
        commit=lambda *_: True,
        lag=lambda _: 3,
        break_off=told.append,
    )
    with pytest.raises(ConnectionError):
        asyncio.run(work)
    assert answered == [1, 2]
    assert told == [2]


def test_an_interrupt_while_the_work_breaks_off_leaves_at_once() -> None:
    async def ask(asked: Request) -> Completion:
        if asked.index == 0:
            raise ConnectionError
        await asyncio.sleep(60)
        return Completion("", "stop")

    def break_off(in_flight: int) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(
            commit_in_order(
                draw=request, ask=ask, commit=lambda *_: True, lag=lambda _: 3, break_off=break_off
            )
        )
    assert time.monotonic() - began < 30


def test_what_a_library_raises_while_it_is_cancelled_is_not_printed() -> None:
    printed: list[object] = []

    async def ask(asked: Request) -> Completion:
        try:
            await asyncio.sleep(60)
        finally:
            raise BaseExceptionGroup("cleaning up", [ConnectionError(), asyncio.CancelledError()])

    async def interrupted() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: printed.append(what))
        work = asyncio.ensure_future(
            commit_in_order(
                draw=request, ask=ask, commit=lambda *_: True, lag=lambda _: 3,
                break_off=lambda _: None,
            )
        )  # fmt: skip
        await asyncio.wait([work], timeout=0.05)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(interrupted())
    assert printed == []


@given(st.integers(1, 6), st.integers(0, 20), st.randoms())
def test_how_many_are_needed_changes_nothing_but_what_is_asked(
    lag: int, count: int, chance: random.Random
) -> None:
    drawn: list[str] = []
    committed: list[int] = []
    in_flight: set[int] = set()
    limits: list[int] = []

    def draw(index: int) -> Request | None:
        if index == count:
            return None
        drawn.append(f"{index} after {committed}")
        return request(index)

    async def ask(asked: Request) -> Completion:
        in_flight.add(asked.index)
        for _ in range(chance.randrange(6)):
            await asyncio.sleep(0)
        in_flight.remove(asked.index)
        return Completion("", "stop")

    def needed() -> int:
        limits.append(chance.randrange(-1, 8))
        return limits[-1]

    def commit(asked: Request, _: Completion) -> bool:
        assert len(in_flight) < max(1, *limits)
        committed.append(asked.index)
        return True

    asyncio.run(
        commit_in_order(
            draw=draw,
            ask=ask,
            commit=commit,
            lag=lambda _: lag,
            break_off=lambda _: None,
            needed=needed,
        )
    )
    assert drawn == run(lag, count, random.Random(0))


def test_no_more_is_asked_than_is_needed() -> None:
    asked: list[int] = []

    async def ask(one: Request) -> Completion:
        asked.append(one.index)
        return Completion("", "stop")

    committed: list[int] = []

    def commit(one: Request, _: Completion) -> bool:
        committed.append(one.index)
        return len(committed) < 5

    asyncio.run(
        commit_in_order(
            draw=request, ask=ask, commit=commit, lag=lambda _: 100, break_off=lambda _: None,
            needed=lambda: 5 - len(committed),
        )
    )  # fmt: skip
    assert asked == committed == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("concurrency", "is_even", "lag"),
    [(1, False, 1), (1, True, 1), (5, False, 45), (32, False, 576), (4, True, 6), (8, True, 12)],
)
def test_the_lag_is_wider_than_what_is_in_flight_and_one_where_one_is(
    concurrency: int, is_even: bool, lag: int
) -> None:
    assert default_lag(concurrency, is_even=is_even) == lag

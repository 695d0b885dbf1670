"""Requests that wait at the same time are answered together, chains of them wave by wave."""

import asyncio
from collections.abc import Sequence

import pytest

from selfbehave.cluster.gathering import Gathering
from selfbehave.engines.base import Completion, Request


def request(index: int, prompt: str = "") -> Request:
    return Request("test", index, prompt, 1.0, 1.0, 10, seed=0)


def test_chains_are_answered_wave_by_wave() -> None:
    waves: list[list[str]] = []

    async def answer_all(requests: Sequence[Request]) -> list[Completion | None]:
        waves.append([one.prompt for one in requests])
        await asyncio.sleep(0)
        return [Completion(f"{one.prompt}.", "stop") for one in requests]

    async def chain(gathering: Gathering[Request, Completion], number: int, links: int) -> str:
        prompt = str(number)
        for _ in range(links):
            prompt = (await gathering.ask(request(number, prompt))).text
        return prompt

    async def chains() -> list[str]:
        gathering = Gathering(answer_all)
        return await asyncio.gather(*(chain(gathering, n, n + 1) for n in range(3)))

    assert asyncio.run(chains()) == ["0.", "1..", "2..."]
    assert waves == [["0", "1", "2"], ["1.", "2."], ["2.."]]


def test_what_fails_is_raised_where_it_was_asked_and_what_is_given_up_is_cancelled() -> None:
    async def answer_all(requests: Sequence[Request]) -> list[Completion | None]:
        if requests[0].index == 0:
            raise ConnectionError("gone")
        return [None for _ in requests]

    async def asked() -> None:
        gathering = Gathering(answer_all)
        errors = await asyncio.gather(
            gathering.ask(request(0)), gathering.ask(request(1)), return_exceptions=True
        )
        assert [type(error) for error in errors] == [ConnectionError, ConnectionError]
        with pytest.raises(asyncio.CancelledError):
            await gathering.ask(request(2))

    asyncio.run(asked())

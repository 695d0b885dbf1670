"""Items are answered side by side, each by a chain of requests, and committed in order."""

import asyncio
import random
from pathlib import Path

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import Completion, Engine, Request
from selfbehave.events.reporter import Reporter
from selfbehave.events.stage_report import StageReport
from selfbehave.runs.session import RunSession
from selfbehave.stages.base import Ask, Stage

ITEMS, LINKS = 12, 3


class Slow(Engine):
    """Answers with the prompt's length, after a random pause; refuses one prompt."""

    identity = "slow"

    def __init__(self, refused: str = "") -> None:
        self.asked: list[str] = []
        self.in_flight = self.most_in_flight = 0
        self._refused = refused

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request.prompt)
        if request.prompt == self._refused:
            await asyncio.sleep(0.02)
            raise SelfBehaveError("the server refused the request")
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0.05 if self._refused else random.uniform(0.001, 0.02))
        self.in_flight -= 1
        return Completion(str(len(request.prompt)), "stop")


class Chains:
    """Each item takes three requests, each of which shows the answer before it."""

    def __init__(self) -> None:
        self.report = StageReport("chains", "chains", ITEMS)
        self.committed: list[tuple[str, str]] = []

    def draw(self, index: int) -> str | None:
        return f"item {index}" if index < ITEMS else None

    async def answer(self, item: str, ask: Ask) -> str:
        prompt = item
        for link in range(LINKS):
            number = int(item.split()[1]) * LINKS + link
            completion = await ask(Request("chains", number, prompt, 1.0, 1.0, 10, seed=0))
            prompt += f" {completion.text}"
        return prompt

    def commit(self, item: str, result: str) -> bool:
        self.committed.append((item, result))
        return True


def do(chains: Chains, engine: Engine, folder: Path) -> None:
    async def run(session: RunSession, settings: None) -> StageReport:
        session.open_journal()
        await session.generate(chains, await session.open_engine())
        return chains.report

    stage = Stage("chains", "chains", type(None), run)
    with RunSession(folder, engine, Reporter()) as session:
        session.do([(stage, None)])


def test_chains_of_requests_are_answered_side_by_side_and_committed_in_order(
    tmp_path: Path,
) -> None:
    engine, chains = Slow(), Chains()
    do(chains, engine, tmp_path)
    expected = [(f"item {n}", f"item {n} {6 + n // 10} {8 + n // 10} ") for n in range(ITEMS)]
    assert [item for item, _ in chains.committed] == [item for item, _ in expected]
    for (_, result), (_, beginning) in zip(chains.committed, expected, strict=True):
        assert result.startswith(beginning)
    assert len(engine.asked) == ITEMS * LINKS
    assert engine.most_in_flight == 5, "as many as the engine takes"


def test_chains_again_are_answered_from_the_journal(tmp_path: Path) -> None:
    engine, first, again = Slow(), Chains(), Chains()
    do(first, engine, tmp_path)
    do(again, engine, tmp_path)
    assert again.committed == first.committed
    assert len(engine.asked) == ITEMS * LINKS


def test_once_a_run_breaks_off_no_chain_asks_further(tmp_path: Path) -> None:
    engine, chains = Slow(refused="item 0"), Chains()
    with pytest.raises(SelfBehaveError, match="refused"):
        do(chains, engine, tmp_path)
    assert chains.committed == []
    assert sorted(engine.asked) == [f"item {n}" for n in range(5)], "five are in flight at once"
    going_on = Slow()
    do(chains, going_on, tmp_path)
    assert len(chains.committed) == ITEMS
    assert len(going_on.asked) == ITEMS * LINKS - 4, "the answers in flight were kept"

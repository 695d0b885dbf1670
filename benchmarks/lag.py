"""How far ahead requests must be drawn, so that a slow answer keeps no other one waiting.

Usage: python -m benchmarks lag

The window of the product on a clock of our own: time passes only while nothing can be done, so
that hours of waiting take seconds. Latencies are log-normal with p50 1 s and p99 10 s, as of a
busy server, or nearly even, as of a model run here. The ideal is the same latencies with as many
in flight and nothing to wait for.
"""

from __future__ import annotations

import asyncio
import math
import random
import selectors
from collections.abc import Sequence
from statistics import mean

from selfbehave.engines.protocol import Completion, Request
from selfbehave.stages.window import commit_in_order

from .tables import Table

P99_SIGMA = math.log(10) / 2.326  # of a log-normal whose p99 is ten times its median
EVEN_SIGMA = 0.25
ROUNDS = 3


class _VirtualClock(selectors.DefaultSelector):
    """A selector that never waits: it moves its clock on instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _VirtualClock()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def latencies(count: int, sigma: float, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [math.exp(chance.gauss(0.0, sigma)) for _ in range(count)]


def ideal_seconds(waits: Sequence[float], concurrency: int) -> float:
    """As many in flight all the time, nothing to wait for."""
    free = [0.0] * concurrency
    for wait in waits:
        place = free.index(min(free))
        free[place] += wait
    return max(free)


def window_seconds(
    waits: Sequence[float], concurrency: int, lag: int, needed: int | None = None
) -> tuple[float, int]:
    """The window's wall time and how many were asked in vain when `needed` are enough."""
    asked = 0

    async def ask(request: Request) -> Completion:
        nonlocal asked
        async with in_flight:
            asked += 1
            await asyncio.sleep(waits[request.index])
        return Completion("", "stop")

    def draw(index: int) -> Request | None:
        return Request("", index, "", 0, 0, 0, 0) if index < len(waits) else None

    committed = 0

    def commit(request: Request, completion: Completion) -> bool:
        nonlocal committed
        committed += 1
        return committed != needed

    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        loop = runner.get_loop()
        in_flight = asyncio.Semaphore(concurrency)
        runner.run(
            commit_in_order(draw=draw, ask=ask, commit=commit, lag=lag, break_off=lambda _: None)
        )
        return loop.time(), asked - committed


def main(argv: list[str] | None = None) -> None:
    """Wall time over the ideal, by latencies, requests in flight and lag."""
    table = Table(
        "wall / ideal, and asked in vain at the end", "latencies", "in flight", "requests"
    )
    factors = (1, 2, 4, 8, 16)
    table.headings += [f"lag {factor}x" for factor in factors]
    for name, sigma, sizes in (
        ("p50 1 s, p99 10 s", P99_SIGMA, ((5, 200), (32, 1_000), (256, 5_000))),
        ("nearly even", EVEN_SIGMA, ((4, 12), (4, 100), (8, 100))),
    ):
        for concurrency, count in sizes:
            cells = []
            for factor in factors:
                ratios, vain = [], []
                for seed in range(ROUNDS):
                    waits = latencies(count + 20 * concurrency, sigma, seed)
                    lag = factor * concurrency
                    wall, _ = window_seconds(waits[:count], concurrency, lag)
                    ratios.append(wall / ideal_seconds(waits[:count], concurrency))
                    vain.append(window_seconds(waits, concurrency, lag, count)[1])
                cells.append(f"{mean(ratios):.2f} ({mean(vain):.0f})")
            table.row(name, concurrency, count, *cells)
    table.print()

"""How far ahead requests must be drawn, so that a slow answer does not delay the others.

Usage: python -m benchmarks lag

It runs the product's scheduler on a simulated clock: time passes only while nothing can be done, so
hours of waiting take seconds. Latencies are log-normal with p50 1 s and p99 10 s, like those of a
busy server, or nearly constant, like those of a local model. The ideal has the same latencies and
the same number of requests in flight, and never waits.
"""

from __future__ import annotations

import asyncio
import math
import random
import selectors
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from selfbehave.engines.base import Completion, Request
from selfbehave.runs.scheduler import commit_in_order, default_lag, growing_lag

from .tables import Table

P99_SIGMA = math.log(10) / 2.326  # of a log-normal whose p99 is ten times its median
EVEN_SIGMA = 0.25
YIELD = 0.85  # share of answers with a novel instruction
ROUNDS = 3


class _VirtualClock(selectors.DefaultSelector):
    """A selector that never waits: it advances its clock instead."""

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
    """The time with a constant number of requests in flight and no waiting."""
    free = [0.0] * concurrency
    for wait in waits:
        place = free.index(min(free))
        free[place] += wait
    return max(free)


@dataclass(frozen=True)
class Bootstrap:
    """The time and requests of a simulated bootstrap."""

    seconds: float
    committed: int
    in_vain: int


def bootstrap(
    waits: Sequence[float], concurrency: int, lag: int, goal: int, *, estimates: bool
) -> Bootstrap:
    """Generate `goal` instructions; the share `YIELD` of answers contains a novel one.

    Args:
        estimates: whether to ask only as many requests as are probably needed, like the product.
    """
    asked = accepted = committed = 0

    async def ask(request: Request) -> Completion:
        nonlocal asked
        async with in_flight:
            asked += 1
            await asyncio.sleep(waits[request.index])
        return Completion("", "stop")

    def draw(index: int) -> Request | None:
        return Request("", index, "", 0, 0, 0, 0) if index < len(waits) else None

    def commit(request: Request, completion: Completion) -> bool:
        nonlocal accepted, committed
        committed += 1
        accepted += random.Random(request.index).random() < YIELD
        return accepted < goal

    def needed() -> int:
        return math.ceil((goal - accepted) * (committed + 1) / (accepted + 1)) + concurrency // 4

    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        loop = runner.get_loop()
        in_flight = asyncio.Semaphore(concurrency)
        runner.run(
            commit_in_order(
                draw=draw, ask=ask, commit=commit, lag=growing_lag(lag), break_off=lambda _: None,
                needed=needed if estimates else None,
            )
        )  # fmt: skip
        return Bootstrap(loop.time(), committed, asked - committed)


def main(argv: list[str] | None = None) -> None:
    """Wall time over the ideal, by latencies, requests in flight and lag."""
    factors = (1, 2, 4, 8, 16)
    table = Table(
        "a bootstrap's wall time / ideal, by the lag as a multiple of what is in flight; goal 1.10",
        "latencies", "in flight", "goal", *(f"lag {factor}x" for factor in factors),
        "default lag", "ratio", "in vain", "if not estimated",
    )  # fmt: skip
    for name, sigma, sizes in (
        ("p50 1 s, p99 10 s", P99_SIGMA, ((5, 100), (5, 500), (32, 3_000), (256, 20_000))),
        ("nearly even", EVEN_SIGMA, ((4, 10), (5, 100), (8, 100))),
    ):
        for concurrency, goal in sizes:
            lag = default_lag(concurrency, is_even=sigma == EVEN_SIGMA)
            cells = []
            for one in (*(factor * concurrency for factor in factors), lag):
                ratio, in_vain = _mean(sigma, concurrency, one, goal, estimates=True)
                cells.append(f"{ratio:.2f}")
            _, unestimated = _mean(sigma, concurrency, lag, goal, estimates=False)
            *ratios, ratio_of_default = cells
            table.row(
                name, concurrency, goal, *ratios, lag, ratio_of_default,
                round(in_vain), round(unestimated),
            )  # fmt: skip
    table.print()


def _mean(
    sigma: float, concurrency: int, lag: int, goal: int, *, estimates: bool
) -> tuple[float, float]:
    """Ratio to the ideal and requests asked in vain, the mean of several rounds."""
    ratios, in_vain = [], []
    for seed in range(ROUNDS):
        waits = latencies(2 * goal + 20 * concurrency, sigma, seed)
        done = bootstrap(waits, concurrency, lag, goal, estimates=estimates)
        ratios.append(done.seconds / ideal_seconds(waits[: done.committed], concurrency))
        in_vain.append(done.in_vain)
    return mean(ratios), mean(in_vain)

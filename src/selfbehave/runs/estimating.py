"""What a run will cost: a few requests of each stage are asked, and the rest is reckoned from them.

Their answers are in the journal like all others, so the run that follows asks them no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.spending import BudgetEnd, Spending
from ..engines import Client, Completion, Engine, Request, requests_in_flight
from ..engines.budget import BudgetGate, Purse, spent_by
from ..engines.journal import Answering
from ..engines.settings import EngineSettings
from ..events.events import Estimated, Figure, StageFigures
from ..events.reporter import Reporter
from ..events.stage_report import StageReport
from ..stages.base import Ask, Generation
from ..stages.registry import all_stages
from ..stats.estimates import Estimate
from ..stats.sample_totals import SampleTotal, sample_total, sum_of
from .pipeline import RunReport
from .run_settings import RunSettings, settings_of_stage
from .session import AnyJournal, RunSession, Send

__all__ = ["estimate"]

WHOLE = "in all"

Item = TypeVar("Item")
Result = TypeVar("Result")


def estimate(
    batch_dir: Path,
    settings: RunSettings,
    engine: EngineSettings,
    reporter: Reporter,
    asked: int,
    stage_settings: Mapping[str, Any] = {},
) -> RunReport:
    """Ask a few requests of each stage, and emit what the whole run will take.

    Args:
        asked: the number of requests of each stage, at most; those in the journal do not count.

    Raises:
        SelfBehaveError: a stage kept nothing of its sample, or the run failed.
    """
    if asked < 1:
        raise SelfBehaveError(f"--estimate must be at least 1, not {asked}", exit_code=EXIT_USAGE)
    session = _EstimatingSession(batch_dir, replace(engine, batch=False), reporter, asked)
    work = [
        (stage, stage_settings.get(stage.name) or settings_of_stage(stage, settings, batch_dir))
        for stage in all_stages()
        if stage.asks_engine
    ]
    work = [(stage, one) for stage, one in work if stage.is_wanted is None or stage.is_wanted(one)]
    with session:
        reports = session.do(work)
        reporter.emit(_estimated(session, reports, settings.num_instructions_to_generate, engine))
    return RunReport(tuple(reports), None)


@dataclass(frozen=True)
class _Seen:
    """What an item took.

    Attributes:
        done: how far it brought the stage towards its goal.
        spent: for its answers.
        seconds: until all its answers were there; None if one came from the journal.
    """

    done: int
    spent: Spending
    seconds: float | None


@dataclass
class _Sample:
    """The items of a stage that were asked, and how far it had to go."""

    report: StageReport
    to_do: int
    items: list[_Seen] = field(default_factory=list)


class _EstimatingSession(RunSession):
    """A session that asks a few requests of each stage and watches what they take."""

    def __init__(
        self, batch_dir: Path, engine: EngineSettings, reporter: Reporter, asked: int
    ) -> None:
        super().__init__(batch_dir, engine, reporter)
        self.samples: list[_Sample] = []
        self.spent = Spending()
        self._asked = asked
        self._seconds: dict[Request, float] = {}

    async def generate(
        self,
        generation: Generation[Item, Result],
        engine: Engine,
        *,
        lag: int | None = None,
        needed: Callable[[], int] | None = None,
    ) -> None:
        report = generation.report
        sample = _Sample(report, report.goal - report.done)
        watched = _Watched(generation, sample.items, self._seconds)
        await super().generate(watched, engine, lag=lag, needed=needed)
        if report.budget_end is not None and report.budget_end.limit == "max_requests":
            report.budget_end = BudgetEnd("estimate", self._asked)
        self.samples.append(sample)

    async def _purse_of_stage(self, journal: AnyJournal) -> Purse:
        """The budget of the run, and the sample's: so many more requests in this stage."""
        spent = await journal.spent()
        most = spent.requests + self._asked
        if self._budget.max_requests is not None:
            most = min(most, self._budget.max_requests)
        self._purse = Purse(replace(self._budget, max_requests=most), spent)
        return self._purse

    async def _tell_spending(self, reports: Sequence[StageReport]) -> None:
        if self._journal is not None:
            self.spent = await self._journal.spent()

    def _ask_by(
        self, journal: AnyJournal, engine: Client, gate: BudgetGate | None, *, is_sequential: bool
    ) -> Send:
        assert gate is not None, "a sample has a budget"
        timed = _Timed(engine, self._seconds)
        return lambda request, place: journal.ask(gate.before(timed, place), request)


class _Timed(Engine):
    """An engine, and how long each of its answers took."""

    def __init__(self, engine: Answering, seconds: dict[Request, float]) -> None:
        self.identity = engine.identity
        self.api = engine.api
        self._engine = engine
        self._seconds = seconds

    async def complete(self, request: Request) -> Completion:
        began = time.monotonic()
        completion = await self._engine.complete(request)
        self._seconds[request] = time.monotonic() - began
        return completion

    def stop_retrying(self) -> None:
        self._engine.stop_retrying()


class _Watched(Generic[Item, Result]):
    """A generation, and what each of its committed items took."""

    def __init__(
        self,
        generation: Generation[Item, Result],
        items: list[_Seen],
        seconds: Mapping[Request, float],
    ) -> None:
        self.report = generation.report
        self._generation = generation
        self._items = items
        self._seconds = seconds

    def draw(self, index: int) -> Item | None:
        return self._generation.draw(index)

    async def answer(self, item: Item, ask: Ask) -> tuple[Result, list[tuple[Request, Completion]]]:
        taken: list[tuple[Request, Completion]] = []

        async def watched(request: Request) -> Completion:
            completion = await ask(request)
            taken.append((request, completion))
            return completion

        return await self._generation.answer(item, watched), taken

    def commit(self, item: Item, result: tuple[Result, list[tuple[Request, Completion]]]) -> bool:
        of_item, taken = result
        before = self.report.done
        goes_on = self._generation.commit(item, of_item)
        spent = sum((spent_by(*one) for one in taken), Spending())
        times = [self._seconds.get(request) for request, _ in taken]
        seconds = None if None in times else sum(filter(None, times))
        self._items.append(_Seen(self.report.done - before, spent, seconds))
        return goes_on


_Size = Callable[[_Seen], float | None]


def _estimated(
    session: _EstimatingSession,
    reports: Sequence[StageReport],
    instructions: int,
    engine: EngineSettings,
) -> Estimated:
    accepted = max(1, reports[0].accepted)
    budget = engine.budget
    sizes: dict[str, _Size] = {
        "requests": lambda one: one.spent.requests,
        "prompt_tokens": lambda one: one.spent.prompt_tokens,
        "completion_tokens": lambda one: one.spent.completion_tokens,
        "cost": lambda one: budget.cost(one.spent),
        "seconds": lambda one: (
            None if one.seconds is None else one.seconds / requests_in_flight(engine)
        ),
    }
    rows: list[StageFigures] = []
    totals: dict[str, list[SampleTotal | None]] = {name: [] for name in sizes}
    for place, sample in enumerate(session.samples):
        # The first stage makes the instructions; the others go through them.
        goal = instructions if place == 0 else instructions * sample.to_do / accepted
        of_stage = {name: _total(sample.items, size, goal) for name, size in sizes.items()}
        rows.append(_figures(sample.report.stage, {name: [one] for name, one in of_stage.items()}))
        for name, one in of_stage.items():
            totals[name].append(one)
    items = sum(len(sample.items) for sample in session.samples)
    spent = session.spent
    return Estimated(tuple(rows), _figures(WHOLE, totals), items, spent, budget.cost(spent))


def _total(items: Sequence[_Seen], size: _Size, goal: float) -> SampleTotal | None:
    """The total size of a stage's items; None if the size is not known of any."""
    known = [(taken, one.done) for one in items if (taken := size(one)) is not None]
    if not goal:
        return SampleTotal(0.0, 0.0, 1)
    if not sum(done for _, done in known):
        return None
    return sample_total([taken for taken, _ in known], [done for _, done in known], goal)


def _figures(stage: str, totals: Mapping[str, Sequence[SampleTotal | None]]) -> StageFigures:
    return StageFigures(stage, **{name: _figure(parts) for name, parts in totals.items()})


def _figure(parts: Sequence[SampleTotal | None]) -> Figure | None:
    known = [one for one in parts if one is not None]
    if not parts or len(known) < len(parts):
        return None
    whole: Estimate = sum_of(known)
    return None if whole.value is None else Figure(whole.value, whole.low, whole.high)

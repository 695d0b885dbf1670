"""A run's folder with its journal and its engine, for the stages that work there."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    nullcontext,
)
from dataclasses import asdict, replace
from itertools import count, groupby
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from ..bdd.ladder import Climbing, Ladder, Rung
from ..bdd.verdicts import Row, climb_settled
from ..core.locks import holding
from ..core.option_fields import names_with
from ..core.records import Dropped
from ..core.run_files import JOURNAL_FILE
from ..core.spending import Budget, Spending
from ..engines import (
    Client,
    Completion,
    Engine,
    Journal,
    Request,
    open_engine,
    requests_in_flight,
    runs_here,
)
from ..engines.batches.batching import Batching, BatchSettings
from ..engines.batches.log import BatchLog
from ..engines.budget import BudgetEndError, BudgetGate, Purse, budget_refusal
from ..engines.journal import Answering
from ..engines.settings import EngineSettings
from ..events.events import EngineOpened, Event, ParameterRefused, Spent, Stopping
from ..events.reporter import Reporter
from ..events.stage_report import StageReport
from ..stages.base import Block, Generation, Stage
from .dropped_file import write_dropped
from .event_loop import run_coroutine
from .kept_verdicts import climb_once
from .run_file import note_refused_parameter, note_settings, read_settings
from .scheduler import NoAnswerError, commit_in_order, default_lag, growing_lag

__all__ = ["AnyJournal", "RunSession", "Send"]

_FREE_LAG = 16  # times the requests in flight, where items do not depend on one another
_BUDGET_LAG = 2  # the same with a budget
_BATCH_LAG = 50_000  # as many as a batch's file holds

Item = TypeVar("Item")
Result = TypeVar("Result")
# Takes a request, and the place of its item in the stage's order.
Send = Callable[[Request, int], Awaitable[Completion]]


class AnyJournal(Protocol):
    """Answers requests and stores the answers, like `Journal`.

    Attributes:
        damaged: the number of stored answers that were damaged, and so were requested again.
    """

    damaged: int

    async def ask(self, engine: Answering, request: Request) -> Completion: ...

    async def spent(self) -> Spending: ...


class RunSession:
    """A `stages.base.Session`: the journal and the engine are opened when a stage needs them.

    Use it in a `with` block. It locks the folder until the block ends. Answers that have arrived
    are stored even if the event loop ended at once.

    Args:
        engine: settings that name an engine, or an engine.
        carry_to: a file to write the requests of a batch to, instead of sending them.
    """

    def __init__(
        self,
        batch_dir: Path,
        engine: EngineSettings | Engine,
        reporter: Reporter,
        climbing: Climbing = climb_settled,
        carry_to: Path | None = None,
    ) -> None:
        self.batch_dir = batch_dir
        self._chosen = engine if isinstance(engine, EngineSettings | Client) else Client(engine)
        self.reporter = reporter
        self.blocks: list[Block] = []
        self._climbing = climbing
        self._judges = ThreadPoolExecutor(os.cpu_count() or 1)  # its threads start when needed
        self._while_engine = AsyncExitStack()
        # By name, with what it was opened by; the run's own engine by None.
        self._engines: dict[str | None, tuple[EngineSettings | Client, Client]] = {}
        self._while_held = ExitStack()
        self._is_held = False
        self._journal: AnyJournal | None = None
        self._budget = self._chosen.budget
        self._purse: Purse | None = None
        self._carry_to = carry_to
        self._batching: Batching | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._judges.shutdown(wait=False, cancel_futures=True)
        self._while_held.__exit__(*raised)

    def do(self, stages: Iterable[tuple[Stage[Any], Any]]) -> list[StageReport]:
        """Run stages in order, each with its settings.

        Stages that use an engine share the engine and an event loop. The others run outside the
        loop, because an interrupt would not end them inside.
        """
        reports: list[StageReport] = []
        for asks_engine, some in groupby(stages, lambda one: one[0].asks_engine):
            if asks_engine:
                reports += run_coroutine(self._do_with_engine(list(some)))
            else:
                for stage, settings in some:
                    report = stage.run(self, settings)
                    assert isinstance(report, StageReport), "an ordinary function"
                    reports.append(report)
        return reports

    async def _do_with_engine(self, stages: Sequence[tuple[Stage[Any], Any]]) -> list[StageReport]:
        reports = []
        try:
            async with self._while_engine:
                for stage, settings in stages:
                    working = stage.run(self, settings)
                    assert not isinstance(working, StageReport), "an asynchronous function"
                    report = await working
                    if stage.is_wanted is None:
                        _refuse_nothing(report)
                    reports.append(report)
            await self._tell_spending(reports)
        finally:
            self._engines.clear()  # they are closed
            self._batching = None
        return reports

    @property
    def default_lag(self) -> int:
        return default_lag(self.in_flight, is_even=runs_here(self._chosen))

    @property
    def in_flight(self) -> int:
        return requests_in_flight(self._chosen)

    def climbing(self, rows: Iterable[Row], top: Rung) -> Iterator[Ladder]:
        if self._journal is None and (self.batch_dir / JOURNAL_FILE).exists():
            self._opened_journal()
        if isinstance(self._journal, Journal):
            yield from climb_once(rows, top, self._climbing, self._journal)
        else:
            yield from self._climbing(rows, top)

    async def judge(self, rows: Sequence[Row], top: Rung) -> list[Ladder]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._judges, lambda: list(self.climbing(rows, top)))

    def hold_folder(self) -> None:
        if not self._is_held and self.batch_dir.is_dir():
            self._while_held.enter_context(holding(self.batch_dir))
            self._is_held = True

    def noted_settings(self, stage: str) -> Mapping[str, Any]:
        noted: Mapping[str, Any] = read_settings(self.batch_dir).get(stage, {})
        return noted

    def open_journal(self) -> None:
        self._opened_journal()

    async def open_engine(self, name: str | None = None) -> Engine:
        if isinstance(self._chosen, EngineSettings) and name == self._chosen.engine:
            name = None
        if name not in self._engines:
            chosen = self._chosen if name is None else self._settings_of_other(name)
            opening = self._engine_opening() if name is None else open_engine(chosen, self._emit)
            engine = await self._while_engine.enter_async_context(opening)
            self._engines[name] = chosen, engine
            self.reporter.emit(EngineOpened(engine.identity, engine.api, engine.notice))
        return self._engines[name][1]

    def note_settings(
        self,
        stage: str,
        settings: Any,
        engine: Engine | None = None,
        more: Mapping[str, Any] = {},
        *,
        is_binding: bool = True,
    ) -> None:
        of_engine: dict[str, Any] = {}
        if engine is not None:
            chosen, base_url = self._chosen_as(engine), None
            if isinstance(chosen, EngineSettings):
                name, base_url = chosen.engine, chosen.base_url
            else:
                name = chosen.class_name
            of_engine = {
                "engine": name,
                "base_url": base_url,
                "model": engine.identity,
                "api": engine.api,
                "grammar": engine.takes_grammar,
                "request_batch_size": requests_in_flight(chosen),
                **_noted(self._budget),
                **_additions(engine),
            }
        records = (type(settings), EngineSettings)
        notice = note_settings(
            self.batch_dir,
            stage,
            asdict(settings) | of_engine | dict(more),
            is_binding=is_binding,
            may_grow=names_with("may_grow", *records),
            may_change=names_with("may_change", *records),
        )
        if notice:
            self.reporter.say(notice)

    async def generate(
        self,
        generation: Generation[Item, Result],
        engine: Engine,
        *,
        lag: int | None = None,
        needed: Callable[[], int] | None = None,
    ) -> None:
        assert isinstance(engine, Client), "opened by open_engine"
        in_flight = engine.request_batch_size
        # Slightly more than will probably be needed: a low estimate would leave the engine idle.
        spare = in_flight // 4
        journal = self._opened_journal()
        damaged_before = journal.damaged
        purse = await self._purse_of_stage(journal)
        gate = BudgetGate(purse, in_flight) if purse is not None else None
        send = self._ask_by(journal, engine, gate, is_sequential=lag is not None)
        batching = None
        if lag is None and isinstance(journal, Journal) and self._is_own(engine):
            batching = await self._opened_batching(journal, engine, purse, send)
        if batching is not None:
            send = batching.ask
        is_breaking_off = False
        places = count()

        async def answer(item: Item) -> Result:
            place = next(places)  # items are asked in order

            async def ask(request: Request) -> Completion:
                if is_breaking_off:
                    raise _BrokenOffError
                try:
                    return await send(request, place)
                except BudgetEndError as error:
                    raise NoAnswerError from error

            with batching.answering_item() if batching is not None else nullcontext():
                return await generation.answer(item, ask)

        def commit(item: Item, result: Result) -> bool:
            goes_on = generation.commit(item, result)
            self.reporter.progress(generation.report)
            return goes_on

        def close() -> None:
            for one in (gate, batching):
                if one is not None:
                    one.close(_BrokenOffError())

        def break_off(unanswered: int) -> None:
            nonlocal is_breaking_off
            is_breaking_off = True
            close()
            self._break_off(journal, engine)
            if awaited := min(unanswered, in_flight):
                self.reporter.emit(Stopping(awaited))

        is_whole = await commit_in_order(
            draw=generation.draw,
            ask=answer,
            commit=commit,
            lag=growing_lag(lag) if lag is not None else lambda _: self._free_lag,
            break_off=break_off,
            needed=None if needed is None else lambda: needed() + spare,
            # What was sent has to be paid for: a budget counts it, so its answers are kept.
            keep_surplus=None if gate is None and batching is None else close,
        )
        if not is_whole:
            ends = [one.end for one in (gate, batching) if one is not None]
            generation.report.budget_end = next(filter(None, ends), None)
        if damaged := journal.damaged - damaged_before:
            generation.report.notes.append(f"{damaged} damaged in the journal, and asked for again")

    def write_dropped(self, stage: str, dropped: Sequence[Dropped]) -> None:
        write_dropped(self.batch_dir, stage, dropped)

    @property
    def _free_lag(self) -> int:
        """The number of items to draw ahead if they do not depend on one another.

        It is large, so that a slow answer hardly ever delays the others. With a budget it is
        small: what the budget pays for should finish the first items, not begin many.
        """
        if self._is_batching:
            return _BATCH_LAG
        times = _BUDGET_LAG if self._budget.is_limited else _FREE_LAG
        return times * self.in_flight

    def _ask_by(
        self, journal: AnyJournal, engine: Client, gate: BudgetGate | None, *, is_sequential: bool
    ) -> Send:
        """The function that gets a request answered, from the journal or by the engine."""
        if gate is None:
            return lambda request, _: journal.ask(engine, request)
        return lambda request, place: journal.ask(gate.before(engine, place), request)

    @property
    def _is_batching(self) -> bool:
        chosen = self._chosen
        return self._carry_to is not None or (isinstance(chosen, EngineSettings) and chosen.batch)

    async def _opened_batching(
        self, journal: Journal, engine: Client, purse: Purse | None, ask_now: Send
    ) -> Batching | None:
        """What sends batches, or awaits those of earlier commands; None without either."""
        if self._batching is not None:
            self._batching.begin_stage(ask_now)
            return self._batching
        log = self._while_held.enter_context(BatchLog(self.batch_dir))
        if not self._is_batching and not log.open_batches():
            return None
        settings = BatchSettings(carry_to=self._carry_to)
        if isinstance(self._chosen, EngineSettings):
            window, poll = self._chosen.batch_window, self._chosen.batch_poll
            settings = replace(settings, window=window, poll=poll)
        batching = Batching(
            journal,
            engine,
            log,
            settings,
            is_collecting=self._is_batching,
            ask_now=ask_now,
            purse=purse,
            emit=self.reporter.emit,
        )
        self._batching = await self._while_engine.enter_async_context(batching.opened())
        return self._batching

    async def _purse_of_stage(self, journal: AnyJournal) -> Purse | None:
        """What a stage may spend; None without limits."""
        return await self._opened_purse(journal) if self._budget.is_limited else None

    async def _opened_purse(self, journal: AnyJournal) -> Purse:
        """What the run has spent: the answers of all its stages, replayed ones too."""
        if self._purse is None:
            chosen = self._chosen
            thinking = chosen.thinking_tokens if isinstance(chosen, EngineSettings) else 0
            self._purse = Purse(self._budget, await journal.spent(), thinking)
        return self._purse

    async def _tell_spending(self, reports: Sequence[StageReport]) -> None:
        """Emit what the run has spent, if it has a budget or prices."""
        if self._budget == Budget() or self._journal is None:
            return
        spent = (await self._opened_purse(self._journal)).spent
        ends = [report.budget_end for report in reports if report.budget_end is not None]
        end = ends[0] if ends else None
        self.reporter.emit(Spent(spent, self._budget.cost(spent), end))

    def _break_off(self, journal: AnyJournal, engine: Client) -> None:
        """Send no more requests; those in flight may still be answered."""
        engine.stop_retrying()

    def _journal_opening(self) -> AbstractContextManager[AnyJournal]:
        """Open the folder's journal, which locks the folder."""
        return Journal(self.batch_dir)

    def _chosen_as(self, engine: Engine) -> EngineSettings | Client:
        """What an opened engine was opened by."""
        found = (chosen for chosen, one in self._engines.values() if one is engine)
        return next(found, self._chosen)

    def _is_own(self, engine: Engine) -> bool:
        """Whether it is the run's engine; batches go to that one only."""
        return self._chosen_as(engine) is self._chosen

    def _settings_of_other(self, name: str) -> EngineSettings:
        """The settings of another engine than the run's.

        It shares the run's limits. What belongs to the run's server, such as its key, stays there.
        """
        if not isinstance(self._chosen, EngineSettings):
            return EngineSettings(engine=name)
        shared = ("max_wait", "request_timeout", "thinking_tokens", "prompt_cache")
        limits = ("max_requests", "max_total_tokens", "max_cost")
        prices = ("price_in", "price_out", "price_cached")
        taken = {one: getattr(self._chosen, one) for one in (*shared, *limits, *prices)}
        return EngineSettings(engine=name, **taken)

    def _engine_opening(self) -> AbstractAsyncContextManager[Client]:
        """Open the engine."""
        return open_engine(self._chosen, self._emit)

    def _emit(self, event: Event) -> None:
        """Pass on an event of the engine; what changes its requests belongs into `run.toml`."""
        if isinstance(event, ParameterRefused):
            note_refused_parameter(self.batch_dir, event.address, event.name, event.instead)
        self.reporter.emit(event)

    def _opened_journal(self) -> AnyJournal:
        if self._journal is None:
            if self._is_held:  # the journal locks the folder itself
                self._while_held.close()
            self._journal = self._while_held.enter_context(self._journal_opening())
            self._is_held = True
        return self._journal


def _noted(budget: Budget) -> dict[str, float | None]:
    """A budget in `run.toml`: what is given."""
    limits = {
        "max_requests": budget.max_requests,
        "max_total_tokens": budget.max_total_tokens,
        "max_cost": budget.max_cost,
    }
    prices = asdict(budget.prices) if budget.prices is not None else {}
    limits |= {
        option: prices.get(name)
        for option, name in (
            ("price_in", "input"), ("price_out", "output"), ("price_cached", "cached")
        )
    }  # fmt: skip
    return {name: value for name, value in limits.items() if value is not None}


def _refuse_nothing(report: StageReport) -> None:
    """Refuse to go on without anything to go on with.

    Raises:
        SelfBehaveError: the budget ended before the stage kept anything.
    """
    end = report.budget_end
    if end is not None and not report.accepted:
        raise budget_refusal(end, f"{report.stage} has kept none of its {report.unit}")


def _additions(engine: Engine) -> dict[str, Any]:
    """What the user adds to each request, under the names of the options."""
    extra = dict(engine.additions)
    tokens = extra.pop("thinking_tokens", 0)
    body = json.dumps(extra, sort_keys=True) if extra else None
    return {"extra_body": body, "thinking_tokens": tokens or None}


class _BrokenOffError(Exception):
    """Ends a chain of requests because the run breaks off: no more requests are sent."""

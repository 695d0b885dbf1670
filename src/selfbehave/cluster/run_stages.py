"""The stages of a run on a cluster: the same stages, with requests and pairs sent to workers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from ..bdd.ladder import Ladder, Rung
from ..bdd.verdicts import Row
from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..engines import Client, Completion, Engine, Request, open_engine, portable, runs_here
from ..engines.budget import BudgetEndError, BudgetGate
from ..engines.settings import EngineSettings
from ..events.reporter import Reporter
from ..events.stage_report import StageReport
from ..runs.pipeline import RunReport, run_all
from ..runs.run_settings import RunSettings
from ..runs.session import AnyJournal, RunSession, Send
from ..stages.base import Stage
from ..views.display import Display
from .answering import answer_by_engine
from .batch_llm import BatchEngine, BatchModel, Processor, answer_by_processor, vllm_processor
from .climbing import climbing_on_cluster
from .connection import ClusterSettings, connected
from .gathering import Gathering
from .shared_journal import ClusterJournal

__all__ = ["VERDICTS_FILE", "run", "run_stage"]

VERDICTS_FILE = "verdicts.jsonl"

_AT_ONCE = 5_000  # requests sent to the cluster together; progress is shown after each group

Settings = TypeVar("Settings")


def run(
    batch_dir: Path,
    settings: RunSettings,
    engine: EngineSettings,
    cluster: ClusterSettings,
    display: Reporter | None = None,
    stage_settings: Mapping[str, Any] = {},
) -> RunReport:
    """Run all stages. This process sends the requests of sequential stages, which need answers."""
    _check_engine(engine)
    with connected(cluster) as workers:
        session = ClusterSession(batch_dir, engine, display or Display(), workers)
        return run_all(session, settings, stage_settings)


def run_stage(
    stage: Stage[Settings],
    settings: Settings,
    batch_dir: Path,
    engine: EngineSettings,
    cluster: ClusterSettings,
    display: Reporter | None = None,
    model: BatchModel | None = None,
) -> StageReport:
    """Run one stage in a run's folder.

    Args:
        engine: its endpoints answer the requests, unless a model is given.
        model: a model that vLLM runs on GPU nodes.
    """
    if stage.asks_engine and model is None:
        _check_engine(engine)
    with connected(cluster) as workers:
        reporter = display or Display()
        session = (
            ClusterSession(batch_dir, engine, reporter, workers)
            if model is None
            else BatchSession(batch_dir, reporter, BatchEngine(model), vllm_processor(model))
        )
        with session:
            (report,) = session.do([(stage, settings)])
    return report


def _check_engine(engine: EngineSettings) -> None:
    if engine.batch:
        raise SelfBehaveError(
            "a cluster sends no batches",
            mend="leave --batch out, or leave `cluster` out: one machine sends as many batches",
            exit_code=EXIT_USAGE,
        )
    if runs_here(engine):
        raise SelfBehaveError(
            f"a cluster asks models over the network, not '{engine.engine}'",
            mend="give --engine http(s)://…/v1, or several with commas between",
            exit_code=EXIT_USAGE,
        )


class ClusterSession(RunSession):
    """A session whose requests a cluster answers, except those of sequential stages."""

    def __init__(
        self, batch_dir: Path, engine: EngineSettings, reporter: Reporter, workers: int
    ) -> None:
        climbing = climbing_on_cluster(batch_dir / VERDICTS_FILE, workers)
        super().__init__(batch_dir, engine, reporter, climbing)
        self._workers = workers
        self._judging: dict[Rung, Gathering[Row, Ladder]] = {}

    async def judge(self, rows: Sequence[Row], top: Rung) -> list[Ladder]:
        """Climb on the workers, together with all rows that wait for a verdict."""

        async def climb_all(waiting: Sequence[Row]) -> Sequence[Ladder]:
            return await asyncio.to_thread(lambda: list(self.climbing(waiting, top)))

        gathering = self._judging.setdefault(top, Gathering(climb_all))
        return list(await asyncio.gather(*map(gathering.ask, rows)))

    def answer(self, requests: Sequence[Request], engine: Engine, keeper: Any) -> None:
        """Return once requests are answered in the journal."""
        chosen = self._chosen_as(engine)
        assert isinstance(chosen, EngineSettings), "a cluster is given no engine of ours"
        settings = portable(chosen, engine)
        answer_by_engine(requests, settings, keeper, self._workers)

    @property
    def _free_lag(self) -> int:
        return _AT_ONCE

    def _settings_of_other(self, name: str) -> EngineSettings:
        settings = super()._settings_of_other(name)
        _check_engine(settings)
        return settings

    def _journal_opening(self) -> AbstractContextManager[AnyJournal]:
        return ClusterJournal(self.batch_dir)

    def _ask_by(
        self, journal: AnyJournal, engine: Client, gate: BudgetGate | None, *, is_sequential: bool
    ) -> Send:
        assert isinstance(journal, ClusterJournal), "opened by _journal_opening"
        if is_sequential:
            return super()._ask_by(journal, engine, gate, is_sequential=True)

        purse = None if gate is None else gate.purse

        async def answer_all(
            requests: Sequence[Request],
        ) -> Sequence[Completion | Exception | None]:
            keys = [request.key(engine) for request in requests]
            unanswered = await journal.unanswered(keys)
            missing = [one for one, is_new in zip(requests, unanswered, strict=True) if is_new]
            try:
                while missing:
                    allowed = missing if purse is None else purse.affordable(missing)
                    try:
                        await asyncio.to_thread(self.answer, allowed, engine, journal.keeper)
                    finally:
                        for event in await journal.refused():
                            self._emit(event)
                    if purse is not None:
                        purse.spent = await journal.spent()
                    missing = missing[len(allowed) :]
            except BudgetEndError as end:
                assert gate is not None, "no gate, no budget"
                gate.end = end.end
                return [end if one is None else one for one in await journal.find(keys)]
            return await journal.find(keys)

        gathering = Gathering(answer_all)
        return lambda request, _: gathering.ask(request)

    def _break_off(self, journal: AnyJournal, engine: Client) -> None:
        super()._break_off(journal, engine)
        assert isinstance(journal, ClusterJournal), "opened by _journal_opening"
        journal.break_off()


class BatchSession(ClusterSession):
    """A session whose requests are answered by a processor of whole datasets."""

    def __init__(
        self, batch_dir: Path, reporter: Reporter, engine: BatchEngine, processor: Processor
    ) -> None:
        super().__init__(batch_dir, EngineSettings(engine=engine.identity), reporter, workers=1)
        self._batch_engine = engine
        self._processor = processor

    def _settings_of_other(self, name: str) -> EngineSettings:
        raise SelfBehaveError(
            f"with --vllm no other engine answers, not '{name}'",
            mend="leave --judge out, or leave --vllm out",
            exit_code=EXIT_USAGE,
        )

    def answer(self, requests: Sequence[Request], engine: Engine, keeper: Any) -> None:
        answer_by_processor(requests, self._processor, self._batch_engine, keeper)

    def _engine_opening(self) -> AbstractAsyncContextManager[Client]:
        return open_engine(self._batch_engine, self.reporter.emit)

"""The stages of a run on a cluster: the same stages, with requests and pairs sent to workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.locks import holding
from ..engines import Completion, Engine, Request, portable, runs_here
from ..engines.settings import EngineSettings
from ..events.stage_report import StageReport
from ..runs.finetuning_files import write_finetuning_data
from ..runs.pipeline import RunReport, run_all
from ..runs.session import Answers, Work
from ..stages.settings import ClassifySettings, InstancesSettings, PrepareSettings, RunSettings
from ..views.display import Display
from .answering import answer_by_engine
from .batch_llm import BatchEngine, BatchModel, Processor, answer_by_processor, vllm_processor
from .climbing import climbing_on_cluster
from .connection import ClusterSettings, connected
from .shared_journal import ClusterJournal

__all__ = ["VERDICTS_FILE", "classify", "instances", "prepare", "run"]

VERDICTS_FILE = "verdicts.jsonl"

_AT_ONCE = 5_000  # requests handed to the cluster together: it shows its progress after each


def run(
    batch_dir: Path,
    settings: RunSettings,
    engine: EngineSettings,
    cluster: ClusterSettings,
    display: Display | None = None,
) -> RunReport:
    """All four stages; requests of the bootstrap, which depend on answers, are asked from here."""
    display = display or Display()
    with connected(cluster) as workers:
        work = ClusterWork(batch_dir, engine, display, workers)
        climbing = climbing_on_cluster(batch_dir / VERDICTS_FILE, workers)
        return run_all(work, settings, climbing)


def classify(
    batch_dir: Path,
    settings: ClassifySettings,
    engine: EngineSettings,
    cluster: ClusterSettings,
    display: Display | None = None,
    model: BatchModel | None = None,
) -> StageReport:
    """Stage 2, by the engine's endpoints or, where a model is given, by vLLM on GPU nodes."""
    with connected(cluster) as workers:
        work = _work(batch_dir, engine, display or Display(), workers, model)
        with work:
            return work.do(lambda: work.classify(settings))


def instances(
    batch_dir: Path,
    settings: InstancesSettings,
    engine: EngineSettings,
    cluster: ClusterSettings,
    display: Display | None = None,
    model: BatchModel | None = None,
) -> StageReport:
    """Stage 3, by the engine's endpoints or, where a model is given, by vLLM on GPU nodes."""
    with connected(cluster) as workers:
        work = _work(batch_dir, engine, display or Display(), workers, model)
        with work:
            return work.do(lambda: work.instances(settings))


def prepare(
    settings: PrepareSettings, cluster: ClusterSettings, display: Display | None = None
) -> StageReport:
    """Stage 4: pairs climb the ladder on the workers, the rest is done here."""
    folder = settings.batch_dir
    with holding(folder) if folder.is_dir() else nullcontext(), connected(cluster) as workers:
        climbing = climbing_on_cluster(folder / VERDICTS_FILE, workers)
        report, _ = write_finetuning_data(settings, display or Display(), climbing)
    return report


def _work(
    batch_dir: Path,
    engine: EngineSettings,
    display: Display,
    workers: int,
    model: BatchModel | None,
) -> ClusterWork:
    if model is None:
        return ClusterWork(batch_dir, engine, display, workers)
    return BatchWork(batch_dir, display, BatchEngine(model), vllm_processor(model))


class ClusterWork(Work):
    """The work of stages with requests answered by a cluster, where they are all known ahead."""

    def __init__(
        self, batch_dir: Path, engine: EngineSettings, display: Display, workers: int
    ) -> None:
        if runs_here(engine):
            raise SelfBehaveError(
                f"a cluster asks models over the network, not '{engine.engine}'",
                mend="give --engine http(s)://…/v1, or several with commas between",
                exit_code=EXIT_USAGE,
            )
        super().__init__(batch_dir, engine, display)
        self._workers = workers

    def open_journal(self) -> AbstractContextManager[Answers]:
        return ClusterJournal(self.batch_dir)

    async def commit_all(
        self,
        draw: Callable[[int], Request | None],
        engine: Engine,
        journal: Answers,
        commit: Callable[[Request, Completion], bool],
        break_off: Callable[[int], None],
    ) -> None:
        """Have requests answered many at a time, and commit them in their order."""
        assert isinstance(journal, ClusterJournal), "opened by open_journal"
        index = 0
        while requests := _drawn(draw, index):
            keys = [request.key(engine) for request in requests]
            unanswered = await journal.unanswered(keys)
            missing = [one for one, is_new in zip(requests, unanswered, strict=True) if is_new]
            if missing:
                try:
                    await asyncio.to_thread(self.answer, missing, engine, journal.keeper)
                except asyncio.CancelledError:
                    await journal.keeper.break_off.remote("")
                    break_off(len(missing))
                    raise
            completions = await journal.find(keys)
            for request, completion in zip(requests, completions, strict=True):
                assert completion is not None, "answered, but not in the journal"
                commit(request, completion)
            index += len(requests)

    def answer(self, requests: Sequence[Request], engine: Engine, keeper: Any) -> None:
        """Return once requests are answered in the journal."""
        settings = portable(self.engine_settings, engine)
        answer_by_engine(requests, settings, keeper, self._workers)


class BatchWork(ClusterWork):
    """The work of stages with requests answered by a processor of whole datasets."""

    def __init__(
        self, batch_dir: Path, display: Display, engine: BatchEngine, processor: Processor
    ) -> None:
        super().__init__(batch_dir, EngineSettings(engine=engine.identity), display, workers=1)
        self._batch_engine = engine
        self._processor = processor

    def open_engine(self) -> AbstractAsyncContextManager[Engine]:
        return nullcontext(self._batch_engine)

    def answer(self, requests: Sequence[Request], engine: Engine, keeper: Any) -> None:
        answer_by_processor(requests, self._processor, self._batch_engine, keeper)


def _drawn(draw: Callable[[int], Request | None], index: int) -> list[Request]:
    """The next requests, which depend on no answer."""
    drawn: list[Request] = []
    while len(drawn) < _AT_ONCE and (request := draw(index + len(drawn))) is not None:
        drawn.append(request)
    return drawn

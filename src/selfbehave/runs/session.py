"""A folder with its journal and engine, and the stages that work with them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
)
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..core.errors import SelfBehaveError
from ..core.jsonl import each_record, write_jsonl, writing_jsonl
from ..core.records import Classification, Dropped, Instruction, RawInstances
from ..core.run_files import CLASSIFICATION_FILE, INSTRUCTIONS_FILE
from ..engines import Completion, Engine, Journal, Request, open_engine, runs_here
from ..engines.settings import EngineSettings
from ..events.events import Accepted, EngineOpened, Event, Stopping
from ..events.stage_report import StageReport
from ..prompts import family_for
from ..seeds.load import load_seeds
from ..stages import bootstrap as bootstrap_stage
from ..stages import classify as classify_stage
from ..stages import instances as instances_stage
from ..stages.bootstrap import NovelInstruction
from ..stages.settings import BootstrapSettings, ClassifySettings, InstancesSettings
from ..views.display import Display
from .event_loop import run_coroutine
from .run_file import note_settings
from .run_folder import at_least, classification_tasks, write_dropped
from .scheduler import commit_in_order, default_lag, growing_lag

__all__ = ["Answers", "Work"]

_FREE_LAG = 16  # times the requests in flight, where requests do not depend on answers

Result = TypeVar("Result")


class _Stage(Protocol):
    report: StageReport

    def draw(self, index: int) -> Request | None: ...
    def commit(self, request: Request, completion: Completion) -> bool: ...


class Answers(Protocol):
    """What answers requests and keeps the answers, as `Journal` does."""

    damaged: int

    async def ask(self, engine: Engine, request: Request) -> Completion: ...


class Work:
    """The folder, journal and engine that stages work with, each opened when it is needed.

    The journal, and with it the folder, is held until the end of a `with` around the work: also
    where the event loop was left at once, what has arrived is kept.
    """

    def __init__(self, batch_dir: Path, engine: EngineSettings, display: Display) -> None:
        self.batch_dir = batch_dir
        self.engine_settings = engine
        self.display = display
        self._engine: Engine | None = None
        self._stack = AsyncExitStack()
        self._held = ExitStack()
        self._journal: Answers | None = None

    def __enter__(self) -> Work:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._held.__exit__(*raised)

    def do(self, task: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Do a task with the engine open, in an event loop of its own."""

        async def with_everything() -> Result:
            async with self._stack:
                return await task()

        return run_coroutine(with_everything())

    async def bootstrap(self, settings: BootstrapSettings) -> StageReport:
        at_least(1, settings, "num_instructions_to_generate", "num_prompt_instructions")
        if settings.lag is None:
            of_engine = self.engine_settings
            lag = default_lag(of_engine.request_batch_size, is_even=runs_here(of_engine))
            settings = replace(settings, lag=lag)
        at_least(1, settings, "lag")
        seeds = load_seeds(settings.seed_tasks_path)
        tasks = [
            task
            for task in seeds.tasks
            if task.is_classification or not settings.use_clf_seed_tasks_only
        ]
        if not tasks:
            raise SelfBehaveError(
                "no classification seed task",
                where=settings.seed_tasks_path,
                mend="leave --use_clf_seed_tasks_only out, or add some",
            )
        family = family_for(
            settings.prompts, (task.instruction for task in tasks), settings.seed_tasks_path
        )
        journal = self._open_journal()
        engine = await self._open_engine()
        self._note(
            "bootstrap",
            replace(settings, prompts=family.name),
            engine,
            {"seed_tasks_sha256": seeds.sha256},
        )
        stage = bootstrap_stage.Bootstrap(settings, tasks, family, engine)
        news = _news(stage.accepted, stage.dropped)
        with self.display.stage(stage.report):
            await self._generate(stage, engine, journal, settings.lag, stage.needed, news)
        file = self.batch_dir / INSTRUCTIONS_FILE
        write_jsonl(file, (one.to_dict() for one in stage.instructions()))
        stage.report.files.append(str(file))
        write_dropped(self.batch_dir, "bootstrap", stage.dropped)
        return stage.report

    async def classify(self, settings: ClassifySettings) -> StageReport:
        _at_least_one_instruction(settings)
        path = self.batch_dir / INSTRUCTIONS_FILE

        def texts() -> Iterator[str]:
            return (one.instruction for one in self._instructions(path, settings.num_instructions))

        family = family_for(settings.prompts, texts(), str(path))
        is_decided = all(classify_stage.decide_by_rule(text, family) for text in texts())
        journal = self._open_journal()
        # Rules alone need no model, and no token for one.
        engine = None if is_decided else await self._open_engine()
        self._note("classify", replace(settings, prompts=family.name), engine)
        file = self.batch_dir / CLASSIFICATION_FILE
        with writing_jsonl(file) as write:

            def keep(one: Classification) -> None:
                write(one.to_dict())
                label = "Yes" if one.is_classification else "No"
                self.display.emit(Accepted("classify", one.instruction, label))

            stage = classify_stage.Classify(settings, texts, family, engine, keep)
            with self.display.stage(stage.report):
                await self._generate(stage, engine, journal)
                stage.finish()
        stage.report.files.append(str(file))
        return stage.report

    async def instances(self, settings: InstancesSettings) -> StageReport:
        at_least(1, settings, "max_instances_to_generate")
        _at_least_one_instruction(settings)
        path = self.batch_dir / settings.input_file

        def instructions() -> Iterator[Instruction]:
            return self._instructions(path, settings.num_instructions)

        texts = (one.instruction for one in instructions())
        family = family_for(settings.prompts, texts, str(path))
        seeds = load_seeds(settings.seed_tasks_path)
        labelled = classification_tasks(self.batch_dir / CLASSIFICATION_FILE)
        journal = self._open_journal()
        engine = await self._open_engine()
        self._note(
            "instances",
            replace(settings, prompts=family.name),
            engine,
            {"seed_tasks_sha256": seeds.sha256},
        )
        file = self.batch_dir / settings.output_file
        with writing_jsonl(file) as write:

            def keep(one: RawInstances) -> None:
                write(one.to_dict())
                self.display.emit(Accepted("instances", one.instruction, one.raw_instances))

            stage = instances_stage.Instances(
                settings, instructions, labelled, seeds.tasks, family, engine, keep
            )
            with self.display.stage(stage.report):
                await self._generate(stage, engine, journal, news=_news([], stage.dropped))
        stage.report.files.append(str(file))
        write_dropped(self.batch_dir, "instances", stage.dropped)
        return stage.report

    def _instructions(self, path: Path, most: int | None) -> Iterator[Instruction]:
        return islice(each_record(path, Instruction.from_dict), most)

    async def _generate(
        self,
        stage: _Stage,
        engine: Engine | None,
        journal: Answers,
        lag: int | None = None,
        needed: Callable[[], int] | None = None,
        news: Callable[[], Iterable[Event]] = tuple,
    ) -> None:
        """Have the engine answer a stage's requests.

        Without a lag of its own a stage's requests do not depend on its answers: they are drawn
        so far ahead that hardly any answer is slow enough to keep the others waiting.

        Args:
            news: what the stage accepted and dropped since it was last asked for.
        """
        in_flight = self.engine_settings.request_batch_size
        # A few more than are probably needed: too low an estimate would leave the engine idle.
        spare = in_flight // 4

        def tell_news() -> None:
            for event in news():
                self.display.emit(event)

        tell_news()
        if engine is None:
            return
        asked = engine

        def commit(request: Request, completion: Completion) -> bool:
            goes_on = stage.commit(request, completion)
            tell_news()
            self.display.progress(stage.report)
            return goes_on

        def break_off(unanswered: int) -> None:
            asked.stop_retrying()
            if awaited := min(unanswered, in_flight):
                self.display.emit(Stopping(awaited))

        damaged_before = journal.damaged
        if lag is None:
            await self.commit_all(stage.draw, asked, journal, commit, break_off)
        else:
            await commit_in_order(
                draw=stage.draw,
                ask=lambda request: journal.ask(asked, request),
                commit=commit,
                lag=growing_lag(lag),
                break_off=break_off,
                needed=None if needed is None else lambda: needed() + spare,
            )
        if damaged := journal.damaged - damaged_before:
            stage.report.notes.append(f"{damaged} damaged in the journal, and asked for again")

    async def commit_all(
        self,
        draw: Callable[[int], Request | None],
        engine: Engine,
        journal: Answers,
        commit: Callable[[Request, Completion], bool],
        break_off: Callable[[int], None],
    ) -> None:
        """Have requests answered that depend on no answer, and commit them in their order."""
        await commit_in_order(
            draw=draw,
            ask=lambda request: journal.ask(engine, request),
            commit=commit,
            lag=lambda _: _FREE_LAG * self.engine_settings.request_batch_size,
            break_off=break_off,
        )

    def open_journal(self) -> AbstractContextManager[Answers]:
        """Open the folder's journal, and hold the folder."""
        return Journal(self.batch_dir)

    def open_engine(self) -> AbstractAsyncContextManager[Engine]:
        """Open what answers."""
        return open_engine(self.engine_settings, self.display.emit)

    def _open_journal(self) -> Answers:
        if self._journal is None:
            self._journal = self._held.enter_context(self.open_journal())
        return self._journal

    async def _open_engine(self) -> Engine:
        if self._engine is None:
            engine = self._engine = await self._stack.enter_async_context(self.open_engine())
            self.display.emit(EngineOpened(engine.identity, engine.api, engine.notice))
        return self._engine

    def _note(
        self,
        stage: str,
        settings: BootstrapSettings | ClassifySettings | InstancesSettings,
        engine: Engine | None,
        more: Mapping[str, Any] = {},
    ) -> None:
        of_engine: dict[str, Any] = {}
        if engine is not None:
            of_engine = {
                "engine": self.engine_settings.engine,
                "base_url": self.engine_settings.base_url,
                "model": engine.identity,
                "api": engine.api,
                "grammar": engine.takes_grammar,
                "request_batch_size": self.engine_settings.request_batch_size,
            }
        notice = note_settings(self.batch_dir, stage, asdict(settings) | of_engine | dict(more))
        if notice:
            self.display.say(notice)


def _news(
    accepted: Sequence[NovelInstruction], dropped: Sequence[Dropped]
) -> Callable[[], Iterator[Event]]:
    """What was added to two growing sequences since it was last asked for, as events."""
    told = [0, 0]

    def news() -> Iterator[Event]:
        for one in accepted[told[0] :]:
            yield Accepted("bootstrap", one.text, None, one.request_idx)
        yield from dropped[told[1] :]
        told[:] = len(accepted), len(dropped)

    return news


def _at_least_one_instruction(settings: ClassifySettings | InstancesSettings) -> None:
    if settings.num_instructions is not None:
        at_least(1, settings, "num_instructions")

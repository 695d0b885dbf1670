"""The declaration of a stage, and the interfaces that it works with.

A stage is declared by one `Stage` object in a module of its own. The command line, `run`, the
cluster, `run.toml`, the report and the documentation learn of it from there. Modules that declare
stages load nothing heavy when they are imported, because `selfbehave --help` imports them all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ..core.option_fields import option
from ..core.records import Dropped
from ..core.rungs import RUNGS
from .funnel import FunnelStep, RunCounts

if TYPE_CHECKING:
    from ..bdd.ladder import Climbing, Ladder, Rung
    from ..engines.base import Completion, Engine, Request
    from ..events.reporter import Reporter
    from ..events.stage_report import StageReport

__all__ = [
    "AimSettings",
    "Ask",
    "Block",
    "Generation",
    "OneRequestEach",
    "SamplingSettings",
    "Session",
    "Stage",
]

Settings = TypeVar("Settings")
Item = TypeVar("Item")
Result = TypeVar("Result")

Ask = Callable[["Request"], Awaitable["Completion"]]


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """How the engine draws tokens; None means the stage's own default."""

    temperature: float | None = option(None, "sampling temperature; default: the stage's own")
    top_p: float | None = option(None, "nucleus sampling mass; default: the stage's own")
    max_tokens: int | None = option(None, "longest answer, in tokens; default: the stage's own")


@dataclass(frozen=True)
class Stage(Generic[Settings]):
    """A stage of a run.

    Attributes:
        name: of its command, of its table in `run.toml` and of its rows in `dropped.jsonl`.
        summary: what it does, in a phrase: the help text of its command.
        settings: its settings record, a dataclass whose fields are made by `option`.
        run: does its work with a session and its settings, and returns the report of it. An
            asynchronous function if the stage asks an engine, otherwise an ordinary one.
        reads: the files in the run's folder that earlier stages wrote and that it reads.
        writes: the files that it writes there, the main one first.
        asks_engine: whether it sends requests to an engine.
        is_sequential: whether an item may depend on the results of items before it, as in a
            bootstrap. A cluster, which spreads requests, has no command for such a stage.
        after: for a stage of another package, the stage that it follows in a run; None for the
            last one.
        in_run: given the run's folder, settings that are fixed when the stage is part of a run.
        folder_of: given its settings, the run's folder; None for a command with `--batch_dir`.
        funnel: given what a run's files hold, the stage's steps in the report's funnel; by
            default one step, which counts the records of its main file.
        is_wanted: given its settings, whether a run has the stage, which may then also end without
            having kept anything; None for a stage of every run.
        unfinished: what a report lacks as long as the main file is missing, in a clause; "" for
            nothing worth a notice.
    """

    name: str
    summary: str
    settings: type[Settings]
    run: Callable[[Session, Settings], Awaitable[StageReport] | StageReport]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    asks_engine: bool = True
    is_sequential: bool = False
    after: str | None = None
    in_run: Callable[[Path], Mapping[str, Any]] = lambda folder: {}
    folder_of: Callable[[Settings], Path] | None = None
    funnel: Callable[[RunCounts], Sequence[FunnelStep]] | None = None
    is_wanted: Callable[[Settings], bool] | None = None
    unfinished: str = ""

    def funnel_steps(self, counts: RunCounts) -> Sequence[FunnelStep]:
        """The stage's steps in the report's funnel."""
        if self.funnel is not None:
            return self.funnel(counts)
        if not self.writes:
            return ()
        return (FunnelStep(self.name, counts.records.get(self.writes[0]), self.summary),)


@dataclass(frozen=True)
class Block:
    """A part of a run that grows until enough rows are proven.

    Attributes:
        goal: how many instructions were accepted at its end.
        proven: those of them, and of earlier blocks, whose rows are what the run's aim wants.
    """

    goal: int
    proven: frozenset[str]


class Generation(Protocol[Item, Result]):
    """The requests of a stage, item by item, and the results it keeps.

    An item takes one request or a chain of them: an attempt, and repairs that depend on it. Items
    are answered side by side and committed in order. `draw` and `commit` are called in one order
    whatever the timing of answers, so what they compute is reproducible.
    """

    report: StageReport

    def draw(self, index: int) -> Item | None:
        """Make the item of an index, counted from 0; None when there are no more."""
        ...

    async def answer(self, item: Item, ask: Ask) -> Result:
        """Have an item answered.

        Its result may depend on the item and its answers only: other items are being answered
        meanwhile. A chain awaits one `ask` after another. Once the run breaks off, `ask` sends
        nothing more and ends the chain; the journal has what was answered.
        """
        ...

    def commit(self, item: Item, result: Result) -> bool:
        """Keep the wanted part of an item's result; return whether to continue."""
        ...


@dataclass(frozen=True, kw_only=True)
class AimSettings:
    """What a row must be, shared by the stages that check it."""

    min_rung: str | None = option(
        None,
        "rung of the BDD ladder that a scenario's row must reach; default: causal for an engine "
        "that chats, bound for a base model, and no higher than --top_rung unless that is below "
        "bound. prepare takes what the instances stage had",
        RUNGS,
    )
    top_rung: str = option(
        "causal",
        "highest rung to check; above bound, generated code runs in the sandbox",
        RUNGS,
    )
    allow_idle: bool = option(
        False,
        "keep causal rows that have idle steps, ignored values or hard-coded outcomes",
    )


class OneRequestEach:
    """A generation whose items are requests."""

    async def answer(self, item: Request, ask: Ask) -> Completion:
        """Ask it."""
        return await ask(item)


class Session(Protocol):
    """What a stage works with: a run's folder, an engine, and a reporter of events.

    Attributes:
        batch_dir: the run's folder.
        reporter: takes the events.
        climbing: climbs the BDD ladder with many rows, here or on a cluster.
        default_lag: how many items a sequential stage draws ahead by default.
        in_flight: how many requests the engine answers at once.
        blocks: the blocks of the run that ended, in order; empty for a run of one block.
    """

    @property
    def batch_dir(self) -> Path: ...
    @property
    def reporter(self) -> Reporter: ...
    @property
    def climbing(self) -> Climbing: ...
    @property
    def default_lag(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def blocks(self) -> Sequence[Block]: ...

    async def judge(self, rows: Sequence[tuple[str, str, str]], top: Rung) -> list[Ladder]:
        """Climb the BDD ladder with rows of (instruction, input, output), beside the engine.

        Every verdict is in the journal before it is used; what is in the journal is not run again.

        Raises:
            SelfBehaveError: `top` is above `bound` and this machine has no sandbox.
        """
        ...

    def hold_folder(self) -> None:
        """Keep other processes out of the run's folder, if it exists.

        Raises:
            SelfBehaveError: another process works in it.
        """
        ...

    def noted_settings(self, stage: str) -> Mapping[str, Any]:
        """A stage's settings in the folder's `run.toml`; empty if it has none.

        Raises:
            SelfBehaveError: the file is broken.
        """
        ...

    def open_journal(self) -> None:
        """Open the folder's journal and keep other processes out; the folder is made if need be.

        Raises:
            SelfBehaveError: another process works in it, or it cannot be written.
        """
        ...

    async def open_engine(self, name: str | None = None) -> Engine:
        """The run's engine, or another one by its name, opened at the first call.

        Raises:
            SelfBehaveError: there is no such engine, or it cannot be opened.
        """
        ...

    def note_settings(
        self,
        stage: str,
        settings: Any,
        engine: Engine | None = None,
        more: Mapping[str, Any] = {},
        *,
        is_binding: bool = True,
    ) -> None:
        """Write a stage's settings into `run.toml`, with what answers it.

        Args:
            settings: its settings record, defaults filled in.
            more: what else decides its files, such as the digest of the seed tasks.
            is_binding: whether a folder made with other settings is refused.

        Raises:
            SelfBehaveError: the folder was made with other settings.
        """
        ...

    async def generate(
        self,
        generation: Generation[Item, Result],
        engine: Engine,
        *,
        lag: int | None = None,
        needed: Callable[[], int] | None = None,
    ) -> None:
        """Draw, answer and commit items until there are no more, or enough are committed.

        Every answer is in the journal before it is committed, and what is in the journal is not
        asked again.

        Args:
            lag: how many items are drawn ahead; give it if items depend on what was committed.
            needed: about how many more items it takes, so that none is asked in vain at the end.

        Raises:
            SelfBehaveError: the engine refused a request or stayed away.
            Whatever the generation raises.
        """
        ...

    def write_dropped(self, stage: str, dropped: Sequence[Dropped]) -> None:
        """Write what a stage dropped into the folder's `dropped.jsonl`, in the stages' order."""
        ...

"""Stage 1, bootstrap: generate instructions from the seed tasks, and keep the novel ones."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import novelty, prompts
from ..axes.tally import Tally
from ..core.errors import SelfBehaveError
from ..core.jsonl import each_record, write_jsonl
from ..core.option_fields import at_least, option
from ..core.records import Dropped, Instruction, SeedTask
from ..core.run_files import INSTRUCTIONS_FILE
from ..events.events import Accepted, Emit, ignore
from ..events.stage_report import StageReport
from ..prompts.base import WritesCells
from ..seeds.load import load_seeds
from ..seeds.packaged_names import PACKAGED_HIGH_QUALITY
from .base import Block, OneRequestEach, SamplingSettings, Session, Stage
from .funnel import FunnelStep, RunCounts
from .requests import answer_metadata, make_request

if TYPE_CHECKING:
    from ..axes.cells import Cell
    from ..axes.table import Axes
    from ..engines.base import Completion, Engine, Request

__all__ = [
    "BOOTSTRAP",
    "BootstrapSettings",
    "NewInstructions",
    "NovelInstruction",
    "read_instructions",
]

NAME = "bootstrap"
MACHINE_EXAMPLES = 2  # of a prompt's examples (Wang et al., section 2.2)
MAX_BARREN_REQUESTS = 100  # consecutive requests without a novel instruction, then the run stops
TEMPERATURE, TOP_P = 0.8, 0.95
# The reasons to drop an answer without a candidate: it has text, or it has none at all.
NO_CANDIDATE, NO_TEXT = "no_candidate", "no_text"


@dataclass(frozen=True, kw_only=True)
class BootstrapSettings(SamplingSettings):
    """Stage 1: new instructions from the seeds."""

    seed_tasks_path: str = option(
        PACKAGED_HIGH_QUALITY,
        "seed tasks: a .jsonl file, or the packaged 'high_quality' or 'mixed_quality'",
    )
    num_instructions_to_generate: int = option(100, "instructions to accept in all", may_grow=True)
    use_clf_seed_tasks_only: bool = option(False, "use only the classification seed tasks")
    num_prompt_instructions: int = option(8, "example instructions in a prompt")
    prompts: str | None = option(
        None,
        "prompt family; default: bdd if every seed task holds a scenario, else classic, or "
        "classic_turns for a chat engine. bdd_turns gives more proven rows with small chat models",
        prompts.FAMILIES,
    )
    axes: str | None = option(
        None,
        "table of axes that scenarios are steered by: a .toml file, packaged, or none for the "
        "plain method; default: packaged if the prompts can ask for a cell of the axes",
    )
    random_seed: int = option(42, "seed of every random draw")
    lag: int | None = option(
        None,
        "request i draws its examples from the pool after request i - lag. A low lag gives the "
        "engine's own instructions a part sooner, a high one keeps a slow answer from holding up "
        "the others. Default, for b = --request_batch_size: 1.5 b where the model runs here; at a "
        "server 3 b times b's length in bits (45 for 5, 576 for 32); 1 for one. A lag above 6 "
        "is grown into, request by request",
    )


def axes_for(choice: str | None, family: prompts.Family) -> str:
    """The choice of axes that a family's scenarios are steered by.

    Raises:
        SelfBehaveError: the choice is a table, and the family cannot ask for its cells.
    """
    from ..axes.axes_file import NONE, PACKAGED

    if isinstance(family, WritesCells):
        return choice or PACKAGED
    if choice not in (None, NONE):
        raise SelfBehaveError(
            f"the prompts '{family.name}' cannot ask for a cell of the axes",
            mend="give --axes none, or --prompts bdd_turns with a chat engine",
        )
    return NONE


def read_instructions(path: Path, most: int | None = None) -> Iterator[Instruction]:
    """The instructions in a file of this stage, one at a time; only the first `most` if given.

    Raises:
        SelfBehaveError: the file is missing or empty, or a line is broken.
    """
    return islice(each_record(path, Instruction.from_dict), most)


async def _run(session: Session, settings: BootstrapSettings) -> StageReport:
    at_least(1, settings, "num_instructions_to_generate", "num_prompt_instructions")
    if settings.lag is None:
        settings = replace(settings, lag=session.default_lag)
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
    families = prompts.families_for(
        settings.prompts, (task.instruction for task in tasks), settings.seed_tasks_path
    )
    # Imported only when the stage runs: the command line imports this module for its help texts.
    from ..axes.axes_file import axes_named

    # A broken table is told before an engine is opened.
    axes = None if settings.axes is None else axes_named(settings.axes)
    session.open_journal()
    engine = await session.open_engine()
    family = families.of(engine)
    choice = axes_for(settings.axes, family)
    if settings.axes is None:
        axes = axes_named(choice)
    settings = replace(settings, prompts=family.name, axes=choice)
    # A run that grows until it has enough rows has a new goal in every block.
    rows = getattr(settings, "rows", None)
    noted = replace(settings, num_instructions_to_generate=rows) if rows else settings
    digests = {"seed_tasks_sha256": seeds.sha256}
    if axes is not None:
        digests["axes_sha256"] = axes.sha256
    session.note_settings(NAME, noted, engine, digests)
    emit = session.reporter.emit
    new = NewInstructions(settings, tasks, family, engine, emit, session.blocks, axes)
    with session.reporter.stage(new.report):
        await session.generate(new, engine, lag=settings.lag, needed=new.needed)
    file = session.batch_dir / INSTRUCTIONS_FILE
    write_jsonl(file, (one.to_dict() for one in new.instructions()))
    new.report.files.append(str(file))
    session.write_dropped(NAME, new.dropped)
    return new.report


def _funnel(counts: RunCounts) -> list[FunnelStep]:
    accepted = counts.records.get(INSTRUCTIONS_FILE)
    candidates = None
    if accepted is not None:
        candidates = accepted + sum(
            count
            for (stage, reason), count in counts.dropped.items()
            if stage == NAME and reason not in (NO_CANDIDATE, NO_TEXT)
        )
    return [
        FunnelStep("asked", counts.answers.get(NAME), "requests for new scenarios"),
        FunnelStep("candidates", candidates, "found in the answers"),
        FunnelStep("accepted", accepted, "novel and well-formed"),
    ]


BOOTSTRAP = Stage(
    name=NAME,
    summary="new instructions",
    settings=BootstrapSettings,
    run=_run,
    writes=(INSTRUCTIONS_FILE,),
    is_sequential=True,
    funnel=_funnel,
    unfinished="bootstrap has not ended: it writes accepted and dropped instructions at its end",
)


@dataclass(frozen=True)
class NovelInstruction:
    """An accepted instruction, and where it comes from; `cell` if it was asked for with one."""

    text: str
    request_idx: int
    metadata: dict[str, Any]
    cell: Cell | None = None


class NewInstructions(OneRequestEach):
    """The requests for new instructions, and the results: the pool, the accepted, the dropped.

    Args:
        emit: takes an event for each instruction that is accepted or dropped.
        blocks: the blocks of the run that ended, in order.
        axes: the table that scenarios are steered by; None for the plain method.
    """

    def __init__(
        self,
        settings: BootstrapSettings,
        seeds: Sequence[SeedTask],
        family: prompts.Family,
        engine: Engine,
        emit: Emit = ignore,
        blocks: Sequence[Block] = (),
        axes: Axes | None = None,
    ) -> None:
        self._blocks = blocks
        self._axes = axes
        self._tally = Tally()
        self._told = 0  # blocks whose unproven instructions the tally knows
        self._settings = settings
        self._seeds = [task.instruction for task in seeds]
        self._family = family
        self._engine = engine
        self._emit = emit
        self._cells_family = (
            family if axes is not None and isinstance(family, WritesCells) else None
        )
        shown = () if self._cells_family is None else self._cells_family.fixed_instructions
        known = [*self._seeds, *shown]
        self._pool, self._known = novelty.Pool(known), len(known)
        self._cells: dict[int, Cell] = {}
        self._prefixes: dict[int, str] = {}
        self._last_fruitful = -1
        self._textless: Counter[str] = Counter()  # answers since then, by finish reason
        self.accepted: list[NovelInstruction] = []
        self.dropped: list[Dropped] = []
        self.report = StageReport(NAME, "instructions", settings.num_instructions_to_generate)

    def draw(self, index: int) -> Request | None:
        """The request of an index. Its examples are drawn from the current pool."""
        if len(self.accepted) >= self._settings.num_instructions_to_generate:
            return None
        chance = random.Random(f"{self._settings.random_seed} {NAME} {index}")
        if self._cells_family is not None:
            prompt = self._cell_prompt(self._cells_family, index, chance)
        else:
            prompt = self._plain_prompt(chance)
        self._prefixes[index] = prompt.prefix
        return make_request(NAME, index, prompt, self._engine, self._settings, TEMPERATURE, TOP_P)

    def _cell_prompt(
        self, family: WritesCells, index: int, chance: random.Random
    ) -> prompts.Prompt:
        from ..axes.cells import draw_from

        assert self._axes is not None, "cells without axes"
        self._tell_unproven()
        cell = draw_from(self._axes, index, self._settings.random_seed, self._tally)
        self._cells[index] = cell
        self._tally.note_drawn(cell.axes)
        proven = self._proven_now()
        own = chance.sample(proven, min(MACHINE_EXAMPLES, len(proven)))
        return family.cell_prompt(
            cell.request, [(one.cell.request, one.text) for one in own if one.cell]
        )

    def _tell_unproven(self) -> None:
        """Tell the tally which accepted instructions of the blocks that ended gave no row."""
        while self._told < len(self._blocks):
            block = self._blocks[self._told]
            if block.goal > len(self.accepted):
                return
            before = self._blocks[self._told - 1].goal if self._told else 0
            for one in self.accepted[before : block.goal]:
                if one.cell is not None and one.text not in block.proven:
                    self._tally.note_unproven(one.cell.axes)
            self._told += 1

    def _plain_prompt(self, chance: random.Random) -> prompts.Prompt:
        wanted = self._settings.num_prompt_instructions
        # What was proven in earlier blocks is known: show nothing else.
        known = self._proven_now() if self._blocks else self.accepted
        own = chance.sample(known, min(MACHINE_EXAMPLES, len(known), wanted))
        examples = [one.text for one in own]
        examples += chance.sample(self._seeds, min(wanted - len(examples), len(self._seeds)))
        chance.shuffle(examples)
        return self._family.bootstrap_prompt(examples, self._engine.api)

    def needed(self) -> int:
        """The number of further answers probably needed, estimated from the yield so far."""
        missing = self._settings.num_instructions_to_generate - len(self.accepted)
        yielded = (len(self.accepted) + 1) / (self.report.requests + 1)
        return math.ceil(missing / yielded)

    def commit(self, request: Request, completion: Completion) -> bool:
        """Keep an answer's novel instructions; return whether more are wanted."""
        self.report.count(completion)
        text = self._prefixes.pop(request.index) + completion.text
        candidates = self._candidates(request, prompts.Answer(text, completion.is_truncated))
        if not candidates:
            self._drop_whole(text, request, completion)
        for candidate in candidates:
            if candidate.fault:
                self._drop(candidate.fault, candidate.instruction, request, candidate.detail)
            else:
                self._consider(candidate.instruction, request, completion)
        cell = self._cells.pop(request.index, None)
        if cell is not None:
            has_yielded = self._last_fruitful == request.index
            self._tally.note_ended(cell.axes, has_yielded=has_yielded)
        self.report.done = self.report.accepted = len(self.accepted)
        if request.index - self._last_fruitful >= MAX_BARREN_REQUESTS:
            textless = "".join(
                f"; {count} answers had no text ({reason})"
                for reason, count in self._textless.most_common()
            )
            raise SelfBehaveError(
                f"no novel instruction in the last {MAX_BARREN_REQUESTS} requests{textless}; "
                f"{len(self.accepted)} of {self._settings.num_instructions_to_generate} accepted",
                mend="ask for fewer with --num_instructions_to_generate, or use a better engine, "
                "more seed tasks or a higher --temperature",
            )
        return len(self.accepted) < self._settings.num_instructions_to_generate

    def instructions(self) -> Iterator[Instruction]:
        """The accepted instructions, each with its similarity to all earlier texts of the pool.

        The similarity is only for the output file. Computing it for all instructions together is
        several times as fast.
        """
        compared = self._pool.comparisons(self._known)
        for one, likeness in zip(self.accepted, compared, strict=True):
            yield Instruction(
                instruction=one.text,
                most_similar=likeness.most_similar,
                avg_similarity_score=likeness.average,
                metadata=one.metadata,
                request_idx=one.request_idx,
            )

    def _candidates(self, request: Request, answer: prompts.Answer) -> list[prompts.Candidate]:
        """The candidates in an answer; one that does not hold its cell has a fault."""
        if self._cells_family is None:
            return self._family.candidates(answer)
        from ..axes.forming import formed
        from ..axes.screen import screen

        cell = self._cells[request.index]
        return self._cells_family.cell_candidates(
            answer, lambda scenario: formed(scenario, cell), lambda scenario: screen(scenario, cell)
        )

    def _proven_now(self) -> list[NovelInstruction]:
        """The instructions proven in the blocks that ended before the present one."""
        ended = [block for block in self._blocks if block.goal <= len(self.accepted)]
        proven = ended[-1].proven if ended else frozenset()
        return [one for one in self.accepted if one.text in proven]

    def _consider(self, instruction: str, request: Request, completion: Completion) -> None:
        if len(self.accepted) >= self._settings.num_instructions_to_generate:
            self._drop("surplus", instruction, request)
            return
        nearest = self._pool.admit(instruction)
        if nearest is not None:
            self._drop("not_novel", instruction, request, f"ROUGE-L {nearest.score:.4f}")
            return
        metadata = answer_metadata(request, completion, self._engine)
        cell = self._cells.get(request.index)
        if cell is not None:
            metadata["axes"] = cell.metadata
        self.accepted.append(NovelInstruction(instruction, request.index, metadata, cell))
        self._emit(Accepted(NAME, instruction, None, request.index))
        self._last_fruitful = request.index
        self._textless.clear()

    def _drop_whole(self, text: str, request: Request, completion: Completion) -> None:
        """Drop an answer without a candidate; an answer without text has its finish reason."""
        if completion.text.strip():
            self._drop(NO_CANDIDATE, text, request)
        else:
            self._textless[completion.finish_reason] += 1
            self._drop(NO_TEXT, text, request, completion.finish_reason)

    def _drop(self, reason: str, text: str, request: Request, detail: str | None = None) -> None:
        dropped = Dropped(NAME, reason, text, request.index, detail)
        self.dropped.append(dropped)
        self.report.dropped[reason] += 1
        self._emit(dropped)

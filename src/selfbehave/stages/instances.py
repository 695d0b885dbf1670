"""Stage 3, instances: inputs and outputs for each instruction, stored as raw answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .. import prompts
from ..core.jsonl import writing_jsonl
from ..core.option_fields import at_least, option
from ..core.records import Dropped, Instruction, RawInstances, SeedTask
from ..core.run_files import CLASSIFICATION_FILE, INSTANCES_FILE, INSTRUCTIONS_FILE
from ..events.events import Accepted
from ..events.stage_report import StageReport
from ..seeds.load import load_seeds
from ..seeds.packaged_names import PACKAGED_HIGH_QUALITY
from .base import OneRequestEach, SamplingSettings, Session, Stage
from .bootstrap import read_instructions
from .classify import count_classified, read_classification_tasks
from .funnel import FunnelStep
from .requests import answer_metadata, make_request

if TYPE_CHECKING:
    from ..engines.base import Completion, Engine, Request

__all__ = ["INSTANCES", "InstancesSettings", "RawAnswers"]

NAME = "instances"
SOLVED_EXAMPLES = 2  # seed tasks shown with their output (bdd)
# Low rather than 0: with greedy decoding, small models repeat themselves.
TEMPERATURE, TOP_P = 0.7, 0.95


@dataclass(frozen=True, kw_only=True)
class InstancesSettings(SamplingSettings):
    """Stage 3: inputs and outputs for each instruction."""

    input_file: str = option(INSTRUCTIONS_FILE, "instructions, in --batch_dir or a path")
    output_file: str = option(INSTANCES_FILE, "what to write, in --batch_dir or a path")
    num_instructions: int | None = option(
        None, "use only the first so many instructions", may_grow=True
    )
    max_instances_to_generate: int = option(5, "instances of one instruction, at most")
    generation_tasks_only: bool = option(False, "leave classification tasks out")
    classification_tasks_only: bool = option(False, "take classification tasks only")
    seed_tasks_path: str = option(
        PACKAGED_HIGH_QUALITY, "seed tasks whose solved instances are shown as examples (bdd)"
    )
    prompts: str | None = option(
        None,
        "prompt family; default: bdd if every instruction holds a scenario",
        prompts.FAMILIES,
    )
    random_seed: int = option(42, "seed of every random draw")


async def _run(session: Session, settings: InstancesSettings) -> StageReport:
    at_least(1, settings, "max_instances_to_generate", "num_instructions")
    path = session.batch_dir / settings.input_file

    def texts() -> Iterator[str]:
        return (one.instruction for one in read_instructions(path, settings.num_instructions))

    families = prompts.families_for(settings.prompts, texts(), str(path))
    seeds = load_seeds(settings.seed_tasks_path)
    tasks_file = session.batch_dir / CLASSIFICATION_FILE
    classification_tasks = read_classification_tasks(tasks_file)
    # What is not classified yet has no prompt yet: the class decides which one.
    classified = count_classified(tasks_file, texts())
    most = settings.num_instructions if classified is None else classified

    def instructions() -> Iterator[Instruction]:
        return read_instructions(path, most)

    session.open_journal()
    engine = await session.open_engine()
    family = families[engine.api]
    noted = replace(settings, prompts=family.name)
    session.note_settings(NAME, noted, engine, {"seed_tasks_sha256": seeds.sha256})
    file = session.batch_dir / settings.output_file
    with writing_jsonl(file) as write:

        def keep(one: RawInstances) -> None:
            write(one.to_dict())
            session.reporter.emit(Accepted(NAME, one.instruction, one.raw_instances))

        answers = RawAnswers(
            settings, instructions, classification_tasks, seeds.tasks, family, engine, keep
        )
        if classified is not None:
            left = sum(1 for _ in texts()) - classified
            answers.report.notes.append(f"{left} left out, because they are not classified yet")
        with session.reporter.stage(answers.report):
            for dropped in answers.dropped:
                session.reporter.emit(dropped)
            await session.generate(answers, engine)
    answers.report.files.append(str(file))
    session.write_dropped(NAME, answers.dropped)
    return answers.report


INSTANCES = Stage(
    name=NAME,
    summary="inputs and outputs",
    settings=InstancesSettings,
    run=_run,
    reads=(INSTRUCTIONS_FILE, CLASSIFICATION_FILE),
    writes=(INSTANCES_FILE,),
    funnel=lambda counts: (
        FunnelStep(NAME, counts.records.get(INSTANCES_FILE) or None, "answers with step functions"),
    ),
    unfinished="the instances stage has not ended: no answer with step functions yet",
)


class RawAnswers(OneRequestEach):
    """Instances of instructions, one request each; the answers are stored unparsed.

    Args:
        instructions: iterates over the instructions anew at each call. They are large, and there
            may be too many to hold in memory.
        classification_tasks: the instructions that are classification tasks.
        keep: called with each answer, in the order of the instructions.
    """

    def __init__(
        self,
        settings: InstancesSettings,
        instructions: Callable[[], Iterable[Instruction]],
        classification_tasks: Container[str],
        seeds: Sequence[SeedTask],
        family: prompts.Family,
        engine: Engine,
        keep: Callable[[RawInstances], None],
    ) -> None:
        self._settings = settings
        self._classification_tasks = classification_tasks
        self._family = family
        self._engine = engine
        self._keep = keep
        self._prefixes: dict[int, str] = {}
        self._to_draw = self._wanted(instructions())
        self._to_commit = self._wanted(instructions())
        self.dropped: list[Dropped] = []
        goal = 0
        for instruction in instructions():
            if self._is_wanted(instruction):
                goal += 1
            else:
                is_label = instruction.instruction in classification_tasks
                kind = "a classification task" if is_label else "not a classification task"
                self.dropped.append(Dropped(NAME, "left_out", instruction.instruction, None, kind))
        # The same examples in every request, so that an engine can cache the prompts' prefix.
        chance = random.Random(f"{settings.random_seed} {NAME}")
        self._solved = chance.sample(list(seeds), min(SOLVED_EXAMPLES, len(seeds)))
        self.report = StageReport(NAME, "instructions", goal)
        self.report.dropped.update(dropped.reason for dropped in self.dropped)

    def draw(self, index: int) -> Request | None:
        """The request of the next instruction."""
        task = next(self._to_draw, None)
        if task is None:
            return None
        prompt = self._family.instances_prompt(
            task.instruction,
            task.instruction in self._classification_tasks,
            self._solved,
            self._settings.max_instances_to_generate,
            self._engine.api,
        )
        self._prefixes[index] = prompt.prefix
        return make_request(NAME, index, prompt, self._engine, self._settings, TEMPERATURE, TOP_P)

    def commit(self, request: Request, completion: Completion) -> bool:
        """Keep the whole answer, valid or not: `prepare` parses it."""
        self.report.count(completion)
        instruction = next(self._to_commit)
        self._keep(
            RawInstances(
                instruction=instruction.instruction,
                raw_instances=self._prefixes.pop(request.index) + completion.text,
                instance_metadata=answer_metadata(request, completion, self._engine)
                | prompts.family_metadata(self._family),
                instruction_metadata=instruction.metadata,
                most_similar=instruction.most_similar,
                avg_similarity_score=instruction.avg_similarity_score,
            )
        )
        self.report.done += 1
        self.report.accepted += 1
        return True

    def _wanted(self, instructions: Iterable[Instruction]) -> Iterator[Instruction]:
        return (one for one in instructions if self._is_wanted(one))

    def _is_wanted(self, instruction: Instruction) -> bool:
        if instruction.instruction in self._classification_tasks:
            return not self._settings.generation_tasks_only
        return not self._settings.classification_tasks_only

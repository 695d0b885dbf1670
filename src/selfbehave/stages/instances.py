"""Stage 3, instances: inputs and outputs for each instruction, stored as raw answers.

`solving` makes the attempts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .. import prompts
from ..core.jsonl import writing_jsonl
from ..core.option_fields import at_least, option
from ..core.records import Attempt, Instruction, RawInstances
from ..core.run_files import (
    ATTEMPTS_FILE,
    CLASSIFICATION_FILE,
    INSTANCES_FILE,
    INSTRUCTIONS_FILE,
)
from ..events.events import Accepted
from ..events.stage_report import StageReport
from ..seeds.load import load_seeds
from ..seeds.packaged_names import PACKAGED_HIGH_QUALITY
from .base import AimSettings, SamplingSettings, Session, Stage
from .bootstrap import read_instructions
from .classify import count_classified, read_classification_tasks
from .funnel import FunnelStep

__all__ = ["INSTANCES", "InstancesSettings"]

NAME = "instances"


@dataclass(frozen=True, kw_only=True)
class InstancesSettings(AimSettings, SamplingSettings):
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
        "prompt family; default: bdd if every instruction holds a scenario, else classic; for an "
        "engine that chats bdd_turns or classic_turns, and bdd_glue if its model runs here",
        prompts.FAMILIES,
    )
    attempts: int = option(
        3, "answers to ask for, at most, until a scenario's row reaches --min_rung"
    )
    repair: bool = option(
        False,
        "show every other attempt the last answer and its faults, instead of asking afresh (chat)",
    )
    random_seed: int = option(42, "seed of every random draw")


async def _run(session: Session, settings: InstancesSettings) -> StageReport:
    # Imported only when the stage runs: the command line imports this module for its help texts.
    from .aim import RUNG_BY_API, aim_of, check_sandbox, with_aim
    from .solving import RawAnswers

    at_least(1, settings, "max_instances_to_generate", "num_instructions", "attempts")
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
    family = families.of(engine)
    aim = aim_of(settings, RUNG_BY_API[engine.api])
    check_sandbox(aim, texts())
    noted = with_aim(replace(settings, prompts=family.name), aim)
    session.note_settings(NAME, noted, engine, {"seed_tasks_sha256": seeds.sha256})
    file = session.batch_dir / settings.output_file
    attempts_file = session.batch_dir / ATTEMPTS_FILE
    with writing_jsonl(file) as write, writing_jsonl(attempts_file) as write_attempt:

        def keep(one: RawInstances, attempts: Sequence[Attempt]) -> None:
            write(one.to_dict())
            for attempt in attempts:
                write_attempt(attempt.to_dict())
                session.reporter.emit(attempt)
            session.reporter.emit(Accepted(NAME, one.instruction, one.raw_instances))

        answers = RawAnswers(
            settings,
            instructions,
            classification_tasks,
            seeds.tasks,
            family,
            engine,
            session.in_flight,
            session.judge,
            keep,
        )
        if classified is not None:
            left = sum(1 for _ in texts()) - classified
            answers.report.notes.append(f"{left} left out, because they are not classified yet")
        with session.reporter.stage(answers.report):
            for dropped in answers.dropped:
                session.reporter.emit(dropped)
            await session.generate(answers, engine)
    answers.report.files += [str(file), str(attempts_file)]
    session.write_dropped(NAME, answers.dropped)
    return answers.report


INSTANCES = Stage(
    name=NAME,
    summary="inputs and outputs",
    settings=InstancesSettings,
    run=_run,
    reads=(INSTRUCTIONS_FILE, CLASSIFICATION_FILE),
    writes=(INSTANCES_FILE, ATTEMPTS_FILE),
    funnel=lambda counts: (
        FunnelStep(NAME, counts.records.get(INSTANCES_FILE) or None, "answers with step functions"),
    ),
    unfinished="the instances stage has not ended: no answer with step functions yet",
)

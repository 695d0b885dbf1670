"""Stage 1, bootstrap: generate instructions from the seed tasks, and keep the novel ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from .. import prompts
from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.jsonl import each_record, write_jsonl
from ..core.option_fields import at_least, option
from ..core.records import Instruction
from ..core.run_files import INSTRUCTIONS_FILE
from ..events.stage_report import StageReport
from ..prompts.base import WritesCells, WritesChanges, WritesStories
from ..seeds.load import load_seeds
from ..seeds.packaged_names import PACKAGED_HIGH_QUALITY
from .base import AimSettings, SamplingSettings, Session, Stage
from .funnel import FunnelStep, RunCounts
from .new_instructions import NAME, NO_CANDIDATE, NO_TEXT, NewInstructions
from .novelty_rules import INSTRUCTION, OFF, SCENARIO, check_paraphrases

__all__ = ["BOOTSTRAP", "BootstrapSettings", "read_instructions"]

_STORY_PROMPTS = "bdd_turns"


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
        "prompt family; default: bdd if every seed task holds a scenario, else classic; for an "
        "engine that chats bdd_turns or classic_turns, and bdd_glue if its model runs here",
        prompts.FAMILIES,
    )
    axes: str | None = option(
        None,
        "table of axes that scenarios are steered by: a .toml file, packaged, or none for the "
        "plain method; default: packaged if the prompts can ask for a cell of the axes",
    )
    stories: tuple[str, ...] = option(
        (),
        "files of user stories or requirements, which scenarios are asked for with, instead of "
        "axes: .md, .csv, .tsv, .jsonl, .txt or .feature; needs a chat engine",
        may_change=True,
    )
    evolve: float = option(
        0.0,
        "share of the requests, from 0 to 1, that ask for a changed scenario of an earlier one: "
        "its boundary case, its refusal, an outline, or one rule more. With --rows only proven "
        "ones are changed. Needs --prompts bdd_turns or bdd_glue, or --stories",
    )
    novelty_of: str = option(
        INSTRUCTION,
        "what the novelty rule compares: the whole instruction, as in the published code, or the "
        "scenario alone, without the words that begin every instruction",
        (INSTRUCTION, SCENARIO),
    )
    paraphrases: str = option(
        OFF,
        "scenarios that say the same in other words, found by word vectors: off; report, which "
        "writes the nearest scenario and its cosine to the metadata; or a limit from 0 to 1, above "
        "which a candidate is dropped. All but off needs the extra meaning",
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
            mend="give --axes none, or --prompts bdd_turns with an engine that chats",
        )
    return NONE


def story_family(settings: BootstrapSettings, family: prompts.Family, api: str) -> prompts.Family:
    """The prompts that ask for scenarios of stories: the given ones if they can, or `bdd_turns`.

    Raises:
        SelfBehaveError: stories cannot be used with this engine, these prompts or these axes.
    """
    from ..axes.axes_file import NONE

    if api != "chat":
        raise SelfBehaveError(
            "stories need a chat engine: a base model only goes on with a text, and cannot follow "
            "what a story asks for",
            mend="give an engine that takes chat messages, or leave --stories out",
        )
    if settings.axes not in (None, NONE):
        raise SelfBehaveError(
            "stories and axes both say what a scenario is about",
            mend="give one of --stories and --axes",
        )
    if isinstance(family, WritesStories):
        return family
    if settings.prompts is not None:
        raise SelfBehaveError(
            f"the prompts '{family.name}' cannot ask for the scenario of a story",
            mend=f"give --prompts {_STORY_PROMPTS}, or leave --prompts out",
        )
    return prompts.FAMILIES[_STORY_PROMPTS]


def check_evolve(settings: BootstrapSettings, family: prompts.Family, api: str) -> None:
    """Refuse changes of scenarios that these prompts or this engine cannot be asked for.

    Raises:
        SelfBehaveError: which of them, and why.
    """
    if settings.evolve and api != "chat":
        raise SelfBehaveError(
            "--evolve needs a chat engine: a base model cannot follow what is to be changed",
            mend="give an engine that takes chat messages, or leave --evolve out",
        )
    if settings.evolve and not isinstance(family, WritesChanges):
        raise SelfBehaveError(
            f"the prompts '{family.name}' cannot ask for a changed scenario",
            mend=f"give --prompts {_STORY_PROMPTS}, or leave --evolve out",
        )


def read_instructions(path: Path, most: int | None = None) -> Iterator[Instruction]:
    """The instructions in a file of this stage, one at a time; only the first `most` if given.

    Raises:
        SelfBehaveError: the file is missing or empty, or a line is broken.
    """
    return islice(each_record(path, Instruction.from_dict), most)


async def _run(session: Session, settings: BootstrapSettings) -> StageReport:
    at_least(1, settings, "num_instructions_to_generate", "num_prompt_instructions")
    if not 0 <= settings.evolve <= 1:
        raise SelfBehaveError(
            f"--evolve must be from 0 to 1, not {settings.evolve:g}", exit_code=EXIT_USAGE
        )
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
    from ..axes.axes_file import NONE, axes_named
    from ..stories.reading import read_stories
    from .aim import RUNG_BY_API, aim_of, check_sandbox, with_aim

    # A broken setting, table or file is told before an engine is opened.
    check_paraphrases(settings.paraphrases)
    told = read_stories(settings.stories) if settings.stories else None
    axes = None if settings.axes is None else axes_named(settings.axes)
    session.open_journal()
    engine = await session.open_engine()
    family = families.of(engine)
    if told is not None:
        family = story_family(settings, family, engine.api)
    check_evolve(settings, family, engine.api)
    choice = axes_for(settings.axes, family) if told is None else NONE
    if settings.axes is None:
        axes = axes_named(choice)
    settings = replace(settings, prompts=family.name, axes=choice)
    if isinstance(settings, AimSettings):  # of a whole run
        aim = aim_of(settings, RUNG_BY_API[engine.api])
        check_sandbox(aim, (task.instruction for task in tasks))
        settings = with_aim(settings, aim)
    # A run that grows until it has enough rows has a new goal in every block.
    rows = getattr(settings, "rows", None)
    noted = replace(settings, num_instructions_to_generate=rows) if rows else settings
    digests = {"seed_tasks_sha256": seeds.sha256, "stories_sha256": told and told.sha256}
    if axes is not None:
        digests["axes_sha256"] = axes.sha256
    session.note_settings(NAME, noted, engine, digests)
    emit = session.reporter.emit
    stories = () if told is None else told.stories
    new = NewInstructions(settings, tasks, family, engine, emit, session.blocks, axes, stories)
    new.report.notes += [] if told is None else told.notes
    with session.reporter.stage(new.report):
        await session.generate(new, engine, lag=settings.lag, needed=new.needed)
        new.tell_changes()
        new.tell_alike()
        new.tell_used_up()
    file = session.batch_dir / INSTRUCTIONS_FILE
    write_jsonl(file, (one.to_dict() for one in new.instructions()))
    new.report.files.append(str(file))
    session.write_dropped(NAME, new.dropped)
    if new.report.is_used_up and not new.accepted:
        reasons = ", ".join(f"{name} {n}" for name, n in new.report.dropped.most_common())
        raise SelfBehaveError(
            f"no scenario of the stories can be used, of {new.report.requests}: {reasons}",
            where=", ".join(settings.stories),
            mend="use a better engine, or stories whose rules state numbers and names",
        )
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

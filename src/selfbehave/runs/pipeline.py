"""Runs and stages as functions: the Python API.

`run` runs all stages; `bootstrap`, `classify`, `instances` and `prepare` run one each, and
`run_stage` runs any stage of the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.jsonl import read_records
from ..core.option_fields import at_least
from ..core.records import Example
from ..core.run_files import DROPPED_FILE, EXAMPLES_FILE, FINETUNING_DIR, JOURNAL_FILE, RUN_FILE
from ..engines import Engine, kind_of_engine
from ..engines.settings import EngineSettings
from ..events.events import Grown
from ..events.reporter import Reporter
from ..events.stage_report import StageReport
from ..stages.base import Block, Stage
from ..stages.bootstrap import BOOTSTRAP, BootstrapSettings
from ..stages.classify import CLASSIFY, ClassifySettings
from ..stages.instances import INSTANCES, InstancesSettings
from ..stages.prepare import PREPARE, PrepareSettings, check_min_judgement
from ..stages.registry import all_stages
from ..views.display import Display
from .dropped_file import discard_torn_dropped
from .growing import MAX_BARREN_INSTRUCTIONS, next_goal
from .run_settings import RunSettings, settings_of_stage
from .session import RunSession

__all__ = [
    "RunReport",
    "bootstrap",
    "classify",
    "instances",
    "prepare",
    "run",
    "run_all",
    "run_stage",
]

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class RunReport:
    """The result of a run: a report of each stage, and an example row.

    `example` is None if no example remains.
    """

    stages: tuple[StageReport, ...]
    example: Example | None


def bootstrap(
    batch_dir: Path,
    settings: BootstrapSettings | None = None,
    engine: EngineSettings | Engine | None = None,
    display: Reporter | None = None,
) -> StageReport:
    """Stage 1: write `machine_generated_instructions.jsonl`."""
    return run_stage(BOOTSTRAP, settings or BootstrapSettings(), batch_dir, engine, display)


def classify(
    batch_dir: Path,
    settings: ClassifySettings | None = None,
    engine: EngineSettings | Engine | None = None,
    display: Reporter | None = None,
) -> StageReport:
    """Stage 2: write `is_clf_or_not_template_1.jsonl`."""
    return run_stage(CLASSIFY, settings or ClassifySettings(), batch_dir, engine, display)


def instances(
    batch_dir: Path,
    settings: InstancesSettings | None = None,
    engine: EngineSettings | Engine | None = None,
    display: Reporter | None = None,
) -> StageReport:
    """Stage 3: write `machine_generated_instances.jsonl`."""
    return run_stage(INSTANCES, settings or InstancesSettings(), batch_dir, engine, display)


def prepare(settings: PrepareSettings, display: Reporter | None = None) -> StageReport:
    """Stage 5: write the fine-tuning data into the settings' `output_dir`."""
    return run_stage(PREPARE, settings, settings.batch_dir, display=display)


def run_stage(
    stage: Stage[Settings],
    settings: Settings,
    batch_dir: Path,
    engine: EngineSettings | Engine | None = None,
    display: Reporter | None = None,
) -> StageReport:
    """Run one stage in a run's folder."""
    with RunSession(batch_dir, engine or EngineSettings(), display or Display()) as session:
        (report,) = session.do([(stage, settings)])
    return report


def run(
    batch_dir: Path,
    settings: RunSettings | None = None,
    engine: EngineSettings | Engine | None = None,
    display: Reporter | None = None,
    stage_settings: Mapping[str, Any] = {},
) -> RunReport:
    """Run all stages in one folder.

    Args:
        stage_settings: settings records of single stages, by name, which replace those that follow
            from `settings`; for stages of other packages.
    """
    session = RunSession(batch_dir, engine or EngineSettings(), display or Display())
    return run_all(session, settings or RunSettings(), stage_settings)


def run_all(
    session: RunSession, settings: RunSettings, stage_settings: Mapping[str, Any] = {}
) -> RunReport:
    """Run all stages with a session, on this machine or on a cluster."""
    batch_dir, reporter = session.batch_dir, session.reporter
    at_least(1, settings, "rows")
    _check_judge(settings)
    aim = (
        f"{settings.num_instructions_to_generate} instructions"
        if settings.rows is None
        else f"{settings.rows} proven rows"
    )
    source = f"the seed tasks {settings.seed_tasks_path}"
    if settings.stories:
        source = f"the stories of {', '.join(settings.stories)}"
    reporter.say(f"growing {aim} from {source} in {batch_dir}")

    def work_of(whole: RunSettings) -> list[tuple[Stage[Any], Any]]:
        work = [
            (stage, stage_settings.get(stage.name) or settings_of_stage(stage, whole, batch_dir))
            for stage in all_stages()
        ]
        return [
            (stage, one) for stage, one in work if stage.is_wanted is None or stage.is_wanted(one)
        ]

    with session:  # it locks the folder until everything is written
        if discard_torn_dropped(batch_dir):
            reporter.say(f"{DROPPED_FILE} is damaged: it is written anew")
        if settings.rows is None:
            reports = session.do(work_of(settings))
        else:
            reports = _grow(session, settings, settings.rows, work_of)
    reports[-1].files += [str(batch_dir / name) for name in (DROPPED_FILE, JOURNAL_FILE, RUN_FILE)]
    examples = [report.example for report in reports if report.example is not None]
    return RunReport(tuple(reports), examples[-1] if examples else None)


def _check_judge(settings: RunSettings) -> None:
    """Refuse a judge or a gate that cannot work, before anything is paid for.

    Raises:
        SelfBehaveError: there is no such engine, or scores are wanted and there is no judge.
    """
    check_min_judgement(settings.min_judgement)
    if settings.judge is not None:
        kind_of_engine(EngineSettings(engine=settings.judge), where="--judge")
    elif settings.min_judgement is not None:
        raise SelfBehaveError(
            "--min_judgement needs a judge",
            mend="give --judge with the engine that judges",
            exit_code=EXIT_USAGE,
        )


def _grow(
    session: RunSession,
    settings: RunSettings,
    rows: int,
    work_of: Callable[[RunSettings], list[tuple[Stage[Any], Any]]],
) -> list[StageReport]:
    """Grow block after block until enough rows are kept, or a budget ends; the last reports.

    Raises:
        SelfBehaveError: the last `MAX_BARREN_INSTRUCTIONS` instructions gave no row.
    """
    proven: frozenset[str] = frozenset()
    accepted = fruitful = 0
    # Nothing is proven before the first block ends: when it is replayed, it draws the same again.
    session.blocks.append(Block(0, proven))
    while True:
        goal = next_goal(rows, accepted, proven)
        reports = session.do(work_of(replace(settings, num_instructions_to_generate=goal)))
        kept = read_records(session.batch_dir / FINETUNING_DIR / EXAMPLES_FILE, Example.from_dict)
        now = frozenset(one.instruction for one in kept)
        is_used_up = any(report.is_used_up for report in reports)
        accepted = reports[0].accepted if is_used_up else goal
        if len(now) > len(proven):
            fruitful = accepted
        proven = now
        session.blocks.append(Block(goal, proven))
        session.reporter.emit(Grown(rows, len(kept), accepted))
        if len(kept) >= rows or any(report.budget_end is not None for report in reports):
            return reports
        if is_used_up:
            session.reporter.say(f"nothing is left to ask for: {len(kept)} of {rows} rows are kept")
            return reports
        if accepted - fruitful >= MAX_BARREN_INSTRUCTIONS:
            rung = session.noted_settings(PREPARE.name)["min_rung"]
            raise SelfBehaveError(
                f"no row reached {rung} in the last {accepted - fruitful} "
                f"instructions; {len(kept)} of {rows} rows are written",
                where=session.batch_dir / FINETUNING_DIR,
                mend="use a better engine, more --attempts or a lower --min_rung",
            )

"""Runs and stages as functions: the Python API.

`run` runs all stages; `bootstrap`, `classify`, `instances` and `prepare` run one each, and
`run_stage` runs any stage of the registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..core.records import Example
from ..core.run_files import DROPPED_FILE, JOURNAL_FILE, RUN_FILE
from ..engines import Engine
from ..engines.settings import EngineSettings
from ..events.reporter import Reporter
from ..events.stage_report import StageReport
from ..stages.base import Stage
from ..stages.bootstrap import BOOTSTRAP, BootstrapSettings
from ..stages.classify import CLASSIFY, ClassifySettings
from ..stages.instances import INSTANCES, InstancesSettings
from ..stages.prepare import PREPARE, PrepareSettings
from ..stages.registry import all_stages
from ..views.display import Display
from .dropped_file import discard_torn_dropped
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
    """Stage 4: write the fine-tuning data into the settings' `output_dir`."""
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
    reporter.say(
        f"growing {settings.num_instructions_to_generate} instructions from the seed tasks "
        f"{settings.seed_tasks_path} in {batch_dir}"
    )

    work = [
        (stage, stage_settings.get(stage.name) or settings_of_stage(stage, settings, batch_dir))
        for stage in all_stages()
    ]
    with session:  # it locks the folder until everything is written
        if discard_torn_dropped(batch_dir):
            reporter.say(f"{DROPPED_FILE} is damaged: it is written anew")
        reports = session.do(work)
    reports[-1].files += [str(batch_dir / name) for name in (DROPPED_FILE, JOURNAL_FILE, RUN_FILE)]
    examples = [report.example for report in reports if report.example is not None]
    return RunReport(tuple(reports), examples[-1] if examples else None)

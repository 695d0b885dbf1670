"""The four stages with their files: read, generate, check, write. Each alone, or all as one run.

This is the Python API: `bootstrap`, `classify`, `instances`, `prepare` and `run`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from ..bdd.ladder import Climbing, climb_each
from ..core.locks import holding
from ..core.records import Example
from ..core.run_files import (
    CLASSIFICATION_FILE,
    DROPPED_FILE,
    FINETUNING_DIR,
    INSTANCES_FILE,
    JOURNAL_FILE,
    RUN_FILE,
)
from ..engines.settings import EngineSettings
from ..events.stage_report import StageReport
from ..stages.settings import (
    BootstrapSettings,
    ClassifySettings,
    InstancesSettings,
    PrepareSettings,
    RunSettings,
)
from ..views.display import Display
from .finetuning_files import write_finetuning_data
from .run_folder import discard_torn_dropped
from .session import Work

__all__ = ["RunReport", "bootstrap", "classify", "instances", "prepare", "run", "run_all"]

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class RunReport:
    """What a run did: a report of each stage, and an example to look at.

    `example` is None where no example was left.
    """

    stages: tuple[StageReport, ...]
    example: Example | None


def bootstrap(
    batch_dir: Path,
    settings: BootstrapSettings | None = None,
    engine: EngineSettings | None = None,
    display: Display | None = None,
) -> StageReport:
    """Stage 1: write `machine_generated_instructions.jsonl`."""
    work = Work(batch_dir, engine or EngineSettings(), display or Display())
    with work:
        return work.do(lambda: work.bootstrap(settings or BootstrapSettings()))


def classify(
    batch_dir: Path,
    settings: ClassifySettings | None = None,
    engine: EngineSettings | None = None,
    display: Display | None = None,
) -> StageReport:
    """Stage 2: write `is_clf_or_not_template_1.jsonl`."""
    work = Work(batch_dir, engine or EngineSettings(), display or Display())
    with work:
        return work.do(lambda: work.classify(settings or ClassifySettings()))


def instances(
    batch_dir: Path,
    settings: InstancesSettings | None = None,
    engine: EngineSettings | None = None,
    display: Display | None = None,
) -> StageReport:
    """Stage 3: write `machine_generated_instances.jsonl`."""
    work = Work(batch_dir, engine or EngineSettings(), display or Display())
    with work:
        return work.do(lambda: work.instances(settings or InstancesSettings()))


def prepare(settings: PrepareSettings, display: Display | None = None) -> StageReport:
    """Stage 4: write the fine-tuning data into the settings' `output_dir`."""
    folder = settings.batch_dir
    with holding(folder) if folder.is_dir() else nullcontext():
        report, _ = write_finetuning_data(settings, display or Display())
    return report


def run(
    batch_dir: Path,
    settings: RunSettings | None = None,
    engine: EngineSettings | None = None,
    display: Display | None = None,
) -> RunReport:
    """All four stages in one folder."""
    work = Work(batch_dir, engine or EngineSettings(), display or Display())
    return run_all(work, settings or RunSettings())


def run_all(work: Work, settings: RunSettings, climbing: Climbing = climb_each) -> RunReport:
    """All four stages, wherever their work is done."""
    batch_dir, display = work.batch_dir, work.display
    display.say(
        f"growing {settings.num_instructions_to_generate} instructions from the seed tasks "
        f"{settings.seed_tasks_path} in {batch_dir}"
    )

    async def generate() -> list[StageReport]:
        return [
            await work.bootstrap(settings),
            await work.classify(_part(ClassifySettings, settings, _GREEDY)),
            await work.instances(_part(InstancesSettings, settings)),
        ]

    with work:  # and so its folder, until all is written
        if discard_torn_dropped(batch_dir):
            display.say(f"{DROPPED_FILE} is damaged: it is written anew")
        reports = work.do(generate)
        report, examples = write_finetuning_data(
            replace(
                _part(PrepareSettings, settings),
                instance_files=(str(batch_dir / INSTANCES_FILE),),
                classification_type_files=(str(batch_dir / CLASSIFICATION_FILE),),
                output_dir=str(batch_dir / FINETUNING_DIR),
            ),
            display,
            climbing,
        )
    report.files += [str(batch_dir / name) for name in (DROPPED_FILE, JOURNAL_FILE, RUN_FILE)]
    return RunReport((*reports, report), examples[0] if examples else None)


_GREEDY: Mapping[str, Any] = {"temperature": None, "top_p": None, "max_tokens": None}


def _part(kind: type[Settings], whole: RunSettings, changes: Mapping[str, Any] = {}) -> Settings:
    """The settings of one stage out of those of a run."""
    shared = {field.name for field in fields(kind)} & {field.name for field in fields(whole)}  # type: ignore[arg-type]
    return kind(**{name: getattr(whole, name) for name in shared} | dict(changes))

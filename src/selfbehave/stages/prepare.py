"""Stage 5, prepare: parse the raw instances, drop invalid ones, encode and write the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.jsonl import each_record, read_records, write_jsonl
from ..core.judged import JudgedScenario
from ..core.option_fields import at_least, option
from ..core.records import RawInstances
from ..core.run_files import (
    CLASSIFICATION_FILE,
    EXAMPLES_FILE,
    FINETUNING_DIR,
    INSTANCES_FILE,
    JUDGEMENTS_FILE,
    LADDER_FILE,
)
from ..core.rungs import RUNGS
from ..events.events import Accepted
from ..events.stage_report import StageReport
from ..seeds.load import load_seeds
from ..seeds.packaged_names import PACKAGED_HIGH_QUALITY
from .base import AimSettings, Session, Stage
from .classify import read_classifications
from .funnel import FunnelStep, RunCounts
from .instances import INSTANCES

if TYPE_CHECKING:
    from ..bdd.ladder import Ladder, Rung

__all__ = ["PREPARE", "PrepareSettings", "check_min_judgement"]

NAME = "prepare"
_DATA_FILE = f"{FINETUNING_DIR}/{EXAMPLES_FILE}"


@dataclass(frozen=True, kw_only=True)
class PrepareSettings(AimSettings):
    """Stage 5: parse, filter, encode and write the fine-tuning data."""

    instance_files: tuple[str, ...] = option((), "files of generated instances", is_required=True)
    classification_type_files: tuple[str, ...] = option(
        (), "files of the classify stage", is_required=True
    )
    output_dir: str = option("", "folder for the fine-tuning data", is_required=True)
    num_instructions: int | None = option(None, "instructions to sample; default: all")
    max_instances_to_generate: int = option(5, "instances of one instruction, at most")
    include_seed_tasks: bool = option(False, "add the seed tasks to the fine-tuning data")
    seed_tasks_path: str = option(PACKAGED_HIGH_QUALITY, "seed tasks for --include_seed_tasks")
    min_judgement: float | None = option(
        None,
        "lowest score of a row's scenario with the judge: the share of the four criteria that it "
        "meets, from 0 to 1; default: any",
    )
    random_seed: int = option(42, "seed of every random draw")

    @property
    def batch_dir(self) -> Path:
        """The run's folder: the folder of the first file of instances."""
        return Path(self.instance_files[0]).parent


def check_min_judgement(least: float | None) -> None:
    """Refuse a lowest score that is none.

    Raises:
        SelfBehaveError: it is not from 0 to 1.
    """
    if least is not None and not 0 <= least <= 1:
        raise SelfBehaveError(
            f"--min_judgement must be from 0 to 1, not {least:g}", exit_code=EXIT_USAGE
        )


def _run(session: Session, settings: PrepareSettings) -> StageReport:
    # Imported only when the stage runs: the command line imports this module for its help texts.
    from ..bdd.ladder import Rung
    from .aim import aim_of, check_sandbox, checking_for, with_aim
    from .finetuning_data import Gate, finetuning_data

    at_least(1, settings, "max_instances_to_generate")
    check_min_judgement(settings.min_judgement)
    session.hold_folder()
    instance_files = [Path(file) for file in settings.instance_files]
    raw = [one for file in instance_files for one in read_records(file, RawInstances.from_dict)]
    files, notes = _existing([Path(file) for file in settings.classification_type_files])
    is_classification = read_classifications(files)
    seeds = load_seeds(settings.seed_tasks_path).tasks if settings.include_seed_tasks else ()
    # What the answers were made for. Files of other tools have no note of it.
    noted = session.noted_settings(INSTANCES.name).get("min_rung")
    aim = aim_of(settings, Rung.named(noted) if noted in RUNGS else Rung.BOUND)
    check_sandbox(aim, (one.instruction for one in raw))
    checking = checking_for(aim, Rung.named(settings.top_rung))
    gate = None
    if settings.min_judgement is not None:
        gate = Gate(settings.min_judgement, _judged(session.batch_dir / JUDGEMENTS_FILE))
    data = finetuning_data(
        raw,
        is_classification,
        num_instructions=settings.num_instructions,
        max_instances_to_generate=settings.max_instances_to_generate,
        aim=aim,
        top_rung=checking.top,
        seeds=seeds,
        random_seed=settings.random_seed,
        climbing=partial(_climb_in_sight, session),
        gate=gate,
    )
    report = data.report
    report.notes += notes
    if rungs := report.rungs:
        marks = {
            mark: count
            for mark, count in rungs.items()
            if mark not in ("rows", *checking.unchecked)
        }
        report.notes += [f"{mark}: {count} of {rungs['rows']}" for mark, count in marks.items()]
        if checking.unchecked:
            report.notes.append(f"{', '.join(checking.unchecked)}: {checking.reason}")
    session.note_settings(NAME, with_aim(settings, aim), is_binding=False)
    output_dir = Path(settings.output_dir)
    with session.reporter.stage(report):
        for example in data.examples:
            session.reporter.emit(Accepted(NAME, example.instruction, example.output))
        for dropped in data.dropped:
            session.reporter.emit(dropped)
        sampled_file = f"sampled_generated_instances_{data.sampled_instructions}.jsonl"
        for name, rows in (
            (EXAMPLES_FILE, [one.to_dict() for one in data.examples]),
            (sampled_file, [one.to_dict() for one in data.sampled]),
            (f"api_finetuning_data_{len(data.encoded)}.jsonl", list(data.encoded)),
            (LADDER_FILE, [row.to_dict() | one.to_dict() for row, one in data.climbed.items()]),
        ):
            if rows or name != LADDER_FILE:
                write_jsonl(output_dir / name, rows)
                report.files.append(str(output_dir / name))
        session.write_dropped(NAME, data.dropped)
    report.example = data.examples[0] if data.examples else None
    return report


def _judged(file: Path) -> dict[tuple[str, str], JudgedScenario]:
    if not file.exists():
        raise SelfBehaveError(
            "--min_judgement needs the scores of a judge",
            where=file,
            mend="run `selfbehave judge` first, or `selfbehave run` with --judge",
        )
    if not file.stat().st_size:  # nothing was proven
        return {}
    found = each_record(file, JudgedScenario.from_dict)
    return {(one.instruction, one.input): one for one in found}


def _climb_in_sight(
    session: Session, rows: Iterable[tuple[str, str, str]], top: Rung
) -> list[Ladder]:
    """Climb with rows and report the progress: the sandbox takes a while."""
    rows = list(rows)
    report = StageReport("ladder", "scenarios", len(rows))
    ladders: list[Ladder] = []
    if not rows:
        return ladders
    with session.reporter.stage(report):
        for ladder in session.climbing(rows, top):
            ladders.append(ladder)
            report.done += 1
            report.accepted += 1
            session.reporter.progress(report)
    return ladders


def _existing(files: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The existing files; for a missing one, the file with this project's default name."""
    found, notes = [], []
    for file in files:
        own = file.with_name(CLASSIFICATION_FILE)
        if not file.exists() and own.exists():
            notes.append(f"{file} does not exist: used {own} in the same folder")
            file = own
        found.append(file)
    return found, notes


def _in_run(folder: Path) -> dict[str, object]:
    return {
        "instance_files": (str(folder / INSTANCES_FILE),),
        "classification_type_files": (str(folder / CLASSIFICATION_FILE),),
        "output_dir": str(folder / FINETUNING_DIR),
    }


def _funnel(counts: RunCounts) -> list[FunnelStep]:
    steps = []
    if counts.reached:
        meanings = {
            "parsed": "valid Gherkin and Python",
            "bound": "each step has one function",
            "passing": "green under behave",
            "discriminating": "red when an expected value is changed",
            "causal": "red without its action, and when an input is changed",
        }
        steps.append(FunnelStep("pairs", counts.pairs, "of a scenario and step functions"))
        steps += [
            FunnelStep(name, counts.reached[name], meaning) for name, meaning in meanings.items()
        ]
    return [*steps, FunnelStep("kept", counts.records.get(_DATA_FILE), "rows of the data")]


PREPARE = Stage(
    name=NAME,
    summary="parse, filter, encode, write",
    settings=PrepareSettings,
    run=_run,
    reads=(INSTANCES_FILE, CLASSIFICATION_FILE),
    writes=(_DATA_FILE, f"{FINETUNING_DIR}/{LADDER_FILE}"),
    asks_engine=False,
    in_run=_in_run,
    folder_of=lambda settings: settings.batch_dir,
    funnel=_funnel,
    unfinished="prepare has not ended: no rows and no ladder yet",
)

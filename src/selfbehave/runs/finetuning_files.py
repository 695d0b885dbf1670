"""Stage 4 with its files: raw instances in, fine-tuning data and the ladder beside it out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from ..bdd.ladder import Climbing, Ladder, Rung, climb_each, reachable
from ..core.jsonl import read_records, write_jsonl
from ..core.records import Example, RawInstances
from ..core.run_files import CLASSIFICATION_FILE, LADDER_FILE
from ..events.events import Accepted
from ..events.stage_report import StageReport
from ..seeds.load import load_seeds
from ..stages.prepare import prepare
from ..stages.settings import PrepareSettings
from ..views.display import Display
from .run_file import note_settings
from .run_folder import at_least, read_classifications, write_dropped

__all__ = ["write_finetuning_data"]


def write_finetuning_data(
    settings: PrepareSettings, display: Display, climbing: Climbing = climb_each
) -> tuple[StageReport, tuple[Example, ...]]:
    """Read, prepare and write; return the report and every valid example.

    Args:
        climbing: climbs with the rows that hold a scenario.

    Raises:
        SelfBehaveError: a file is broken, or `min_rung` needs a sandbox and there is none.
    """
    at_least(1, settings, "max_instances_to_generate")
    instance_files = [Path(file) for file in settings.instance_files]
    raw = [one for file in instance_files for one in read_records(file, RawInstances.from_dict)]
    files, notes = _existing([Path(file) for file in settings.classification_type_files])
    is_classification = read_classifications(files)
    seeds = load_seeds(settings.seed_tasks_path).tasks if settings.include_seed_tasks else ()
    top, unavailable, reason = _top_rung(settings)
    climbing = partial(_in_sight, display, climbing)
    prepared = prepare(settings, raw, is_classification, seeds, top, climbing)
    report = prepared.report
    report.notes += notes
    if rungs := report.rungs:
        marks = {mark: count for mark, count in rungs.items() if mark not in ("rows", *unavailable)}
        report.notes += [f"{mark}: {count} of {rungs['rows']}" for mark, count in marks.items()]
        if unavailable:
            report.notes.append(f"{', '.join(unavailable)}: {reason}")
    note_settings(settings.batch_dir, "prepare", asdict(settings), is_binding=False)
    output_dir = Path(settings.output_dir)
    with display.stage(report):
        for example in prepared.examples:
            display.emit(Accepted("prepare", example.instruction, example.output))
        for dropped in prepared.dropped:
            display.emit(dropped)
        for name, rows_of in (
            ("all_generated_instances", [one.to_dict() for one in prepared.examples]),
            (
                f"sampled_generated_instances_{prepared.sampled_instructions}",
                [one.to_dict() for one in prepared.sampled],
            ),
            (f"api_finetuning_data_{len(prepared.encoded)}", list(prepared.encoded)),
        ):
            path = output_dir / f"{name}.jsonl"
            write_jsonl(path, rows_of)
            report.files.append(str(path))
        if prepared.climbed:
            path = output_dir / LADDER_FILE
            write_jsonl(
                path, (row.to_dict() | one.to_dict() for row, one in prepared.climbed.items())
            )
            report.files.append(str(path))
        write_dropped(settings.batch_dir, "prepare", prepared.dropped)
    return report, prepared.examples


def _in_sight(
    display: Display, climbing: Climbing, rows: Iterable[tuple[str, str, str]], top: Rung
) -> list[Ladder]:
    """Climb, which takes a while in the sandbox, in sight of the user."""
    rows = list(rows)
    report = StageReport("ladder", "scenarios", len(rows))
    ladders: list[Ladder] = []
    if not rows:
        return ladders
    with display.stage(report):
        for ladder in climbing(rows, top):
            ladders.append(ladder)
            report.done += 1
            report.accepted += 1
            display.progress(report)
    return ladders


def _top_rung(settings: PrepareSettings) -> tuple[Rung, list[str], str]:
    """The rung to climb to, the rungs above it that would run code, and why they are left out."""
    least = Rung.named(settings.min_rung)
    wanted = max(Rung.named(settings.top_rung), least)
    top, lack = (wanted, None) if least > Rung.BOUND else reachable(wanted)
    reason = f"not available ({lack})" if lack else "not asked for"
    return top, [str(rung) for rung in Rung if rung > max(top, Rung.BOUND)], reason


def _existing(files: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The files that are there; for one that is not, the file of this project's own name for it."""
    found, notes = [], []
    for file in files:
        own = file.with_name(CLASSIFICATION_FILE)
        if not file.exists() and own.exists():
            notes.append(f"{file} is not there: used {own} beside it")
            file = own
        found.append(file)
    return found, notes

"""Read a run, finished or not: the content of its files, and which files are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..axes.table import axis_values
from ..bdd.scenario import ScenarioError, parse_scenario
from ..core.errors import SelfBehaveError
from ..core.jsonl import each_record
from ..core.records import Example
from ..core.run_files import (
    DROPPED_FILE,
    EXAMPLES_FILE,
    FINETUNING_DIR,
    INSTRUCTIONS_FILE,
    JOURNAL_FILE,
    LADDER_FILE,
    RUN_FILE,
)
from ..runs.finished import (
    FinishedRow,
    named_folders,
    row_id,
    rows_of,
)
from ..runs.run_file import read_settings
from ..stages.registry import all_stages
from ..stats.domains import domains_of
from .answers import JournalAnswer, read_answers
from .attempts import ReportAttempt, read_attempts
from .deeds import Deed, deed

__all__ = ["DATA_FILE", "AcceptedInstruction", "Discarded", "ReportRow", "RunFacts", "read_runs"]

DATA_FILE = FINETUNING_DIR + "/" + EXAMPLES_FILE


@dataclass(frozen=True, slots=True)
class AcceptedInstruction:
    """An accepted instruction: its request, its highest ROUGE-L F1 to the pool, and its axes."""

    request_idx: int
    highest: float | None
    axes: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Discarded:
    """A candidate that was dropped: its stage, reason and, if recorded, request."""

    stage: str
    reason: str
    request_idx: int | None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A row that went through the ladder stage or was kept.

    Attributes:
        finished: its texts, rung, faults, domain and the requests it came from.
        is_kept: whether the run's data contains it; otherwise it was dropped after the ladder.
        steps: the number of steps in its scenario; None if the scenario cannot be parsed.
        deed: the actor, verb and object of its first When step.
        tokens: the engine's token count of the answer with its step functions; None if unknown.
    """

    finished: FinishedRow
    is_kept: bool
    steps: int | None
    deed: Deed | None
    tokens: int | None


@dataclass(frozen=True)
class RunFacts:
    """All facts read from a run's files.

    Attributes:
        settings: the settings in `run.toml`, by stage.
        answers: the answers in the journal, in order of arrival.
        accepted: the instructions, in order of acceptance.
        attempts: those at scenarios, in order; empty for a run of an older version.
        records: the number of records in each stage's files, by file; only existing files.
        lacks: the missing files that a finished run has.
    """

    name: str
    folder: Path
    settings: Mapping[str, Any]
    answers: tuple[JournalAnswer, ...]
    accepted: tuple[AcceptedInstruction, ...]
    dropped: tuple[Discarded, ...]
    records: Mapping[str, int]
    rows: tuple[ReportRow, ...]
    lacks: frozenset[str]
    attempts: tuple[ReportAttempt, ...] = ()

    @property
    def engines(self) -> list[str]:
        """The models that answered, in order of their first answer."""
        return list(dict.fromkeys(answer.engine for answer in self.answers))

    @property
    def missing(self) -> list[str]:
        """One clause for each unknown fact of the run and its reason; empty for a finished run."""
        return [clause for file, clause in _clauses().items() if file in self.lacks]

    @property
    def kept(self) -> list[ReportRow]:
        """The rows of the run's data."""
        return [row for row in self.rows if row.is_kept]


def read_runs(given: Sequence[str]) -> list[RunFacts]:
    """Read runs. Domains are computed over the rows of all runs, so they are comparable.

    Args:
        given: the run folders, each as `FOLDER` or `NAME=FOLDER`.

    Raises:
        SelfBehaveError: a folder holds no run, a file of it is broken, or two have one name.
    """
    runs = [_read(name, folder) for name, folder in named_folders(given)]
    subjects = [row.finished.subject for run in runs for row in run.rows]
    domains = iter(domains_of(subjects))
    return [
        replace(
            run,
            rows=tuple(
                replace(row, finished=replace(row.finished, domain=next(domains)))
                for row in run.rows
            ),
        )
        for run in runs
    ]


def _clauses() -> dict[str, str]:
    """For each missing file, a clause about what the report cannot show without it."""
    return {
        RUN_FILE: "no run.toml: engine and settings are unknown",
        JOURNAL_FILE: "no journal: requests, tokens, cost and times are unknown",
        **{stage.writes[0]: stage.unfinished for stage in all_stages() if stage.unfinished},
    }


def _read(name: str, folder: Path) -> RunFacts:
    clauses = _clauses()
    lacks = {file for file in clauses if not (folder / file).exists()}
    if lacks >= clauses.keys() - {RUN_FILE}:
        raise SelfBehaveError(
            f"no run here: neither {JOURNAL_FILE} nor any file of a stage",
            where=folder,
            mend="give a run's folder, its --batch_dir",
        )
    answers = read_answers(folder)
    return RunFacts(
        name=name,
        folder=folder,
        settings=read_settings(folder),
        answers=tuple(answers),
        accepted=tuple(_accepted(folder / INSTRUCTIONS_FILE)),
        dropped=tuple(_dropped(folder / DROPPED_FILE)),
        records=_records(folder),
        rows=tuple(_rows(name, folder, answers)),
        lacks=frozenset(lacks),
        attempts=tuple(read_attempts(folder)),
    )


def _rows(name: str, folder: Path, answers: Sequence[JournalAnswer]) -> list[ReportRow]:
    """Return the kept rows, followed by the rows dropped after the ladder stage."""
    kept = _examples(folder / DATA_FILE)
    climbed = _examples(folder / FINETUNING_DIR / LADDER_FILE)
    tokens = {answer.key: answer.completion_tokens for answer in answers}
    is_kept = {_id(example) for example in kept}
    rows = rows_of(name, folder, list(dict.fromkeys([*kept, *climbed])))
    return [_row(row, row.id in is_kept, tokens.get(row.instance_request or "")) for row in rows]


def _id(example: Example) -> str:
    return row_id(example.instruction, example.input, example.output)


def _row(finished: FinishedRow, is_kept: bool, tokens: int | None) -> ReportRow:
    try:
        steps = parse_scenario(finished.scenario or "").steps
    except ScenarioError:
        return ReportRow(finished, is_kept, None, None, tokens)
    return ReportRow(finished, is_kept, len(steps), deed(finished.scenario or "", steps), tokens)


def _examples(path: Path) -> list[Example]:
    return list(each_record(path, Example.from_dict)) if _has_records(path) else []


def _accepted(path: Path) -> list[AcceptedInstruction]:
    def accepted(source: Mapping[str, Any]) -> AcceptedInstruction:
        similar = source.get("most_similar") or {}
        if not isinstance(similar, dict):
            raise ValueError("field 'most_similar' must be an object of texts and scores")
        highest = max(map(float, similar.values())) if similar else None
        metadata = source.get("metadata") or {}
        axes = axis_values(metadata) if isinstance(metadata, dict) else {}
        return AcceptedInstruction(int(source.get("request_idx") or 0), highest, axes)

    return list(each_record(path, accepted)) if _has_records(path) else []


def _dropped(path: Path) -> list[Discarded]:
    def dropped(source: Mapping[str, Any]) -> Discarded:
        index = source.get("request_idx")
        return Discarded(
            str(source.get("stage")),
            str(source.get("reason")),
            index if isinstance(index, int) else None,
        )

    return list(each_record(path, dropped)) if _has_records(path) else []


def _records(folder: Path) -> dict[str, int]:
    """Count the records in each existing file of the stages."""
    files = [file for stage in all_stages() for file in stage.writes]
    return {
        file: _lines(folder / file)
        for file in files
        if file.endswith(".jsonl") and (folder / file).exists()
    }


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _has_records(path: Path) -> bool:
    """Whether a file has content. An empty file is valid: all candidates may have been dropped."""
    return path.exists() and path.stat().st_size > 0

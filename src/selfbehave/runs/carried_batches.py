"""Batches that a user carries to a server by hand: their files are written here and read here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import SelfBehaveError
from ..core.files import not_read
from ..core.run_files import JOURNAL_FILE
from ..engines import Journal, Kept
from ..engines.batches.batching import CarriedError
from ..engines.batches.lines import Results, results_in
from ..engines.batches.log import BatchLog, OpenBatch
from ..engines.settings import EngineSettings
from ..events.reporter import Reporter
from .pipeline import run_all
from .run_settings import RunSettings
from .session import RunSession

__all__ = ["ReadBatch", "drop_batches", "open_batches", "read_batch", "write_batch"]

_LONGEST_LINE = 16 * 2**20


@dataclass(frozen=True)
class ReadBatch:
    """What files of answers held.

    Attributes:
        answered: the answers that are in the journal now.
        lacking: the requests of these batches without an answer; the next command asks them.
        ignored: lines that belong to no request in flight, repeat one, or are broken.
        failures: why requests failed, by how many of them.
    """

    answered: int
    lacking: int
    ignored: int
    failures: Mapping[str, int]


def write_batch(
    batch_dir: Path,
    settings: RunSettings,
    engine: EngineSettings,
    reporter: Reporter,
    file: Path,
    stage_settings: Mapping[str, Any] = {},
) -> CarriedError | None:
    """Run all stages until requests wait that can go as a batch, and write them to a file.

    Returns:
        what was written; None if nothing waits, and the run is done.

    Raises:
        SelfBehaveError: the run failed, or the requests of an earlier file have no answers yet.
    """
    session = RunSession(batch_dir, engine, reporter, carry_to=file)
    try:
        run_all(session, settings, stage_settings)
    except CarriedError as carried:
        return carried
    return None


def read_batch(batch_dir: Path, files: Sequence[Path]) -> ReadBatch:
    """Put the answers in files into the run's journal, under the keys of their requests.

    A batch of which at least one answer is read is over: what it left open is asked again.

    Raises:
        SelfBehaveError: a file cannot be read, or none of its lines belongs to the run.
    """
    lines = [line for file in files for line in _lines_in(file)]
    _check_folder(batch_dir)
    with Journal(batch_dir) as journal, BatchLog(batch_dir) as log:
        batches = log.open_batches()
        whole = {key: request for one in batches for key, request in one.requests.items()}
        results = results_in(lines, whole, str(files[0]))
        found = [one for one in batches if one.requests.keys() & results.answers.keys()]
        if not found:
            raise SelfBehaveError(
                f"no answer to a request of this run, in {len(lines)} lines",
                where=", ".join(map(str, files)),
                mend="give the files with the answers to what `selfbehave batch write` wrote",
            )
        asyncio.run(_keep(journal, found, results))
        for one in found:
            log.over(one.name, "read")
    lacking = [key for one in found for key in one.requests if key not in results.answers]
    failures: dict[str, int] = {}
    for key in lacking:
        words = results.failures.get(key, "no line for it")
        failures[words] = failures.get(words, 0) + 1
    return ReadBatch(len(results.answers), len(lacking), results.ignored, failures)


def open_batches(batch_dir: Path) -> list[OpenBatch]:
    """The batches of a run that are in flight or carried.

    Raises:
        SelfBehaveError: another process works in the folder, or it has no journal.
    """
    _check_folder(batch_dir)
    with Journal(batch_dir), BatchLog(batch_dir) as log:
        return log.open_batches()


def drop_batches(batch_dir: Path) -> list[OpenBatch]:
    """Forget the batches in flight, with all that they may have cost; return them.

    Raises:
        SelfBehaveError: another process works in the folder, or it has no journal.
    """
    _check_folder(batch_dir)
    with Journal(batch_dir), BatchLog(batch_dir) as log:
        batches = log.open_batches()
        for one in batches:
            log.over(one.name, "dropped")
        return batches


async def _keep(journal: Journal, batches: Sequence[OpenBatch], results: Results) -> None:
    now = time.time()
    answers = [
        Kept(key, one.engine, one.api, request, results.answers[key], one.written_at, now)
        for one in batches
        for key, request in one.requests.items()
        if key in results.answers
    ]
    await asyncio.gather(*map(journal.keep, answers))


def _lines_in(file: Path) -> list[bytes]:
    lines = []
    try:
        with file.open("rb") as opened:
            while line := opened.readline(_LONGEST_LINE):
                lines.append(line)
    except (OSError, ValueError) as error:
        raise not_read(file, error) from error
    return lines


def _check_folder(batch_dir: Path) -> None:
    if not (batch_dir / JOURNAL_FILE).is_file():
        raise SelfBehaveError(
            "there is no journal here", where=batch_dir, mend="give the --batch_dir of a run"
        )

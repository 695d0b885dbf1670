"""Remove near duplicates from data files: kept rows go to one file, dropped rows to another."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...core.data_files import RowFields, each_data_record, each_data_row, writing_rows
from ...core.errors import EXIT_USAGE, SelfBehaveError
from ...core.extras import needs_extra
from ...core.jsonl import writing_jsonl
from ...core.locks import Guarded, locked
from ..rule import THRESHOLD, tokenize
from .deciding import NONE, Nearest
from .row_text import check_kind, text_of
from .sharding import BLOCK_SIZE, InThisProcess, Work, decide_all, worker_processes

__all__ = ["DedupeSettings", "Deduped", "dedupe"]


@dataclass(frozen=True)
class DedupeSettings:
    """Settings: what counts as too similar, and the resources to use.

    Attributes:
        threshold: a row is kept if its ROUGE-L F1 to every row kept before is at most this.
        fields: the fields to compare; if empty, the first known field of each row.
        workers: the number of processes.
        approximate: find near duplicates by MinHash, which misses some.
        block_size: texts in a block; larger blocks use more memory and need fewer comparisons.
    """

    threshold: float = THRESHOLD
    fields: tuple[str, ...] = ()
    workers: int = 1
    approximate: bool = False
    block_size: int = BLOCK_SIZE


@dataclass(frozen=True)
class Deduped:
    """The result of a run.

    Attributes:
        kept, dropped: numbers of rows.
        wordless: the number of rows without a ROUGE token; all of them are kept.
        dropped_file: the file of dropped texts, each with the text it is too similar to.
    """

    kept: int
    dropped: int
    wordless: int
    dropped_file: Path


def dedupe(
    files: Sequence[Path],
    to: Path,
    pool: Sequence[Path] = (),
    settings: DedupeSettings = DedupeSettings(),
    on_decided: Callable[[int, int, int], None] = lambda decided, kept, of: None,
    executor: Executor | None = None,
) -> Deduped:
    """Write the rows of files, in order, that are novel among the rows kept before them.

    Decisions are stored in a folder beside `to` until the work is complete. After an interruption,
    the same call continues from there.

    Args:
        files: JSON Lines or Parquet files.
        to: the file for kept rows, in the same format.
        pool: files whose rows are compared with as if kept before; they are not written.
        on_decided: called with the numbers of texts decided, of texts kept, and of all texts.
        executor: runs the work instead of local processes. It has `settings.workers` workers, and
            all of them can access the folder of `to`.

    Raises:
        SelfBehaveError: a file cannot be read or written, a row has no text, a setting is out of
            range, or another process is writing the same output.
    """
    if not 0 < settings.threshold < 1:
        raise SelfBehaveError(
            f"--threshold must be above 0 and below 1, not {settings.threshold:g}",
            exit_code=EXIT_USAGE,
        )
    if settings.workers < 1:
        raise SelfBehaveError(
            f"--workers must be at least 1, not {settings.workers}", exit_code=EXIT_USAGE
        )
    check_kind([*files, *pool], to)
    if to.resolve() in {file.resolve() for file in (*files, *pool)}:
        raise SelfBehaveError(
            "--to is one of the files to read", where=to, mend="name another", exit_code=EXIT_USAGE
        )
    dropped_file = to.with_name(f"{to.stem}.dropped.jsonl")
    with _working_folder(to) as folder:
        if settings.approximate:
            found, given, wordless = _decided_approximately(files, pool, settings)
        else:
            work = Work.tokenize(
                folder,
                _texts(pool, settings),
                _texts(files, settings),
                settings.threshold,
                settings.block_size,
            )
            found = _decided(work, settings, on_decided, executor)
            given, wordless = sum(work.sizes[: work.given]), work.wordless
        _write(files, to, dropped_file, pool, settings, found, given)
        shutil.rmtree(folder)
    kept = int(found.is_novel.sum())
    return Deduped(kept, len(found.texts) - kept, wordless, dropped_file)


def _decided_approximately(
    files: Sequence[Path], pool: Sequence[Path], settings: DedupeSettings
) -> tuple[Nearest, int, int]:
    """The decisions, the number of texts in the pool, and the number of texts without a token."""
    with needs_extra("minhash", "--approximate"):
        from .minhash import decide_approximately

    wordless = 0

    def counted(texts: Iterator[str]) -> Iterator[str]:
        nonlocal wordless
        for text in texts:
            wordless += not tokenize(text)
            yield text

    found = decide_approximately(
        _texts(pool, settings), counted(_texts(files, settings)), settings.threshold
    )
    return found, sum(1 for _ in _texts(pool, settings)), wordless


def _decided(
    work: Work,
    settings: DedupeSettings,
    on_decided: Callable[[int, int, int], None],
    executor: Executor | None,
) -> Nearest:
    done = kept = 0

    def count(decided: Nearest) -> None:
        nonlocal done, kept
        done += len(decided.texts)
        kept += int(decided.is_novel.sum())
        on_decided(done, kept, work.undecided)

    with ExitStack() as stack:
        if executor is None:
            executor = (
                stack.enter_context(worker_processes(settings.workers))
                if settings.workers > 1 and len(work.sizes) > 1
                else InThisProcess()
            )
        work.arrange(executor)
        return decide_all(work, executor, settings.workers, count)


def _texts(files: Sequence[Path], settings: DedupeSettings) -> Iterator[str]:
    for file in files:
        yield from each_data_record(file, lambda row: text_of(row, settings.fields))


def _write(
    files: Sequence[Path],
    to: Path,
    dropped_file: Path,
    pool: Sequence[Path],
    settings: DedupeSettings,
    found: Nearest,
    given: int,
) -> None:
    """Write the kept rows to `to` and the dropped ones to `dropped_file`."""
    wanted = {number for number in found.texts.tolist() if number != NONE}
    nearest_texts: dict[int, dict[str, object]] = {}  # kept texts that dropped ones are similar to

    def note(number: int, file: Path, place: int, row: RowFields) -> None:
        if number in wanted:
            text = text_of(row, settings.fields)
            nearest_texts[number] = {"text": text, "file": str(file), "row": place}

    if any(number < given for number in wanted):
        for number, (file, place, row) in enumerate(_placed(pool)):
            note(number, file, place, row)
    with writing_rows(to, files[0]) as keep, writing_jsonl(dropped_file) as drop:
        each = zip(_placed(files), found.texts.tolist(), found.scores.tolist(), strict=True)
        for number, ((file, place, row), nearest, score) in enumerate(each, start=given):
            if nearest == NONE:
                note(number, file, place, row)
                keep(row)
            else:
                drop(
                    {
                        "file": str(file),
                        "row": place,
                        "text": text_of(row, settings.fields),
                        "score": score,
                        "too_similar_to": nearest_texts[nearest],
                    }
                )


def _placed(files: Sequence[Path]) -> Iterator[tuple[Path, int, RowFields]]:
    """Each row of files, with its file and its row number, from 1."""
    for file in files:
        for place, row in enumerate(each_data_row(file), start=1):
            yield file, place, row


@contextmanager
def _working_folder(to: Path) -> Iterator[Path]:
    """The folder for decisions, locked so that one process at a time uses it."""
    guarded = Guarded("the output", to, "another process is writing this file", "--to")
    # The lock lies beside the folder: NFS cannot remove a folder that contains an open file.
    lock = to.with_name(f"{to.name}.lock")
    with locked(lock, guarded):
        try:
            yield _made(to.with_name(f"{to.name}.work"))
        finally:
            lock.unlink()


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise SelfBehaveError(
            f"cannot use the folder: {error.strerror}", where=folder, mend="give another --to"
        ) from error
    return folder

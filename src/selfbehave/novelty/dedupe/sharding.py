"""Near duplicates among more texts than fit one process: blocks in a folder, and workers.

Each block is compared with the kept texts of every earlier block. Any worker can do this once the
earlier block is decided. Then the block itself is decided, in order; meanwhile workers compare
later blocks with the blocks already decided. Each decision is written to the folder as soon as it
is made, so an interrupted job continues where it stopped.
"""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from heapq import heappop, heappush
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import SelfBehaveError
from ...core.files import read_text, write_bytes, write_text
from .blocks import ElementOrder, TextBlock, TokenizedBlock, Vocabulary, arrange, element_counts
from .deciding import Nearest, decide, nearest, nearest_of

__all__ = ["BLOCK_SIZE", "InThisProcess", "Work", "decide_all", "worker_processes"]

BLOCK_SIZE = 32_768  # texts: the bitmaps of a block fit a second-level cache


@dataclass(frozen=True)
class Work:
    """Texts to decide on, as blocks in a folder that all workers can access.

    Attributes:
        folder: contains the blocks and the decisions.
        given: the number of leading blocks whose texts are always kept (the pool).
        sizes: the number of texts of each block, including the given ones.
        wordless: the number of texts to decide on that have no ROUGE token; they are always novel.
        threshold: of ROUGE-L F1.
    """

    folder: Path
    given: int
    sizes: tuple[int, ...]
    wordless: int
    threshold: float

    @classmethod
    def tokenize(
        cls,
        folder: Path,
        pool: Iterable[str],
        texts: Iterable[str],
        threshold: float,
        block_size: int = BLOCK_SIZE,
    ) -> Work:
        """Write texts to a folder as numbered tokens.

        Earlier decisions in the folder are kept if they were made for these texts and settings.

        Args:
            pool: texts that are always kept.
            texts: the texts to decide on, in order.
            threshold: of ROUGE-L F1, above 0 and below 1.
        """
        tokenized = _Tokenized(folder)
        for part in _batched(pool, block_size):
            tokenized.add(part)
        given = len(tokenized.sizes)
        tokenized.wordless = 0
        for part in _batched(texts, block_size):
            tokenized.add(part)
        made_for = {
            "texts": tokenized.digest.hexdigest(),
            "given": given,
            "block_size": block_size,
            "threshold": threshold,
            "version": version("selfbehave"),
        }
        _forget_decisions_unless(folder, json.dumps(made_for))
        return cls(folder, given, tuple(tokenized.sizes), tokenized.wordless, threshold)

    def arrange(self, executor: Executor) -> None:
        """Make the tokenized blocks ready for comparison."""
        numbers = range(len(self.sizes))
        order = ElementOrder.of(executor.map(_counts_of, [self.folder] * len(numbers), numbers))
        _save(self.folder / "order.npz", keys=order.keys, ranks=order.ranks)
        list(executor.map(_arrange, [self.folder] * len(numbers), numbers))

    @property
    def undecided(self) -> int:
        """The number of texts in all blocks except the given ones."""
        return sum(self.sizes[self.given :])

    def decided(self, number: int) -> Nearest | None:
        """The decisions on a block; None if it is undecided."""
        if number < self.given:
            return Nearest.none(self.sizes[number])
        path = _decided(self.folder, number)
        return Nearest(**_load(path)) if path.exists() else None


def _forget_decisions_unless(folder: Path, made_for: str) -> None:
    """Remove decisions that were made for other texts or settings."""
    file = folder / "made_for.json"
    if not file.exists() or read_text(file) != made_for:
        for path in folder.glob("decided-*.npz"):
            path.unlink()
        write_text(file, made_for)


def decide_all(
    work: Work,
    executor: Executor,
    at_once: int,
    on_decided: Callable[[Nearest], None] = lambda decided: None,
) -> Nearest:
    """Decide on all texts by tasks that run `nearest` or `decide`.

    Args:
        executor: runs the tasks; its workers can access the folder.
        at_once: the number of tasks to submit at a time: the number of workers.
        on_decided: called with each block's decisions, in order.

    Returns:
        For each text that is not given, the nearest text kept before it. Texts are numbered
        through, the given ones first.

    Raises:
        SelfBehaveError: a worker was killed.
    """
    scheduled = _Scheduled(work)
    running: dict[Future[Nearest], tuple[int, int]] = {}
    results: list[Nearest] = []
    for decided in scheduled.decided_before:
        results.append(decided)
        on_decided(decided)
    try:
        while len(results) < len(work.sizes) - work.given:
            while len(running) < at_once and (task := scheduled.next()) is not None:
                number, shard = task
                if number == shard:
                    future = executor.submit(_decide, work, number, scheduled.found.pop(number))
                else:
                    future = executor.submit(_compare, work, number, shard)
                running[future] = task
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number, shard = running.pop(future)
                if number != shard:
                    scheduled.compared(number, future.result())
                    continue
                results.append(future.result())
                scheduled.decided(number)
                on_decided(results[-1])
    except BrokenProcessPool as error:
        raise SelfBehaveError(
            "a worker was killed, perhaps because memory ran out",
            mend="give the same command again with fewer --workers",
        ) from error
    finally:
        for future in running:
            future.cancel()
    return Nearest(
        np.concatenate([_NO_TEXTS, *(result.texts for result in results)]),
        np.concatenate([_NO_SCORES, *(result.scores for result in results)]),
    )


_NO_TEXTS, _NO_SCORES = np.empty(0, np.int64), np.empty(0)


class InThisProcess(Executor):
    """Runs each task immediately in this process, for jobs too small for worker processes."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def worker_processes(count: int) -> Executor:
    """Worker processes on this machine; they end when this process ends, even if it is killed."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and stops the workers
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


class _Scheduled:
    """The tasks that can run next; the earliest block first, because all later ones wait for it.

    A task is a pair of block numbers: a block, and the earlier block to compare it with; or twice
    the same number, to decide on the block.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._ready: list[tuple[int, int]] = []
        self._compared = [0] * len(work.sizes)
        self.found = {n: Nearest.none(size) for n, size in enumerate(work.sizes)}
        self.decided_before: list[Nearest] = []
        for number in range(len(work.sizes)):
            decided = work.decided(number)
            if decided is None:
                break
            if number >= work.given:
                self.decided_before.append(decided)
        self._first = work.given + len(self.decided_before)  # to be decided
        if self._first == 0:
            self._ready.append((0, 0))
        for number in range(self._first):
            self.decided(number)

    def next(self) -> tuple[int, int] | None:
        """A task that can run now; None if all remaining tasks wait for running ones."""
        return heappop(self._ready) if self._ready else None

    def compared(self, number: int, found: Nearest) -> None:
        """Record that a block was compared with an earlier one."""
        self.found[number] = nearest_of([self.found[number], found])
        self._compared[number] += 1
        if self._compared[number] == number:
            heappush(self._ready, (number, number))

    def decided(self, number: int) -> None:
        """Record that a block was decided."""
        for later in range(max(number + 1, self._first), len(self._work.sizes)):
            heappush(self._ready, (later, number))


class _Tokenized:
    """Writes blocks of numbered tokens to a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._vocabulary = Vocabulary()
        self._first = 0
        self.sizes: list[int] = []
        self.wordless = 0
        self.digest = hashlib.sha256()

    def add(self, texts: list[str]) -> None:
        block = self._vocabulary.tokenize(self._first, texts)
        _save(_tokenized(self._folder, len(self.sizes)), **vars(block))
        self.digest.update(block.numbers.tobytes())
        self.digest.update(block.starts.tobytes())
        self._first += len(texts)
        self.sizes.append(len(texts))
        self.wordless += int(np.count_nonzero(np.diff(block.starts) == 0))


# The tasks. They are picklable: they take paths instead of data, and their results are small.


def _counts_of(folder: Path, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return element_counts(TokenizedBlock(**_load(_tokenized(folder, number))))


def _arrange(folder: Path, number: int) -> None:
    tokenized = TokenizedBlock(**_load(_tokenized(folder, number)))
    block = arrange(tokenized, ElementOrder(**_load(folder / "order.npz")))
    _save(_block(folder, number), **vars(block))
    _tokenized(folder, number).unlink()


def _compare(work: Work, number: int, shard: int) -> Nearest:
    decided = work.decided(shard)
    assert decided is not None  # a block is scheduled only after the earlier one is decided
    candidates = TextBlock(**_load(_block(work.folder, number)))
    earlier = TextBlock(**_load(_block(work.folder, shard)))
    return nearest(candidates, earlier, decided.is_novel, work.threshold)


def _decide(work: Work, number: int, found: Nearest) -> Nearest:
    decided = decide(TextBlock(**_load(_block(work.folder, number))), found, work.threshold)
    _save(_decided(work.folder, number), **vars(decided))
    return decided


def _tokenized(folder: Path, number: int) -> Path:
    return folder / f"tokenized-{number:05}.npz"


def _block(folder: Path, number: int) -> Path:
    return folder / f"block-{number:05}.npz"


def _decided(folder: Path, number: int) -> Path:
    return folder / f"decided-{number:05}.npz"


def _save(path: Path, **arrays: Any) -> None:
    data = io.BytesIO()
    np.savez(data, **arrays)
    write_bytes(path, data.getvalue())


def _load(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return {name: array if array.ndim else array.item() for name, array in file.items()}


def _batched(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    texts = iter(texts)
    while part := list(islice(texts, size)):
        yield part

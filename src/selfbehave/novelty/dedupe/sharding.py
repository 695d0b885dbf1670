"""Near duplicates of more texts than one process should hold: blocks in a folder, and workers.

Each block is compared with the kept texts of every block before it, which any worker can do at any
time once these are decided, and then decided itself, in order. While one block is being decided,
workers compare the next ones with what is known. Decisions lie in the folder as soon as they are
made, so the same texts in the same folder go on where they were.
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
from .blocks import Block, ElementOrder, TokenizedBlock, Vocabulary, arrange, element_counts
from .deciding import Nearest, decide, nearest, nearest_of

__all__ = ["BLOCK_SIZE", "InThisProcess", "Work", "decide_all", "worker_processes"]

BLOCK_SIZE = 32_768  # texts: the bitmaps of a block fit a second-level cache


@dataclass(frozen=True)
class Work:
    """Texts to decide on, as blocks in a folder that all workers see.

    Attributes:
        folder: where the blocks and the decisions are.
        given: how many of the first blocks hold texts that are kept whatever they are like.
        sizes: texts of each block, the given ones included.
        wordless: texts to decide on without a token that ROUGE counts; these are like none.
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

        Decisions that lie there already stay, if they are on these texts with these settings.

        Args:
            pool: texts that are kept whatever they are like.
            texts: what is to be decided on, in order.
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
        """Make the tokenized blocks ready to be compared."""
        numbers = range(len(self.sizes))
        order = ElementOrder.of(executor.map(_counts_of, [self.folder] * len(numbers), numbers))
        _save(self.folder / "order.npz", keys=order.keys, ranks=order.ranks)
        list(executor.map(_arrange, [self.folder] * len(numbers), numbers))

    @property
    def undecided(self) -> int:
        """Texts of all blocks but the given ones."""
        return sum(self.sizes[self.given :])

    def decided(self, number: int) -> Nearest | None:
        """What was decided on a block, if it was."""
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
    """Decide on all texts, by `nearest` and `decide` of one block or two at a time.

    Args:
        executor: what runs them; its workers see the folder.
        at_once: how many of them to hand to it; as many as it has workers.
        on_decided: told of each block once it is decided, in order.

    Returns:
        What each text is too similar to, the given texts left out; all texts are numbered from the
        first given one on.

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
    """Runs what it is handed at once, for work that is not worth another process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def worker_processes(count: int) -> Executor:
    """Worker processes on this machine; they end with this one, however it ends."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted and tells
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


class _Scheduled:
    """What can be done next: the earliest block first, as all later ones wait for it.

    A task is a pair of numbers: a block, and the earlier one whose kept texts it is compared with,
    or itself when it is to be decided.
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
        """A task that can be done now; None if all wait for running ones."""
        return heappop(self._ready) if self._ready else None

    def compared(self, number: int, found: Nearest) -> None:
        """Told that a block was compared with one before it."""
        self.found[number] = nearest_of([self.found[number], found])
        self._compared[number] += 1
        if self._compared[number] == number:
            heappush(self._ready, (number, number))

    def decided(self, number: int) -> None:
        """Told that a block was decided."""
        for later in range(max(number + 1, self._first), len(self._work.sizes)):
            heappush(self._ready, (later, number))


class _Tokenized:
    """Blocks of numbered tokens as they are written to a folder."""

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


# The tasks: picklable, told only where things are, and their results small.


def _counts_of(folder: Path, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return element_counts(TokenizedBlock(**_load(_tokenized(folder, number))))


def _arrange(folder: Path, number: int) -> None:
    tokenized = TokenizedBlock(**_load(_tokenized(folder, number)))
    block = arrange(tokenized, ElementOrder(**_load(folder / "order.npz")))
    _save(_block(folder, number), **vars(block))
    _tokenized(folder, number).unlink()


def _compare(work: Work, number: int, shard: int) -> Nearest:
    decided = work.decided(shard)
    assert decided is not None  # or it would not have been scheduled
    candidates = Block(**_load(_block(work.folder, number)))
    earlier = Block(**_load(_block(work.folder, shard)))
    return nearest(candidates, earlier, decided.is_novel, work.threshold)


def _decide(work: Work, number: int, found: Nearest) -> Nearest:
    decided = decide(Block(**_load(_block(work.folder, number))), found, work.threshold)
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

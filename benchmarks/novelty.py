"""Novelty compared with `rouge_score`, in speed and results, and with approximate tools.

Usage: python -m benchmarks novelty [--full]

Needs the extra `benchmarks`. Uses one core. With --full it also fills a pool of a million texts,
which takes minutes and 2 GiB.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

from datasketch import MinHash, MinHashLSH
from rensa import RMinHash, RMinHashLSH
from rouge_score import rouge_scorer

from selfbehave.novelty import overlap
from selfbehave.novelty.rule import THRESHOLD, Neighbour, Pool, tokenize

from .corpora import CORPORA, Corpus, docstrings, long_texts, scenarios, stories
from .tables import Table

POOL = 20_000
SMALL_POOL = 2_000  # for texts that are long, or similar on purpose
CANDIDATES = 1_000
GREEDY = 52_000  # instructions of the Self-Instruct paper
REFERENCE_PAIRS = 5_000
JOINED = 50_000
PERMUTATIONS = 128

Result = TypeVar("Result")

SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks novelty")
    parser.add_argument("--full", action="store_true", help="fill a pool of 1,000,000 too")
    full = parser.parse_args(argv).full
    decisions().print()
    greedy_passes().print()
    duplicates_found().print()
    memory(1_000_000 if full else 100_000).print()


def decisions() -> Table:
    """The speed of decisions with a full pool, and of `rouge_score` pair by pair."""
    table = Table(
        f"Decisions, of {CANDIDATES:,} candidates against a pool; pairs a second",
        "corpus",
        "pool",
        "rouge_score",
        "compare",
        "decide, plain install",
        "ratio",
        "decide, extra fast",
        "ratio",
        "wrong",
    )
    for name, corpus in CORPORA.items():
        table.row(name, *decisions_on(corpus))
    return table


def decisions_on(corpus: Corpus) -> list[str]:
    """A row of the table. Each decision is checked against a comparison with all texts. The scores
    of random pairs and of the most similar texts are checked against `rouge_score`."""
    size = POOL if corpus in (docstrings, stories, scenarios) else SMALL_POOL
    texts = corpus(size + CANDIDATES)
    pool, candidates = Pool(texts[:size]), texts[size:]
    chance = random.Random(0)
    count = REFERENCE_PAIRS // 100 if corpus is long_texts else REFERENCE_PAIRS
    pairs = [(chance.choice(texts), chance.choice(texts)) for _ in range(count)]
    reference, scores = timed(lambda: [rouge(first, second) for first, second in pairs])
    pool.nearest_too_similar(texts[0])  # loads the compiled code once per process
    whole, novelties = timed(lambda: [pool.compare(text) for text in candidates])

    def decide() -> list[Neighbour | None]:
        return [pool.nearest_too_similar(text) for text in candidates]

    deciding, nearest = timed(decide)
    with patch.object(overlap, "_fastest_sharing_enough", lambda: overlap.sharing_enough):
        plainly, nearest_plainly = timed(decide)
    wrong = sum(
        score != Pool([first]).compare(second).highest
        or (score <= THRESHOLD) != (Pool([first]).nearest_too_similar(second) is None)
        for (first, second), score in zip(pairs, scores, strict=True)
    )
    wrong += sum(
        (0.0 if near is None else near.score)
        != (novelty.highest if novelty.highest > THRESHOLD else 0.0)
        for near, novelty in zip(nearest, novelties, strict=True)
    )
    wrong += sum(a != b for a, b in zip(nearest, nearest_plainly, strict=True))
    wrong += sum(
        rouge(text, candidate) != score
        for candidate, novelty in zip(candidates[:5], novelties, strict=False)
        for text, score in novelty.most_similar.items()
    )
    rate = count / reference
    compared, plain, fast = (size * CANDIDATES / one for one in (whole, plainly, deciding))
    return [
        f"{size:,}",
        f"{rate:,.0f}",
        f"{compared:,.0f}",
        f"{plain:,.0f}",
        f"{plain / rate:,.0f}x",
        f"{fast:,.0f}",
        f"{fast / rate:,.0f}x",
        str(wrong),
    ]


def greedy_passes() -> Table:
    """Keep each text that is novel to the texts kept before it, as a bootstrap does."""
    marks = (5_000, 10_000, 20_000)
    table = Table(
        "Greedy pass: seconds until so many candidates are decided",
        "corpus",
        *(f"{mark:,}" for mark in marks),
        "all",
        "of",
        "kept",
        "growth from 5,000",
        "tokenizing",
    )
    for name in ("sentences", "user stories", "scenarios"):
        texts = CORPORA[name](GREEDY)
        tokenizing, _ = timed(partial(list, map(tokenize, texts)))
        pool = Pool()
        at: dict[int, float] = {}
        started = time.process_time()
        for number, text in enumerate(texts, start=1):
            pool.admit(text)
            if number in marks or number == len(texts):
                at[number] = time.process_time() - started
        table.row(
            name,
            *(f"{seconds:.2f}" for seconds in at.values()),
            len(texts),
            len(pool),
            f"{at[len(texts)] / at[5_000]:.1f}x for {len(texts) / 5_000:.1f}x",
            f"{tokenizing:.2f}",
        )
    return table


def duplicates_found() -> Table:
    """The texts too similar to an earlier one, by the exact rule and by approximate tools."""
    texts = docstrings(JOINED)
    table = Table(
        f"Texts too similar to an earlier one, of {len(texts):,} sentences",
        "tool",
        "seconds",
        "ratio",
        "flagged",
        "precision",
        "found",
    )
    ours, exact = timed(lambda: flagged_exactly(texts))
    table.row("selfbehave, exact", f"{ours:.1f}", "1.0x", f"{len(exact):,}", "1.00", "100 %")
    approximate = {
        "datasketch MinHash LSH, 0.4": partial(flagged_by_datasketch, texts, 0.4),
        "datasketch MinHash LSH, 0.6": partial(flagged_by_datasketch, texts, 0.6),
        "rensa RMinHash LSH, 0.4": partial(flagged_by_rensa, texts, 0.4),
    }
    for name, flag in approximate.items():
        seconds, flagged = timed(flag)
        right = len(flagged & exact)
        table.row(
            name,
            f"{seconds:.1f}",
            f"{seconds / ours:.1f}x",
            f"{len(flagged):,}",
            f"{right / max(1, len(flagged)):.2f}",
            f"{right / len(exact):.0%}",
        )
    return table


def flagged_exactly(texts: Sequence[str]) -> set[int]:
    pool = Pool()
    flagged = set()
    for index, text in enumerate(texts):
        if pool.nearest_too_similar(text):
            flagged.add(index)
        pool.add(text)
    return flagged


def flagged_by_datasketch(texts: Sequence[str], threshold: float) -> set[int]:
    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    flagged = set()
    for number, text in enumerate(texts):
        signature = MinHash(num_perm=PERMUTATIONS)
        signature.update_batch([token.encode() for token in set(tokenize(text))])
        if index.query(signature):
            flagged.add(number)
        index.insert(str(number), signature)
    return flagged


def flagged_by_rensa(texts: Sequence[str], threshold: float) -> set[int]:
    index = RMinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, num_bands=32)
    flagged = set()
    for number, text in enumerate(texts):
        signature = RMinHash(num_perm=PERMUTATIONS, seed=1)
        signature.update(tokenize(text))
        if index.query(signature):
            flagged.add(number)
        index.insert(number, signature)
    return flagged


def memory(size: int) -> Table:
    """The memory that a pool adds to the process, without the texts themselves."""
    texts = CORPORA["user stories"](size)
    before = resident_bytes()
    pool = Pool()
    seconds, _ = timed(lambda: deque(map(pool.add, texts), maxlen=0))
    per_text = (resident_bytes() - before) / size
    deciding, _ = timed(lambda: [pool.nearest_too_similar(text) for text in texts[:100]])
    table = Table(title="Memory of a pool of user stories")
    table = Table(
        "Memory of a pool of user stories, the texts apart",
        "pool",
        "bytes a text",
        "a million texts",
        "filling",
        "a decision",
    )
    table.row(
        f"{len(pool):,}",
        f"{per_text:,.0f}",
        f"{per_text * 1e6 / 2**30:.2f} GiB",
        f"{seconds:.1f} s",
        f"{deciding * 10:.2f} ms",
    )
    return table


def rouge(first: str, second: str) -> float:
    return float(SCORER.score(first, second)["rougeL"].fmeasure)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of one core, and the result."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result

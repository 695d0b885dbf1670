"""Paraphrases of scenarios: what the two novelty rules find of them, by threshold.

Usage: python -m benchmarks paraphrases

`paraphrase_pairs.jsonl` holds 200 pairs, written by hand: 40 scenarios, each with two paraphrases
and three near misses: another rule of the same system, the same rule of another system, and other
values. All pairs of the 40 scenarios themselves are unrelated ones. Needs the extra `meaning`.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import numpy as np

from selfbehave.core.word_vectors import of_length_1, word_vectors
from selfbehave.novelty.meaning import MeaningPool
from selfbehave.novelty.rule import rouge_l
from selfbehave.prompts.bdd import instruction_for

from .tables import Table

PAIRS = Path(__file__).with_name("paraphrase_pairs.jsonl")
PARAPHRASE = "paraphrase"
NEAR_MISSES = {
    "other_rule": "other rule",
    "other_system": "other system",
    "other_values": "other values",
}
UNRELATED = "unrelated"
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
TEXTS, CANDIDATES = 50_000, 100

Result = TypeVar("Result")

Likeness = Callable[[str, str], float]


@dataclass(frozen=True)
class Pair:
    """Two scenarios, and how they are alike."""

    kind: str
    one: str
    other: str


def main(argv: Sequence[str] | None = None) -> None:
    pairs = [Pair(**json.loads(line)) for line in PAIRS.read_text().splitlines()]
    scenarios = list(dict.fromkeys(pair.one for pair in pairs))
    pairs += [Pair(UNRELATED, one, other) for one, other in combinations(scenarios, 2)]
    likenesses: dict[str, Likeness] = {
        "ROUGE-L of the whole instruction": lambda one, other: rouge_l(
            instruction_for(one), instruction_for(other)
        ),
        "ROUGE-L of the scenario": rouge_l,
        "cosine of the scenarios": cosine,
    }
    for name, likeness in likenesses.items():
        by_threshold(name, pairs, likeness).print()
    speed().print()


def cosine(one: str, other: str) -> float:
    first, second = of_length_1(word_vectors([one, other]))
    return float(first @ second)


def by_threshold(name: str, pairs: Sequence[Pair], likeness: Likeness) -> Table:
    """Precision among the written pairs, recall, and the share of each other kind that is found."""
    scores = np.array([likeness(pair.one, pair.other) for pair in pairs])
    kinds = np.array([pair.kind for pair in pairs])
    table = Table(
        f"{name}: pairs above the threshold",
        "threshold",
        "precision",
        "recall",
        *NEAR_MISSES.values(),
        UNRELATED,
    )
    for threshold in THRESHOLDS:
        found = scores > threshold
        right = int((found & (kinds == PARAPHRASE)).sum())
        written = int((found & (kinds != UNRELATED)).sum())
        shares = [
            f"{found[kinds == kind].mean():.1%}" for kind in (PARAPHRASE, *NEAR_MISSES, UNRELATED)
        ]
        table.row(f"{threshold:.1f}", f"{right / written:.2f}" if written else "–", *shares)
    return table


def speed() -> Table:
    """Seconds for 50,000 texts, each compared with all before it, and for one more candidate."""
    chance = random.Random(1)
    words = sorted(set(PAIRS.read_text().split()))
    texts = [" ".join(chance.sample(words, 30)) for _ in range(TEXTS)]
    embedding, vectors = timed(lambda: word_vectors(texts))
    # The vectors of a candidate are computed anew.
    pool = MeaningPool(texts, lambda some: vectors if len(some) > 1 else word_vectors(some))
    comparing, _ = timed(lambda: sum(1 for _ in pool.each_nearest(0)))
    candidates = texts[:CANDIDATES]
    deciding, _ = timed(lambda: [pool.nearest_above(0.5, text) for text in candidates])
    table = Table("Speed", "texts", "vectors", "each with all before", "one more candidate")
    each = deciding / CANDIDATES * 1e3
    table.row(TEXTS, f"{embedding:.1f} s", f"{comparing:.1f} s", f"{each:.1f} ms")
    return table


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of wall time, and the result."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result

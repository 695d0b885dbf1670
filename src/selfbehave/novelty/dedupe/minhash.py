"""Near duplicates by MinHash: an approximation, which finds some and is never used unless asked.

MinHash (Broder 1997) with banding tells which texts probably have many different words in common.
Only these are compared, by the exact rule. So whatever is dropped is too similar to a text that was
kept; but near duplicates are missed, and kept. How many: docs/explanation/scaling-novelty.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import LCSseq
from rensa import RMinHash, RMinHashLSH

from ..rule import f1_of, tokenize
from .deciding import NONE, Nearest

__all__ = ["decide_approximately"]

PERMUTATIONS = 125
BANDS = 25  # of five rows: texts that share 0.4 of all their different words are met with 23 %,
# 0.54, which is F1 = 0.7 for words that occur once in a text, with 70 %, 0.7 with 99 %
SEED = 1


def decide_approximately(pool: Iterable[str], texts: Iterable[str], threshold: float) -> Nearest:
    """Decide on texts in order, comparing each only with those that MinHash finds.

    Args:
        pool: texts that are kept whatever they are like.
        threshold: of ROUGE-L F1, above 0 and below 1.

    Returns:
        What each text is too similar to among those that were found, as by `deciding.decide`; all
        texts are numbered from the first of the pool on.
    """
    # F1 of two texts is at most 2 J / (1 + J), J being the share of all their words in both.
    lookup = RMinHashLSH(threshold / (2 - threshold), PERMUTATIONS, BANDS)
    kept: dict[int, list[str]] = {}
    for text in pool:
        tokens = _tokens(text)
        lookup.insert(len(kept), _signature(tokens))
        kept[len(kept)] = tokens
    numbers: list[int] = []
    scores: list[float] = []
    for number, text in enumerate(texts, start=len(kept)):
        tokens = _tokens(text)
        signature = _signature(tokens)
        others = sorted(lookup.query(signature)) if tokens else []
        met = [kept[other] for other in others]
        (common,) = process.cdist([tokens], met, scorer=LCSseq.similarity, dtype=np.uint32)
        found = f1_of(common, np.array([len(one) for one in met], np.float64), len(tokens))
        best = int(found.argmax()) if others else NONE
        if best == NONE or found[best] <= threshold:
            lookup.insert(number, signature)
            kept[number] = tokens
            numbers.append(NONE)
            scores.append(0.0)
        else:
            numbers.append(others[best])
            scores.append(float(found[best]))
    return Nearest(np.array(numbers, np.int64), np.array(scores))


def _tokens(text: str) -> list[str]:
    return [sys.intern(token) for token in tokenize(text)]  # each word is in memory once


def _signature(tokens: list[str]) -> RMinHash:
    signature = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    signature.update(tokens)
    return signature

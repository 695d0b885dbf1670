"""Near duplicates by MinHash: an approximation, which finds some and is never used unless asked.

MinHash (Broder 1997) with banding tells which texts probably have many different words in common.
Only these are compared, by the exact rule. So whatever is dropped is too similar to a text that was
kept; but near duplicates are missed, and kept. How many: docs/explanation/scaling-novelty.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import numpy as np
from rapidfuzz.distance import LCSseq
from rensa import RMinHash, RMinHashLSH

from ..novelty import f1_of, tokenize
from .deciding import NONE, Nearest

__all__ = ["decide_approximately"]

PERMUTATIONS = 128
BANDS = 32  # of four rows: a share of 0.4 of all different words is found with 56 %, 0.54 with 94 %
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
        common = [LCSseq.similarity(kept[other], tokens) for other in others]
        lengths = np.array([len(kept[other]) for other in others], np.float64)
        found = f1_of(np.array(common, np.uint32), lengths, len(tokens))
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

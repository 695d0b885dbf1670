"""Near duplicates by MinHash: an approximation that misses some, used only on request.

MinHash (Broder 1997) with banding finds texts that probably have many distinct words in common.
The exact rule compares only these. So every dropped text is too similar to a kept one, but some
near duplicates are missed and kept. docs/explanation/scaling-novelty.md says how many.
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
# Of five rows each. The probability that two texts are compared is 23 % at a Jaccard similarity of
# 0.4, 70 % at 0.54 (F1 = 0.7 if no word occurs twice in a text), and 99 % at 0.7.
BANDS = 25
SEED = 1


def decide_approximately(pool: Iterable[str], texts: Iterable[str], threshold: float) -> Nearest:
    """Decide on texts in order; compare each only with the kept texts that MinHash finds.

    Args:
        pool: texts that are always kept.
        threshold: of ROUGE-L F1, above 0 and below 1.

    Returns:
        For each text, the nearest of the texts found, as from `deciding.decide`. Texts are numbered
        through, the pool first.
    """
    # F1 of two texts is at most 2 J / (1 + J), where J is their Jaccard similarity.
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
    return [sys.intern(token) for token in tokenize(text)]  # keeps one copy of each word in memory


def _signature(tokens: list[str]) -> RMinHash:
    signature = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    signature.update(tokens)
    return signature

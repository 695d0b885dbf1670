"""Domains: the subjects of texts, found by clustering and named by their typical words.

A text's vector is the mean of its words' static vectors (WordLlama, which needs no network). Rare
words weigh more, and the mean of all texts is subtracted, after Arora, Liang and Ma ("A simple but
tough-to-beat baseline for sentence embeddings", ICLR 2017). K-means groups the texts. The name of a
group consists of words that are common in it, rare elsewhere and close to its centre. The same
texts give the same domains, regardless of their order.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence

import numpy as np

from ..core.word_vectors import Vectors, of_length_1, word_vectors

__all__ = ["MOST_DOMAINS", "domains_of"]

MOST_DOMAINS = 20
_MOST_FITTED = 8_000  # texts used to fit the centres; the others join the nearest
_AT_ONCE = 4_096  # texts compared with the centres at a time
_TRIES = 4  # runs of k-means with different seeds
_WORDS_IN_NAME = 3
_STEM = 4  # letters; words that share them are alike
_MOST_OPTIONS = 12  # candidate words for a name
_LONGEST_TEXT = 2_000  # characters read from a text
_NAMES_WEIGH = 0.3  # weight of mostly capitalised words: names of people and places

_OTHER = "other"
_WORD = re.compile(r"[^\W\d_]{3,24}")
_QUOTED = re.compile(r"\"[^\"]{0,200}\"")
# Gherkin keywords, and English words that say nothing about a subject.
_EMPTY = frozenset(
    "given when then and but scenario outline examples example feature background rule the a an "
    "of to in on at for from with without by into onto about after again all already also another "
    "any are as back be because become becomes been before being below between both can could day "
    "days did do does doing done down during each either else enough every few first for four five "
    "get gets give gives given goes going had has have having he her hers him his hour hours how "
    "i if in instead is it its itself just keep keeps last later least less long made make makes "
    "many may me might minute minutes month months more most much must my name named new next no "
    "not now number of off old once one only onto or other others our out over own part per place "
    "put same second seconds see sees set she should show shown shows since so some still such "
    "take taken takes than that the their them then there these they third this those three "
    "through time times today told tomorrow too total two under until up upon used user uses "
    "using value values very was way we week weeks well were what where which while who whose will "
    "within would year years yes yesterday yet you your six seven eight nine ten following "
    "according added adds allowed another says said tells".split()
)


def domains_of(texts: Sequence[str]) -> list[str]:
    """Return each text's domain, named by up to three words, such as "ticket, seat, passenger".

    The number of domains is about the square root of half the number of texts, and at most
    `MOST_DOMAINS`. Texts without usable words share the domain "other".
    """
    read = [_subject(text) for text in texts]
    subjects = sorted(set(filter(None, read)))
    if not subjects:
        return [_OTHER] * len(texts)
    words = _Words(subjects)
    mean, centres = _centres(subjects, words)
    labels = [
        int(label)
        for part in _parts(subjects)
        for label in (_vectors(part, words, mean) @ centres.T).argmax(axis=1)
    ]
    names = _names(subjects, labels, words, centres + mean)
    domain = {one: names[label] for one, label in zip(subjects, labels, strict=True)}
    return [domain.get(subject, _OTHER) for subject in read]


_Subject = tuple[str, ...]


def _subject(text: str) -> _Subject:
    """Return the unique words of a text that describe its subject."""
    words = _WORD.findall(_QUOTED.sub(" ", text[:_LONGEST_TEXT]))
    return tuple(sorted({word for word in words if word.lower() not in _EMPTY}))


class _Words:
    """The words of all texts: each word's document count, weight, and vector of length 1."""

    def __init__(self, subjects: Sequence[_Subject]) -> None:
        capitals: Counter[str] = Counter()
        self.texts: Counter[str] = Counter()
        for subject in subjects:
            self.texts.update({word.lower() for word in subject})
            capitals.update({word.lower() for word in subject if word[0].isupper()})
        every = sorted(self.texts)
        self.place = {word: place for place, word in enumerate(every)}
        self.vectors = of_length_1(word_vectors(every))
        self.weights = np.array(
            [
                math.log(1 + len(subjects) / self.texts[word])
                * (_NAMES_WEIGH if capitals[word] * 2 > self.texts[word] else 1)
                for word in every
            ],
            np.float32,
        )

    def vector(self, subject: _Subject) -> Vectors:
        """Return the weighted sum of the words' vectors."""
        places = [self.place[word.lower()] for word in subject]
        vector: Vectors = self.weights[places] @ self.vectors[places]
        return vector


def _centres(subjects: Sequence[_Subject], words: _Words) -> tuple[Vectors, Vectors]:
    """Return the mean of the texts' vectors, and the cluster centres relative to it."""
    from scipy.cluster.vq import kmeans2

    some = subjects[:: math.ceil(len(subjects) / _MOST_FITTED)]
    mean: Vectors = _vectors(some, words).mean(axis=0, dtype=np.float32)
    vectors = np.unique(_vectors(some, words, mean), axis=0)
    count = min(MOST_DOMAINS, max(1, round(math.sqrt(len(vectors) / 2))))
    if count == 1:
        return mean, np.zeros((1, len(mean)), np.float32)
    best: Vectors | None = None
    least = math.inf
    for seed in range(_TRIES):
        centres, labels = kmeans2(
            vectors, count, iter=60, minit="++", seed=np.random.default_rng(seed)
        )
        spread = float(((vectors - centres[labels]) ** 2).sum())
        if spread < least:
            best, least = centres[np.unique(labels)].astype(np.float32), spread
    assert best is not None
    return mean, of_length_1(best)


def _vectors(subjects: Sequence[_Subject], words: _Words, mean: Vectors | None = None) -> Vectors:
    """Return the texts' vectors, of length 1; relative to their mean if it is given."""
    vectors = of_length_1(np.stack([words.vector(subject) for subject in subjects]))
    return vectors if mean is None else of_length_1(vectors - mean)


def _parts(subjects: Sequence[_Subject]) -> Iterator[Sequence[_Subject]]:
    for start in range(0, len(subjects), _AT_ONCE):
        yield subjects[start : start + _AT_ONCE]


def _names(
    subjects: Sequence[_Subject], labels: Sequence[int], words: _Words, centres: Vectors
) -> list[str]:
    """Return a unique name for each label."""
    inside: list[Counter[str]] = [Counter() for _ in centres]
    for subject, label in zip(subjects, labels, strict=True):
        inside[label].update({word.lower() for word in subject})
    sizes = Counter(labels)
    names: list[str] = []
    for label, counts in enumerate(inside):
        near = words.vectors @ centres[label]
        score = {
            word: math.sqrt(count / sizes[label])
            * float(words.weights[words.place[word]])
            * max(0.0, float(near[words.place[word]]))
            for word, count in counts.items()
        }
        best = sorted(score, key=lambda word: (-score[word], word))
        options = _unlike(_singular(word, words.texts) for word in best)
        name = ", ".join(options[:_WORDS_IN_NAME]) or _OTHER
        for option in options[_WORDS_IN_NAME:]:
            if name not in names:
                break
            name = ", ".join([*options[: _WORDS_IN_NAME - 1], option])
        names.append(name if name not in names else f"{name} ({label})")
    return names


def _unlike(best: Iterable[str]) -> list[str]:
    """Drop words with the same start as an earlier one: of "pay" and "paying", keep the first."""
    kept: list[str] = []
    for word in best:
        if not any(word.startswith(one[:_STEM]) or one.startswith(word[:_STEM]) for one in kept):
            kept.append(word)
            if len(kept) == _MOST_OPTIONS:
                break
    return kept


def _singular(word: str, known: Container[str]) -> str:
    """Return the singular of a word if the texts contain it, else the word."""
    return next(
        (one for one in (word.removesuffix("s"), word.removesuffix("es")) if one in known), word
    )

"""The nearest text in meaning is the one that a naive loop finds, and word vectors give meaning."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfbehave.core.word_vectors import Vectors
from selfbehave.novelty.meaning import LIKE, MeaningPool

texts = st.lists(st.text("abcd", max_size=6), max_size=20)


def counts(some: Sequence[str]) -> Vectors:
    """Vectors that count letters; that of "" has the length 0."""
    return np.array([[one.count(letter) for letter in "abcd"] for one in some], np.float32).reshape(
        -1, 4
    )


def cosine(one: str, other: str) -> float:
    first, second = counts([one, other]).astype(float)
    length = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / length if length else 0.0


@given(texts, st.integers(0, 5), st.integers(1, 60))
def test_blocks_find_what_a_naive_loop_finds(every: list[str], first: int, at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("selfbehave.novelty.meaning._PAIRS_AT_ONCE", at_once)
        found = list(MeaningPool(every, counts).each_nearest(first))
    assert len(found) == max(0, len(every) - first)
    for at, nearest in enumerate(found, start=first):
        if not at:
            assert nearest is None
            continue
        assert nearest is not None
        highest = max(cosine(every[at], other) for other in every[:at])
        assert nearest.cosine == pytest.approx(highest, abs=1e-4)
        assert cosine(every[at], nearest.text) == pytest.approx(highest, abs=1e-4)


@given(texts, st.text("abcd", max_size=6), st.sampled_from([0.55, 0.85, 0.95]))
def test_what_is_nearest_above_a_limit_is_what_a_naive_loop_finds(
    every: list[str], candidate: str, limit: float
) -> None:
    pool = MeaningPool(every[:3], counts)
    for text in every[3:]:
        pool.add(text)
    highest = max((cosine(candidate, other) for other in every), default=-1.0)
    nearest = pool.nearest_above(limit, candidate)
    if abs(highest - limit) > 1e-3:
        assert (nearest is None) == (highest <= limit)
    if nearest is not None:
        assert nearest.cosine == pytest.approx(highest, abs=1e-4)
        assert cosine(candidate, nearest.text) == pytest.approx(highest, abs=1e-4)


def test_kin_may_be_alike() -> None:
    pool = MeaningPool(["aab", "cd"], counts)
    assert pool.nearest_above(0.5, "aabb", kin=["cd"]) is not None
    assert pool.nearest_above(0.5, "aabb", kin=["aab"]) is None


def test_other_words_of_the_same_meaning_are_near_and_other_subjects_are_far() -> None:
    loan = "Given a reader has 5 books on loan\nWhen she borrows a book\nThen it is refused"
    pool = MeaningPool(
        [loan, "Given a thermostat set to 20 degrees\nWhen it is colder\nThen the heating is on"]
    )
    other_words = "Given a borrower took home 5 books\nWhen she takes one\nThen it is refused"
    nearest = pool.nearest_above(LIKE, other_words)
    assert nearest is not None
    assert nearest.text == loan
    assert pool.nearest_above(LIKE, "Given a red light\nWhen a car arrives\nThen it stops") is None

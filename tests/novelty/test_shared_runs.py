"""A shared run is found exactly where comparing every run with every other finds one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfbehave.novelty import shared_runs
from selfbehave.novelty.rule import tokenize
from selfbehave.novelty.shared_runs import RUN_WORDS, SharedRuns

texts = st.lists(st.sampled_from("a b c The the, pays".split()), max_size=12).map(" ".join)


def runs_of(text: str, words: int) -> list[tuple[str, ...]]:
    tokens = tokenize(text)
    return [tuple(tokens[at : at + words]) for at in range(len(tokens) - words + 1)]


def found_naively(every: list[str], text: str, words: int) -> int | None:
    for run in runs_of(text, words):
        for place, other in enumerate(every):
            if run in runs_of(other, words):
                return place
    return None


@given(st.lists(texts, max_size=8), texts, st.integers(1, 5))
def test_it_is_the_text_that_a_naive_search_finds(every: list[str], text: str, words: int) -> None:
    assert SharedRuns(every, words).text_with_run_of(text) == found_naively(every, text, words)


@given(st.lists(texts, max_size=8), texts)
def test_runs_with_the_same_hash_are_told_apart(every: list[str], text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_runs, "_FACTOR", 2**64)  # all hashes are 0
        assert SharedRuns(every, 2).text_with_run_of(text) == found_naively(every, text, 2)


def test_thirteen_words_are_a_run_and_twelve_are_none() -> None:
    words = [f"word{number}" for number in range(RUN_WORDS)]
    shared = SharedRuns(["other " + " ".join(words) + " more"])
    assert shared.text_with_run_of(f"Before: {' '.join(words).upper()}.") == 0
    assert shared.text_with_run_of(" ".join(words[:-1])) is None

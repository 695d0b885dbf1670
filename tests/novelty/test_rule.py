"""Novelty is exactly what `rouge_score` says, however little of the pool is looked at."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from selfbehave.novelty import overlap
from selfbehave.novelty.overlap_compiled import sharing_enough
from selfbehave.novelty.rule import THRESHOLD, Pool, rouge_l, tokenize
from selfbehave.seeds.load import load_seeds

SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)

words = st.sampled_from("a b c the The pays PAYS 12 É é straße İstanbul don't re-run `x` |".split())
texts = st.lists(words, max_size=40).map(" ".join) | st.text(max_size=80)


def reference(target: str, prediction: str) -> float:
    return float(SCORER.score(target, prediction)["rougeL"].fmeasure)


def varied(text: str, chance: random.Random, share: float) -> str:
    """The text with about a share of its words left out, replaced, doubled or moved."""
    tokens = text.split()
    for _ in range(round(share * len(tokens))):
        at = chance.randrange(len(tokens) + 1)
        tokens[at : at + chance.randint(0, 1)] = chance.choice(
            [[], [f"new{chance.randrange(50)}"], tokens[at : at + 1] * 2, tokens[:1]]
        )
    return " ".join(tokens)


@given(texts, texts)
def test_rouge_l_equals_the_reference_to_the_last_bit(first: str, second: str) -> None:
    assert rouge_l(first, second) == reference(first, second)


@given(texts)
def test_tokens_are_those_of_the_reference(text: str) -> None:
    assert tokenize(text) == SCORER._tokenizer.tokenize(text)


@given(st.lists(texts, min_size=1, max_size=15), texts)
def test_a_candidate_is_compared_with_the_whole_pool(pool: list[str], candidate: str) -> None:
    novelty = Pool(pool).compare(candidate)
    scores = [reference(text, candidate) for text in pool]
    assert novelty.highest == max(scores)
    assert list(novelty.most_similar.values()) == sorted(novelty.most_similar.values())[::-1]
    assert all(reference(text, candidate) == score for text, score in novelty.most_similar.items())
    assert novelty.average == float(np.mean(scores))


@given(st.lists(texts, max_size=15), texts)
def test_a_candidate_is_too_similar_where_the_reference_is_above_the_threshold(
    pool: list[str], candidate: str
) -> None:
    scores = [reference(text, candidate) for text in pool]
    nearest = Pool(pool).nearest_too_similar(candidate)
    if max(scores, default=0.0) <= THRESHOLD:
        assert nearest is None
    else:
        assert nearest is not None
        assert nearest.score == max(scores)
        assert nearest.text == pool[scores.index(max(scores))]


@given(st.lists(texts, max_size=25), st.integers(0, 5), st.integers(1, 200))
def test_texts_compared_together_are_compared_as_one_after_the_other(
    every: list[str], first: int, at_once: int
) -> None:
    pool, one_by_one = Pool(every[:first]), []
    for text in every[first:]:
        one_by_one.append(pool.compare(text))
        pool.add(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("selfbehave.novelty.rule._PAIRS_AT_ONCE", at_once)
        patch.setattr("selfbehave.novelty.rule._PAIRS_FOR_THREADS", 100)
        assert list(pool.comparisons(first)) == one_by_one


@given(st.lists(texts, max_size=25))
def test_the_pool_admits_what_is_novel_and_nothing_else(every: list[str]) -> None:
    pool, kept = Pool(), []
    for text in every:
        is_novel = all(reference(other, text) <= THRESHOLD for other in kept)
        assert (pool.admit(text) is None) == is_novel
        kept += [text] * is_novel
    assert len(pool) == len(kept)


@pytest.mark.parametrize("length", [1, 2, 9, 33, 64, 65, 128, 129, 300, 1025])
def test_decisions_near_the_threshold_are_the_references_at_every_length(length: int) -> None:
    chance = random.Random(length)
    vocabulary = [f"word{number}" for number in range(2 * length)] + ["the", "a", "of"] * length
    decided = set()
    for _ in range(12):
        text = " ".join(chance.choices(vocabulary, k=length))
        other = varied(text, chance, chance.uniform(0.2, 1.2))
        is_novel = reference(text, other) <= THRESHOLD
        assert (Pool([text]).nearest_too_similar(other) is None) == is_novel
        decided.add(is_novel)
    assert decided == {True, False} or length < 9


@pytest.mark.parametrize("size", [10, 20, 130, 200, 1040])
def test_a_score_of_exactly_the_threshold_is_novel(size: int) -> None:
    common = [f"word{number}" for number in range(size * 7 // 10)]
    rest = size - len(common)
    text = " ".join(common + [f"old{number}" for number in range(rest)])
    tied = " ".join(common + [f"new{number}" for number in range(rest)])
    assert rouge_l(text, tied) == 0.7 == reference(text, tied)
    assert Pool([text]).nearest_too_similar(tied) is None
    nearer = tied.replace("new0", "old0")
    assert Pool([text]).nearest_too_similar(nearer) is not None


def test_a_pool_of_many_blocks_decides_as_a_comparison_with_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overlap, "BLOCK", 50)  # so that most texts lie in blocks that are full
    chance = random.Random(4)
    scenarios = [
        task.instruction
        for name in ("high_quality", "mixed_quality")
        for task in load_seeds(name).tasks
    ]
    pool = Pool()
    near = 0
    for text in (varied(text, chance, 0.4) for text in scenarios for _ in range(3)):
        novelty = pool.compare(text)
        nearest = pool.nearest_too_similar(text)
        assert (nearest is None) == (novelty.highest <= THRESHOLD)
        if nearest is None:
            pool.add(text)
        else:
            near += 1
            assert (nearest.text, nearest.score) == next(iter(novelty.most_similar.items()))
    assert len(pool) > 300
    assert near > 100


@given(st.lists(st.lists(st.integers(0, 700), max_size=600), max_size=8), st.data())
def test_no_text_that_shares_enough_elements_is_left_out(
    lists: list[list[int]], data: st.DataObject
) -> None:
    share = data.draw(st.sampled_from([0.25, 0.35, 0.45]))
    every = [list(dict.fromkeys(elements)) for elements in lists]
    index = overlap.OverlapIndex(share)
    for elements in every:
        index.add(elements)
    candidate = data.draw(st.permutations(range(300)).map(lambda some: some[:200])) + list(
        range(600, 700)
    )
    admitted = index.admitted(candidate).tolist()
    assert admitted == sorted(admitted)
    for at, elements in enumerate(every):
        if len(set(elements) & set(candidate)) >= share * (len(elements) + len(candidate)):
            assert at in admitted


words_of_64_bits = st.integers(0, 2**64 - 1)


@given(
    st.lists(st.tuples(*[words_of_64_bits] * 3, st.integers(0, 2**63 - 1)), max_size=40),
    st.tuples(*[words_of_64_bits] * 4),
    st.integers(0, 255),
    st.data(),
)
def test_both_ways_of_counting_bits_find_what_shares_enough(
    every: list[tuple[int, ...]], bitmap: tuple[int, ...], least: int, data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.integers(0, 255), min_size=len(every), max_size=len(every)))
    low = data.draw(st.integers(0, len(every)))
    high = data.draw(st.integers(low, len(every)))
    enough = {
        at
        for at, words in enumerate(every)
        if low <= at < high
        and sum((a & b).bit_count() for a, b in zip(words, bitmap, strict=True)) - least
        >= parts[at]
    }
    columns = np.array(every, np.uint64).reshape(-1, 4).T.copy()
    arguments = columns, np.array(bitmap, np.uint64), least, np.array(parts, np.uint8), low, high
    assert enough == set(sharing_enough(*arguments).tolist())
    numpy_alone = set(overlap.sharing_enough(*arguments).tolist())
    assert enough <= numpy_alone
    assert all(parts[at] == 0 for at in numpy_alone - enough)


def test_the_ten_most_similar_are_kept_ties_in_pool_order() -> None:
    pool = Pool([f"number {count} is here" for count in range(12)])
    similar = pool.compare("number x is here").most_similar
    assert list(similar) == [f"number {count} is here" for count in range(10)]


def test_more_distinct_words_than_there_are_characters() -> None:
    pool = Pool([" ".join(f"w{number}" for number in range(0x110000))])
    pool.add("these four are newcomers")
    novelty = pool.compare("these four are late newcomers w7")
    assert novelty.highest == reference(
        "these four are newcomers", "these four are late newcomers w7"
    )
    nearest = pool.nearest_too_similar("These four ARE newcomers!")
    assert nearest is not None
    assert nearest.score == 1.0


@pytest.mark.parametrize("nothing", ["", "  ", "…", "ß"])
def test_texts_without_a_token_are_novel_and_like_nothing(nothing: str) -> None:
    pool = Pool([nothing, "word"])
    assert pool.nearest_too_similar(nothing) is None
    assert pool.compare(nothing).highest == 0.0 == reference(nothing, nothing)


def test_everything_is_novel_to_an_empty_pool() -> None:
    novelty = Pool().compare("anything")
    assert (novelty.highest, novelty.most_similar, novelty.average) == (0.0, {}, 0.0)
    assert Pool().nearest_too_similar("anything") is None

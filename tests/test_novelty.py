"""Novelty is exactly what `rouge_score` says."""

from hypothesis import given
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from selfbehave.novelty import THRESHOLD, Pool, rouge_l

SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)

words = st.sampled_from("a b c the The pays PAYS 12 É é straße İstanbul don't re-run `x` |".split())
texts = st.lists(words, max_size=40).map(" ".join) | st.text(max_size=80)


def reference(target: str, prediction: str) -> float:
    return float(SCORER.score(target, prediction)["rougeL"].fmeasure)


@given(texts, texts)
def test_rouge_l_equals_the_reference_to_the_last_bit(first: str, second: str) -> None:
    assert rouge_l(first, second) == reference(first, second)


@given(st.lists(texts, min_size=1, max_size=15), texts)
def test_a_candidate_is_compared_with_the_whole_pool(pool: list[str], candidate: str) -> None:
    novelty = Pool(pool).compare(candidate)
    scores = [reference(text, candidate) for text in pool]
    assert novelty.highest == max(scores)
    assert novelty.is_novel == (max(scores) <= THRESHOLD)
    assert list(novelty.most_similar.values()) == sorted(novelty.most_similar.values())[::-1]
    assert all(reference(text, candidate) == score for text, score in novelty.most_similar.items())
    assert abs(novelty.average - sum(scores) / len(scores)) < 1e-12


def test_a_score_of_exactly_the_threshold_is_novel() -> None:
    text = "one two three four five six seven eight nine ten"
    tied = "one two three four five six seven x y z"
    assert rouge_l(text, tied) == 0.7 == reference(text, tied)
    assert Pool([text]).compare(tied).is_novel


def test_the_ten_most_similar_are_kept_ties_in_pool_order() -> None:
    pool = Pool([f"number {count} is here" for count in range(12)])
    similar = pool.compare("number x is here").most_similar
    assert list(similar) == [f"number {count} is here" for count in range(10)]


def test_more_distinct_words_than_there_are_surrogate_free_code_points_below_them() -> None:
    many = " ".join(f"w{number}" for number in range(0xD700, 0xE100))
    pool = Pool([" ".join(f"w{number}" for number in range(0xD700)), many])
    assert pool.compare(many).highest == 1.0


def test_everything_is_novel_to_an_empty_pool() -> None:
    novelty = Pool().compare("anything")
    assert (novelty.highest, novelty.most_similar, novelty.average) == (0.0, {}, 0.0)
    assert novelty.is_novel

"""Splits keep what is much alike on one side, whatever the order of the rows."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfbehave.core.errors import SelfBehaveError
from selfbehave.novelty.rule import THRESHOLD, rouge_l
from selfbehave.release.splits import leaks, split
from selfbehave.runs.finished import FinishedRow, row_id

WORDS = st.sampled_from("dog cat walks runs home far red blue one two".split())
# Windows of one long text: each is much like those that begin nearby, and not like others.
WINDOWS = st.integers(0, 30).map(lambda start: window(start))
TEXTS = st.lists(WORDS, min_size=1, max_size=12).map(" ".join) | WINDOWS


def window(start: int) -> str:
    return " ".join(f"w{number}" for number in range(start, start + 10))


def row(instruction: str, output: str = "done") -> FinishedRow:
    id = row_id(instruction, "", output)
    return FinishedRow(
        id, "run", instruction, "", output, None, None, None, (), (), None, None, None, None
    )


def rows_of(texts: list[str]) -> list[FinishedRow]:
    return [row(text) for text in dict.fromkeys(texts)]


def sides(rows: list[FinishedRow], test: float) -> dict[str, str]:
    try:
        found = split(rows, test).rows
    except SelfBehaveError:  # all on one side
        return {}
    return {one.id: name for name, part in found.items() for one in part}


@settings(max_examples=200)
@given(st.lists(TEXTS, min_size=1, max_size=30), st.floats(0.05, 0.95))
def test_no_test_row_is_too_similar_to_a_train_row(texts: list[str], test: float) -> None:
    rows = rows_of(texts)
    side = sides(rows, test)
    text_of = {one.id: one.subject for one in rows}
    for one in (id for id, name in side.items() if name == "test"):
        for other in (id for id, name in side.items() if name == "train"):
            assert rouge_l(text_of[other], text_of[one]) <= THRESHOLD


def test_a_row_between_two_unlike_ones_takes_both_to_its_side() -> None:
    one, other, between = window(0), window(3), window(1)
    assert rouge_l(one, other) <= THRESHOLD < rouge_l(other, between) < rouge_l(one, between)
    rows = [row(one), row(other)]
    # Last by id, when it is compared with both and is nearest to only one of them.
    last = (row(between, f"done {number}") for number in range(10_000))
    rows.append(next(late for late in last if late.id > max(rows[0].id, rows[1].id)))
    unlike = [row(f"x{number} y{number}") for number in range(10)]
    for random_seed in range(20):
        found = split([*rows, *unlike], 0.5, random_seed).rows
        assert len({name for name, part in found.items() if set(rows) & set(part)}) == 1


@settings(max_examples=100)
@given(st.lists(TEXTS, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_their_side(
    texts: list[str], chance: random.Random
) -> None:
    rows = rows_of(texts)
    before = sides(rows, 0.4)
    chance.shuffle(rows)
    assert sides(rows, 0.4) == before


def test_every_row_is_in_one_split_in_its_order() -> None:
    rows = [row(f"{word} {number}") for number, word in enumerate("abcdefghijklmnopqrst")]
    found = split(rows, 0.3).rows
    assert set(found) == {"train", "test"}
    for part in found.values():
        assert list(part) == [one for one in rows if one in part]
    assert sum(map(len, found.values())) == len(rows)


def test_a_new_row_leaves_unlike_ones_where_they_are() -> None:
    rows = [row(f"w{number} x{number} y{number}") for number in range(40)]
    before = sides(rows, 0.3)
    after = sides([row("something else altogether"), *rows], 0.3)
    assert before == {id: name for id, name in after.items() if id in before}


def test_rows_of_one_task_go_together_even_without_a_word_in_it() -> None:
    rows = [row("…", f"answer {number}") for number in range(5)]
    found = split(rows)
    assert (found.groups, found.grouped) == (1, 5)


def test_a_share_that_leaves_a_split_empty_is_refused() -> None:
    with pytest.raises(SelfBehaveError, match="leaves one split of 1 rows empty"):
        split([row("alone")], 0.5)
    with pytest.raises(SelfBehaveError, match="--test must be at least 0 and below 1, not 1"):
        split([row("alone")], 1.0)


def test_rows_like_a_given_text_are_told_with_their_score() -> None:
    rows = [row("the dog walks far"), row("nothing of the kind at all")]
    (leak,) = leaks(rows, ["a dog walks far"])
    assert leak.id == rows[0].id
    assert leak.score == rouge_l("a dog walks far", rows[0].subject)

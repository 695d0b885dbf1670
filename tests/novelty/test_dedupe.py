"""Near duplicates by blocks: the decisions of one pool that is asked text by text, to the bit."""

import random
import signal
import subprocess
import sys
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from selfbehave.novelty.dedupe import blocks as near_blocks
from selfbehave.novelty.dedupe import prefix_search
from selfbehave.novelty.dedupe.blocks import (
    ElementOrder,
    TextBlock,
    Vocabulary,
    arrange,
    element_counts,
)
from selfbehave.novelty.dedupe.deciding import NONE, Nearest, decide, nearest, nearest_of
from selfbehave.novelty.dedupe.minhash import decide_approximately
from selfbehave.novelty.dedupe.prefix_index import PrefixIndex, Search
from selfbehave.novelty.dedupe.prefix_search_compiled import sharing_enough as compiled
from selfbehave.novelty.dedupe.sharding import InThisProcess, Work, decide_all
from selfbehave.novelty.rule import Pool
from selfbehave.seeds.load import load_seeds

SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)

words = st.sampled_from("a b c d e f the The 12 É straße don't `x` |".split())
texts = st.lists(words, max_size=25).map(" ".join) | st.sampled_from(
    ["", "…", "one two three four five six seven", "one two three four five six eight"]
)

Decisions = list[tuple[int, float]]


def blocks_of(every: list[str], size: int) -> list[TextBlock]:
    vocabulary = Vocabulary()
    tokenized = [
        vocabulary.tokenize(start, every[start : start + size])
        for start in range(0, len(every), size)
    ]
    order = ElementOrder.of(map(element_counts, tokenized))
    return [arrange(block, order) for block in tokenized]


def told(decided: Nearest) -> Decisions:
    return list(zip(decided.texts.tolist(), decided.scores.tolist(), strict=True))


def by_blocks(every: list[str], size: int, threshold: float = 0.7) -> Decisions:
    decided: list[Nearest] = []
    blocks = blocks_of(every, size)
    for number, block in enumerate(blocks):
        shards = [
            nearest(block, earlier, known.is_novel, threshold)
            for earlier, known in zip(blocks[:number], decided, strict=True)
        ]
        found = nearest_of([*reversed(shards), Nearest.none(len(block))])
        decided.append(decide(block, found, threshold))
    return [one for block in decided for one in told(block)]


def one_by_one(every: list[str], threshold: float = 0.7) -> Decisions:
    """The rule by `rouge_score` alone."""
    decisions: Decisions = []
    for number, text in enumerate(every):
        best, highest = NONE, 0.0
        for earlier in range(number):
            if decisions[earlier][0] == NONE:
                score = SCORER.score(every[earlier], text)["rougeL"].fmeasure
                if score > max(highest, threshold):
                    best, highest = earlier, score
        decisions.append((best, highest))
    return decisions


def by_pool(every: list[str]) -> Decisions:
    pool = Pool()
    number_of: dict[str, int] = {}
    decisions: Decisions = []
    for number, text in enumerate(every):
        neighbour = pool.nearest_too_similar(text)
        if neighbour is None:
            pool.add(text)
            number_of.setdefault(text, number)
            decisions.append((NONE, 0.0))
        else:
            decisions.append((number_of[neighbour.text], neighbour.score))
    return decisions


def edited(text: str, chance: random.Random, share: float) -> str:
    tokens = text.split()
    for _ in range(round(share * len(tokens))):
        at = chance.randrange(len(tokens) + 1)
        tokens[at : at + chance.randint(0, 1)] = chance.choice([[], [f"new{chance.randrange(9)}"]])
    return " ".join(tokens)


def scenarios(count: int, seed: int = 0) -> list[str]:
    """Scenarios of the packaged seed tasks, and edited copies of them."""
    chance = random.Random(seed)
    tasks = [task for name in ("high_quality", "mixed_quality") for task in load_seeds(name).tasks]
    return [
        edited(chance.choice(tasks).instruction, chance, chance.uniform(0, 0.6))
        for _ in range(count)
    ]


@pytest.fixture(params=["numpy", "numba"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How rare tokens are looked up, whatever the size."""
    monkeypatch.setattr(prefix_search, "LARGE", 0 if request.param == "numba" else 1 << 40)
    return str(request.param)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(texts, max_size=16),
    st.integers(1, 8),
    st.sampled_from([0.05, 0.3, 0.5, 0.7, 0.95]),
    st.booleans(),
)
def test_blocks_decide_as_the_reference_does_text_by_text(
    every: list[str], size: int, threshold: float, is_compiled: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefix_search, "LARGE", 0 if is_compiled else 1 << 40)
        assert by_blocks(every, size, threshold) == one_by_one(every, threshold)


@pytest.mark.parametrize("size", [10, 20, 130, 600])
def test_a_score_of_exactly_the_threshold_is_kept(size: int, way: str) -> None:
    common = [f"word{number}" for number in range(size * 7 // 10)]
    old, new = (
        [*common, *(f"{name}{number}" for number in range(size - len(common)))]
        for name in ("old", "new")
    )
    nearer = [*new[:-1], old[-1]]
    every = [" ".join(old), " ".join(new), " ".join(nearer)]
    for in_block in (1, 3):
        decisions = by_blocks(every, in_block)
        assert decisions[:2] == [(NONE, 0.0), (NONE, 0.0)]
        assert decisions[2] == one_by_one(every)[2]
        assert decisions[2][1] > 0.7


def test_the_nearest_of_equals_is_the_first(way: str) -> None:
    every = ["a b c d x y z u v w", "a b c d o p q r s t", "a b c d", "a b c d e"]
    assert [text for text, _ in by_blocks(every, 1, 0.5)] == [NONE, NONE, 0, 0]
    assert by_blocks(every, 1, 0.5) == by_blocks(every, 4, 0.5) == one_by_one(every, 0.5)


def test_a_text_like_a_dropped_one_is_kept(way: str) -> None:
    every = [
        "one two three four five six seven eight nine ten",
        "one two three four five six seven eight nine x y",
        "three four five six seven eight nine x y v w",
    ]
    for in_block in (1, 2, 3):
        assert [text for text, _ in by_blocks(every, in_block)] == [NONE, 0, NONE]


def test_scenarios_are_decided_on_as_by_one_pool(way: str) -> None:
    every = scenarios(1_500)
    decisions = by_blocks(every, 400)
    assert decisions == by_pool(every)
    assert 200 < sum(text == NONE for text, _ in decisions) < 1_300


def test_many_copies_of_one_text_make_few_pairs(way: str) -> None:
    every = ["the same words every time as before"] * 1_200
    block = blocks_of(every, len(every))[0]
    assert told(decide(block, Nearest.none(len(every)), 0.7))[1:] == [(0, 1.0)] * 1_199


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), max_size=60), min_size=1, max_size=12))
def test_no_pair_that_shares_enough_words_is_left_out_by_either_way(
    lists: list[list[int]],
) -> None:
    block = blocks_of([" ".join(map(str, numbers)) for numbers in lists], len(lists))[0]
    rows = np.arange(len(lists))
    everything = np.ones(len(lists), bool)
    index = PrefixIndex(block, everything, 0.35)
    search = Search(block, rows, rows, everything)
    need = np.maximum(1, np.ceil(index.share * np.arange(200))).astype(np.int64)
    elements = [
        set(block.elements[start:end])
        for start, end in zip(block.starts, block.starts[1:], strict=False)
    ]
    enough = {
        (row, text)
        for row in rows
        for text in range(row)
        if elements[row]
        and len(elements[row] & elements[text]) >= need[len(elements[row]) + len(elements[text])]
    }
    by_numpy, by_numba = (
        list(zip(*find(index, search, need), strict=True))
        for find in (prefix_search.sharing_enough, compiled)
    )
    assert set(by_numba) == enough <= set(by_numpy)
    assert len(by_numpy) == len(set(by_numpy))
    assert by_numba == sorted(by_numba)


def test_room_for_entries_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    every = scenarios(300)
    before = by_blocks(every, 100)
    monkeypatch.setattr(prefix_search, "ENTRIES_AT_ONCE", 50)
    assert by_blocks(every, 100) == before


def test_more_distinct_words_than_there_are_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    every = scenarios(200)
    monkeypatch.setattr(near_blocks, "LAST_CHARACTER", 300)
    assert by_blocks(every, 70) == by_pool(every)


# In a folder, by workers


class AnyOrder(Executor):
    """Hands its tasks to threads, which end in any order."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(3)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._threads.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown()


def decided_in(
    folder: Path, every: list[str], pool: list[str], executor: Executor, at_once: int = 1
) -> Nearest:
    work = Work.tokenize(folder, pool, every, 0.7, block_size=40)
    work.arrange(executor)
    return decide_all(work, executor, at_once)


def test_workers_that_end_in_any_order_decide_as_one_does(tmp_path: Path) -> None:
    every = scenarios(400)
    with AnyOrder() as executor:
        assert told(decided_in(tmp_path, every, [], executor, 3)) == by_pool(every)


def test_a_given_pool_is_kept_whole_and_comes_first(tmp_path: Path) -> None:
    pool, every = scenarios(90, seed=1), scenarios(200, seed=2)
    decided = decided_in(tmp_path, every, pool, InThisProcess())
    known = Pool(pool)
    for text, novel in zip(every, decided.is_novel, strict=True):
        assert (known.nearest_too_similar(text) is None) == novel
        if novel:
            known.add(text)
    near_the_pool = [number for number in decided.texts.tolist() if 0 <= number < len(pool)]
    assert near_the_pool


def test_nothing_to_decide_is_decided(tmp_path: Path) -> None:
    assert len(decided_in(tmp_path, [], [], InThisProcess()).texts) == 0
    assert len(decided_in(tmp_path, [], ["a pool"], InThisProcess()).texts) == 0


class Breaking(InThisProcess):
    """Breaks after so many tasks."""

    def __init__(self, after: int) -> None:
        self.left = after

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return super().submit(fn, *args, **kwargs)


def test_what_was_decided_before_a_break_is_not_decided_again(tmp_path: Path) -> None:
    every = scenarios(400)
    preparing = 2 * 10  # tasks: ten blocks are counted, then arranged
    with pytest.raises(KeyboardInterrupt):
        decided_in(tmp_path, every, [], Breaking(preparing + 30))
    rest = Breaking(preparing + 10 * 11 // 2 - 28)  # 28 made seven blocks whole
    assert told(decided_in(tmp_path, every, [], rest)) == by_pool(every)
    assert rest.left == 0


def test_decisions_on_other_texts_are_not_taken_over(tmp_path: Path) -> None:
    decided_in(tmp_path, scenarios(200), [], InThisProcess())
    every = scenarios(200, seed=3)
    assert told(decided_in(tmp_path, every, [], InThisProcess())) == by_pool(every)


# By MinHash, where it is asked for


def test_minhash_drops_only_what_is_too_similar_to_a_kept_text() -> None:
    pool, every = scenarios(50, seed=1), scenarios(300)
    decided = decide_approximately(pool, every, 0.7)
    everything = pool + every
    dropped = 0
    for number, (near, score) in enumerate(told(decided), start=len(pool)):
        if near != NONE:
            dropped += 1
            reference = SCORER.score(everything[near], everything[number])["rougeL"].fmeasure
            assert score == reference > 0.7
            assert near < len(pool) or decided.texts[near - len(pool)] == NONE
    exact = sum(text != NONE for text, _ in by_pool(everything)[len(pool) :])
    assert 0.5 * exact < dropped


def test_worker_processes_end_with_a_killed_parent() -> None:
    script = (
        "import os, time\n"
        "from selfbehave.novelty.dedupe.sharding import worker_processes\n"
        "if __name__ == '__main__':\n"
        "    workers = worker_processes(1)\n"
        "    print(workers.submit(os.getpid).result(), flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    parent.stdout.readline()  # the worker is there
    parent.send_signal(signal.SIGKILL)
    # The worker has the pipe too: only its end ends the reading of it.
    parent.communicate(timeout=50)

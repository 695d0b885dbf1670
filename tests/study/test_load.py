"""What makes a study quick for many raters at once changes nothing of what it keeps and tells."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfbehave.study.rater_answers import FIELDS, QUESTIONS, is_finished
from selfbehave.study.store import Study
from selfbehave.study.web.places import item_at, visit_of, walk_of

from ..helpers.study_samples import sample, small_study

told = st.dictionaries(
    st.sampled_from(FIELDS), st.sampled_from(["yes", "no", "", "perhaps"]), max_size=len(FIELDS)
)


@settings(max_examples=25, deadline=None)
@given(answers=st.lists(told, min_size=4, max_size=4))
def test_the_database_counts_as_finished_what_the_rule_does(answers: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, small_study(Path(folder) / "a.study") as study:
        ada, ben = study.people()
        for item_id, changes in zip(study.order(ada), answers, strict=True):
            study.answer(ada, item_id, changes)
            study.answer(ben, item_id, dict.fromkeys(QUESTIONS, "yes"))
        kept = study.answers(ada)
        for item_id in study.order(ada):
            own, finished = study.progress(ada, item_id)
            assert own == kept.get(item_id, {})
            assert finished == sum(map(is_finished, kept.values()))


def test_a_page_by_itself_is_as_it_is_on_the_whole_way(tmp_path: Path) -> None:
    with small_study(tmp_path / "a.study") as study:
        ada, ben = study.people()
        consensus = next(one for one in study.raters() if one.role == "consensus")
        for number, item_id in enumerate(study.order(ada)):
            study.answer(ada, item_id, dict.fromkeys(QUESTIONS[: number + 2], "yes"))
            study.answer(ben, item_id, {"essential": "no" if number % 2 else "yes"})
        for rater in (ada, ben, consensus):
            walk = walk_of(study, rater)
            positions = {entry.position: entry for entry in walk.entries}
            for position in range(-1, 7):
                entry = positions.get(position)
                visit = None if entry is None else walk.visit(entry)
                assert visit_of(study, rater, position) == visit
                assert item_at(study, rater, position) == (entry and entry.item_id)


def test_of_writers_at_once_each_is_kept_and_only_the_one_that_fails_is_told(
    tmp_path: Path,
) -> None:
    raters = [f"rater{number}" for number in range(20)]
    with Study.create(tmp_path / "a.study", [sample("good", 5)], raters=raters) as study:

        def rate(number: int) -> int:
            rater, item_id = study.people()[number % 20], 1 + number // 20
            if number % 7 == 0:
                with pytest.raises(ValueError, match="no field of an answer"):
                    study.answer(rater, item_id, {"essential": "yes", "nonsense": "yes"})
                return 0
            return study.answer(rater, item_id, {"essential": "yes", "note": str(number)})

        with ThreadPoolExecutor(20) as pool:
            changed = list(pool.map(rate, range(100)))
        assert sum(changed) == 2 * 85
        kept = study.answers_of_all(study.people())
        assert sum(len(fields) for items in kept.values() for fields in items.values()) == 2 * 85
        assert len(study.history()) == 2 * 85

"""Drawing a study's sample: its size, which rows, their ids and titles, and their pages."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfbehave.audit.rows import Row
from selfbehave.bdd.fences import fenced_blocks
from selfbehave.bdd.titles import scenario_title
from selfbehave.core.errors import SelfBehaveError
from selfbehave.study.layout import MAX_CHARACTERS, lay_out
from selfbehave.study.sample_pages import page, write_pages
from selfbehave.study.sampling import draw, read_dataset, yamane_size

from ..helpers.study_samples import item


def rows(count: int) -> list[Row]:
    return [Row(f"task {number}", "", f"answer {number}", {}) for number in range(count)]


def test_the_sample_of_a_thousand_at_five_per_cent_is_286_as_published() -> None:
    assert yamane_size(1000, 0.05) == 286


@given(st.integers(1, 10**6), st.floats(0.01, 0.5))
def test_a_sample_keeps_the_margin_of_error_and_is_no_larger_than_needed(
    population: int, error: float
) -> None:
    size = yamane_size(population, error)
    wanted = population / (1 + population * error**2)
    assert 1 <= size <= population
    assert wanted <= size < wanted + 1


@pytest.mark.parametrize("error", [0, 1, -0.1, float("nan")])
def test_a_margin_of_error_outside_0_and_1_is_refused(error: float) -> None:
    with pytest.raises(SelfBehaveError, match="--error must be between 0 and 1"):
        yamane_size(100, error)


def test_a_draw_is_repeated_by_its_seed_and_changed_by_another() -> None:
    first, again, other = (
        draw("d", "d.jsonl", rows(100), size=10, random_seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.rows != other.rows


def test_drawn_rows_are_distinct_in_the_files_order_and_numbered_from_1() -> None:
    drawn = draw("d", "d.jsonl", rows(100), size=30)
    assert list(drawn.rows) == sorted(set(drawn.rows))
    assert [one.scenario_id for one in drawn.items] == [str(n) for n in range(1, 31)]
    assert [one.output for one in drawn.items] == [f"answer {row - 1}" for row in drawn.rows]


def test_every_row_is_drawn_about_as_often_as_any_other() -> None:
    drawn = [
        row
        for seed in range(400)
        for row in draw("d", "d", rows(10), size=3, random_seed=seed).rows
    ]
    counts = [drawn.count(row) for row in range(1, 11)]
    assert min(counts) > 80  # of 120 expected; 4.4 standard deviations below
    assert max(counts) < 160


def test_rows_that_bring_ids_keep_them() -> None:
    given_rows = [Row("t", "", "o", {"scenario_id": number}) for number in (7, 3, 9)]
    drawn = draw("d", "d.jsonl", given_rows, size=3)
    assert [one.scenario_id for one in drawn.items] == ["7", "3", "9"]


def test_two_rows_of_one_id_are_refused() -> None:
    given_rows = [Row("t", "", "o", {"scenario_id": number}) for number in (7, 3, 7)]
    with pytest.raises(SelfBehaveError, match="row 3 repeats the scenario_id 7 of row 1"):
        draw("d", "d.jsonl", given_rows, size=2)


@pytest.mark.parametrize("size", [0, -1, 11])
def test_a_size_that_the_dataset_cannot_give_is_refused(size: int) -> None:
    with pytest.raises(SelfBehaveError, match="from 1 to the dataset's 10 rows"):
        draw("d", "d.jsonl", rows(10), size=size)


def test_a_dataset_is_a_file_a_runs_folder_or_a_packaged_set(tmp_path: Path) -> None:
    file = tmp_path / "run" / "finetuning_data" / "all_generated_instances.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"instruction": "t", "input": "", "output": "o"}) + "\n")
    assert read_dataset(str(file))[0] == "all_generated_instances"
    assert read_dataset(str(tmp_path / "run"))[:2] == ("run", file)
    assert read_dataset(f"HG={tmp_path / 'run'}")[0] == "HG"
    name, _, packaged = read_dataset("high_quality")
    assert (name, len(packaged)) == ("high_quality", 175)


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("```gherkin\nScenario: Two words\n  Given x\n```", "Two words"),
        ("```gherkin scenario: folded into one given x when y ```", "folded into one"),
        ("```gherkin\nScenario Outline:   spaced   out \n```", "spaced out"),
        ("no scenario at all", ""),
        ("```gherkin\nScenario: " + "long " * 100 + "\n```", ("long " * 24)[:119] + "…"),
    ],
)
def test_the_title_is_the_scenarios_even_where_it_is_folded(
    instruction: str, expected: str
) -> None:
    assert scenario_title(instruction) == expected


def test_a_folded_scenario_is_laid_out_and_said_to_be() -> None:
    folded = item("d", "1")
    folded = type(folded)(
        "d", "1", "", "```gherkin scenario: x given a basket when it falls then it is empty ```",
        "", "no code",
    )  # fmt: skip
    layout = lay_out(folded)
    assert layout.scenario == ("Scenario: x\n  Given a basket\n  When it falls\n  Then it is empty")
    assert layout.code == "no code"
    assert "The scenario's line breaks were lost; they are put back here." in layout.on_scenario
    assert "The answer has no block of Python; it is shown whole." in layout.on_code


def test_a_text_too_long_to_read_is_cut_and_said_to_be() -> None:
    layout = lay_out(item("d", "1", code="x" * 300_000))
    assert layout.code == "```python\n" + "x" * (MAX_CHARACTERS - 10)
    assert layout.on_code == layout.on_scenario == ("Only the first 100,000 characters are shown.",)
    assert all(len(text) <= MAX_CHARACTERS for _, text in layout.raw)


def test_what_a_terminal_or_a_page_would_obey_is_shown_instead() -> None:
    hostile = item("d", "1", code="x = '\x1b[31m \u202e \x00 \ud800'")
    for text in (lay_out(hostile).code, page(hostile)):
        assert not {"\x1b", "\u202e", "\x00", "\ud800"} & set(text)


@given(st.text(alphabet="`~a\n #<>", max_size=60), st.text(alphabet="`*_<>[a\n", max_size=20))
def test_no_text_opens_or_closes_a_fence_of_its_page(code: str, name: str) -> None:
    one = type(item("d", "1"))("d", "1", name, "the task", "", code)
    blocks = fenced_blocks(page(one))
    assert all(block.is_closed for block in blocks)
    expected = ["gherkin", "python", "text"] + (["text"] if code else [])
    assert [block.language for block in blocks] == expected


def test_a_dataset_or_id_that_looks_like_a_path_stays_in_the_folder(tmp_path: Path) -> None:
    (written,) = write_pages([item("../../etc", "../passwd")], tmp_path / "pages")
    assert written.resolve().is_relative_to(tmp_path / "pages")
    assert written.read_text().startswith("# ../../etc ../passwd: A basket\n")

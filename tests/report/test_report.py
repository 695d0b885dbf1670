"""What a report counts, by hand; what it says of runs that are not finished, or are none."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfbehave.bdd.scenario import parse_scenario
from selfbehave.cli.main import main
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.records import Dropped
from selfbehave.figures.vega import inline, svg
from selfbehave.report.answers import JournalAnswer
from selfbehave.report.counts import (
    Prices,
    accepted_share,
    dropped_by_reason,
    fault_counts,
    funnel,
    rates,
    rungs_reached,
    running_means,
    uses,
)
from selfbehave.report.coverage import cells_covered, coverage
from selfbehave.report.deeds import A_NAME, A_PERSON, A_VALUE, NOBODY, NOTHING, Deed, deed
from selfbehave.report.diversity import OTHERS, deed_tree, distinct
from selfbehave.report.facts import AcceptedInstruction, Discarded, RunFacts, read_runs
from selfbehave.report.make_report import report
from selfbehave.report.run_figures import figures
from selfbehave.stats.domains import domains_of
from selfbehave.stats.number_text import duration_text

from ..helpers.release_runs import make_run, pair, seed_pairs
from ..helpers.report_runs import journalled_run

DROPPED = (
    Dropped("bootstrap", "not_novel", "one", 1, "ROUGE-L 0.8000"),
    Dropped("bootstrap", "not_novel", "two", 2, "ROUGE-L 0.7100"),
    Dropped("bootstrap", "no_candidate", "three", 2),
)


def unbound(instruction: str, output: str) -> tuple[str, str]:
    """A pair one of whose steps has no function any more."""
    return instruction, output.replace("@when", "@given", 1)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven pairs, one of them not bound and so dropped."""
    pairs = seed_pairs(11)
    pairs[3] = unbound(*pairs[3])
    return journalled_run(tmp_path_factory.mktemp("runs") / "mine", pairs, DROPPED)


@pytest.fixture(scope="module")
def run(run_folder: Path) -> RunFacts:
    (one,) = read_runs([str(run_folder)])
    return one


def counts(run: RunFacts) -> dict[str, int | None]:
    return {step.name: step.count for step in funnel(run)}


def answer(asked_at: float, answered_at: float, stage: str = "bootstrap") -> JournalAnswer:
    key = f"{stage} {asked_at} {answered_at}"
    return JournalAnswer(key, stage, 0, "scripted", "stop", 10, 30, 1, asked_at, answered_at)


def test_the_funnel_counts_every_step(run: RunFacts) -> None:
    assert counts(run) == {
        "asked": 11,
        "candidates": 13,  # the answer without a candidate has none
        "accepted": 11,
        "instances": 11,
        "pairs": 11,
        "parsed": 11,
        "bound": 10,
        "passing": None,  # not climbed to
        "discriminating": None,
        "causal": None,
        "kept": 10,
    }
    assert dropped_by_reason(run) == {
        ("bootstrap", "not_novel"): 2,
        ("bootstrap", "no_candidate"): 1,
        ("prepare", "below_bound"): 1,
    }
    assert fault_counts(run) == {"undefined step": 1, "unused step function": 1}


def test_what_the_answers_took_is_summed_by_stage(run: RunFacts) -> None:
    bootstrap, instances, every = uses(run.answers)
    assert (bootstrap.answers, bootstrap.retries) == (11, 2)
    assert bootstrap.finish_reasons == {"stop": 10, "length": 1}
    assert (instances.prompt_tokens, instances.completion_tokens) == (11_000, 1_100)
    assert (every.stage, every.answers, every.retries) == ("all", 22, 4)


def test_a_pause_between_two_sittings_is_no_time_at_work() -> None:
    answers = [answer(0, 4), answer(2, 6), answer(1_000, 1_001), answer(1_001.5, 1_003)]
    (use, _) = uses(answers)
    assert use.seconds == pytest.approx(6 + 1 + 1.5)
    assert use.tokens_per_second == pytest.approx(120 / 8.5)
    assert use.median_latency == pytest.approx((4 + 1.5) / 2)


def test_answers_per_minute_leave_pauses_out_and_lose_no_answer() -> None:
    chance = random.Random(1)
    starts = [chance.uniform(0, 60) + 5_000 * (number % 2) for number in range(300)]
    answers = [answer(start, start + chance.uniform(1, 9)) for start in starts]
    pace = rates(answers)
    width = pace[1][0]
    assert sum(rate * width for _, rate in pace[:-1]) == pytest.approx(300)
    assert pace[-1][0] < 140 / 60


def test_a_run_without_axes_has_no_heat_map_of_them(run: RunFacts) -> None:
    assert coverage(run, "cells") is None


def test_the_heat_map_counts_what_each_cell_gave_and_what_is_kept(tmp_path: Path) -> None:
    pairs = seed_pairs(6, start=20)
    pairs[1] = unbound(*pairs[1])
    food, money = ({"group": group, "feature": "plain"} for group in ("food", "money"))
    axes = [food, food, food, money, {**money, "feature": "doc_string"}]
    folder = journalled_run(tmp_path / "steered", pairs, axes=axes)
    (steered,) = read_runs([str(folder)])
    assert cells_covered(steered, "group", "feature") == {
        ("food", "plain"): 3,
        ("money", "plain"): 1,
        ("money", "doc_string"): 1,
    }
    figure = coverage(steered, "cells")
    assert figure is not None
    drawing = svg(figure.specification)
    assert "food, plain: 3 scenarios, 2 rows kept" in drawing
    assert "money, doc string: 1 scenarios, 1 rows kept" in drawing
    assert "trade, plain: 0 scenarios, 0 rows kept" in drawing, "a hole is seen too"
    assert "3 of these 96 cells" in figure.text


def test_a_clock_that_was_set_back_makes_no_time_negative() -> None:
    answers = [answer(100, 90), answer(100, 104), answer(20, 25)]
    (use, _) = uses(answers)
    assert use.seconds == pytest.approx(9)
    assert all(minute >= 0 for minute, _ in rates(answers))


def test_prices_are_of_a_million_tokens() -> None:
    assert Prices(0.5, 1.5).cost(2_000_000, 4_000_000) == 7.0
    assert Prices(per_million_out=3.0).cost(9, 500_000) == 1.5
    assert Prices().cost(1, 1) is None


def test_running_means_are_of_the_last_twenty() -> None:
    values = [number / 100 for number in range(50)]
    means = running_means(
        [AcceptedInstruction(number, value) for number, value in enumerate(values)]
    )
    assert means[0] == (20, pytest.approx(sum(values[:20]) / 20))
    assert means[-1] == (50, pytest.approx(sum(values[30:]) / 20))


def test_the_share_of_candidates_accepted_falls_as_the_model_runs_dry() -> None:
    accepted = [AcceptedInstruction(number, 0.5) for number in range(40)]
    dropped = [Discarded("bootstrap", "not_novel", number) for number in range(40, 80)]
    dropped.append(Discarded("bootstrap", "surplus", 80))  # none of the model's doing
    shares = accepted_share(accepted, dropped)
    assert shares[0] == (19, 1.0)
    assert shares[-1] == (79, 0.0)


def test_distinct_n_is_of_all_texts_together() -> None:
    assert distinct(["a b a b", "A, b!"], 1) == 2 / 6
    assert distinct(["a b a b", "A, b!"], 2) == 2 / 4
    assert distinct(["one"], 2) is None


@given(st.lists(st.text(alphabet="abc ", max_size=20), max_size=6), st.integers(1, 3))
def test_distinct_n_is_a_share(texts: list[str], order: int) -> None:
    share = distinct(texts, order)
    assert share is None or 0 < share <= 1


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ("When the curator assigns lions to the enclosure", Deed("curator", "assign", "lion")),
        ("When a passenger presents a boarding pass", Deed("passenger", "present", "pass")),
        ("When Solveig pledges 75 dollars", Deed(A_NAME, "pledge", "dollar")),
        (
            "Given Tomasz opened with a strike\n  When he rolls the ball",
            Deed(A_NAME, "roll", "ball"),
        ),
        ("When she checks out", Deed(A_PERSON, "check out", NOTHING)),
        ("Given a guest waits\n  When they call the lift", Deed("guest", "call", "lift")),
        ("When the order is cancelled", Deed(NOBODY, "be cancelled", "order")),
        ('When Leo opens "Lunch?"', Deed(A_NAME, "open", A_VALUE)),
        ("When I click on the plus sign", Deed("buyer", "click", "sign")),
        ("When the user tries to delete her account", Deed("user", "delete", "account")),
        ("When the supplier has carried the crates", Deed("supplier", "carried", "crate")),
        ("When Renske has a crown fitted", Deed(A_NAME, "have", "fitted")),
        ("When blue", None),
        ("Then the end comes", None),
    ],
)
def test_the_first_when_says_who_does_what(steps: str, wanted: Deed | None) -> None:
    text = f"Scenario: As a buyer, I look\n  {steps}"
    assert deed(text, parse_scenario(text).steps) == wanted


@given(st.text(max_size=80))
def test_any_when_is_read_or_left_out(words: str) -> None:
    text = "Scenario: it\n  When " + (" ".join(words.split()) or "x")
    found = deed(text, parse_scenario(text).steps)
    assert found is None or all((found.actor, found.verb, found.object))


@given(
    st.lists(
        st.builds(Deed, *(st.sampled_from([f"{kind}{n}" for n in range(20)]) for kind in "avo")),
        max_size=200,
    )
)
@settings(max_examples=30)
def test_the_parts_of_the_tree_of_deeds_add_up(deeds: list[Deed]) -> None:
    branches = deed_tree(deeds)
    assert sum(one.count for one in branches if len(one.path) == 1) == len(deeds)
    for branch in branches:
        below = [one.count for one in branches if one.path[:-1] == branch.path]
        assert len(branch.path) == 3 or sum(below) == branch.count
    named = [one.path[0] for one in branches if len(one.path) == 1 and one.path[0] != OTHERS]
    assert len(named) <= 16


PHARMACY = ("patient", "doctor", "medicine", "prescription", "pharmacy", "nurse", "dose", "ward")
FOOTBALL = ("goal", "referee", "striker", "penalty", "league", "match", "coach", "stadium")


def texts_about(words: tuple[str, ...], count: int) -> list[str]:
    chance = random.Random(words[0])
    return [f"Scenario: {' '.join(chance.sample(words, 5))}" for _ in range(count)]


def test_domains_part_what_is_about_different_things_in_whatever_order() -> None:
    texts = [*texts_about(PHARMACY, 20), *texts_about(FOOTBALL, 20)]
    domains = domains_of(texts)
    assert not set(domains[:20]) & set(domains[20:])
    for domain in set(domains[:20]):
        assert set(domain.split(", ")) <= set(PHARMACY)
    shuffled = random.Random(1).sample(range(40), 40)
    assert domains_of([texts[at] for at in shuffled]) == [domains[at] for at in shuffled]


def test_texts_without_words_have_a_domain_too() -> None:
    assert domains_of([]) == []
    assert domains_of(["", "Given the"]) == ["other", "other"]
    assert domains_of(["Scenario: a basket"]) == ["basket"]
    assert len(set(domains_of(["basket"] * 30 + ["{{{"]))) == 2


def test_a_run_whose_bootstrap_goes_on_is_told_by_its_journal(
    run_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "begun"
    folder.mkdir()
    for name in ("journal.sqlite", "run.toml"):
        shutil.copy(run_folder / name, folder)
    made = report([str(folder)])
    assert made.page == folder / "report.html"
    assert made.notices[0].startswith("begun: bootstrap has not ended")
    assert len(made.notices) == 3
    (run,) = read_runs([str(folder)])
    assert counts(run)["asked"] == 11
    assert counts(run)["candidates"] is counts(run)["kept"] is None
    page = made.page.read_text()
    assert "prepare has not ended" in page
    assert 'id="rows"' not in page


def test_a_run_without_journal_and_settings_is_reported_by_its_rows(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "old", seed_pairs(4))
    (folder / "run.toml").unlink()
    made = report([str(folder)], tmp_path / "report.html")
    assert [notice.split(":")[1].strip() for notice in made.notices] == [
        "no run.toml", "no journal", "bootstrap has not ended",
    ]  # fmt: skip
    assert ("kept: rows of the data", "4") in made.table.rows


def test_a_run_that_kept_nothing_is_reported(tmp_path: Path) -> None:
    pairs = [unbound(*one) for one in seed_pairs(3)]
    folder = journalled_run(tmp_path / "dry", pairs)
    (run,) = read_runs([str(folder)])
    assert (counts(run)["bound"], counts(run)["kept"]) == (0, 0)
    assert report([str(folder)]).page.exists()


def test_what_is_no_run_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"{tmp_path}: no run here: neither journal.sqlite nor any file of a stage" in told
    assert main(["report", str(tmp_path / "none")]) == 1
    assert "not a run's folder" in capsys.readouterr().err


def test_a_broken_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database, but long enough to look like one" * 9)
    with pytest.raises(SelfBehaveError, match=r"journal\.sqlite: the journal cannot be read"):
        report([str(tmp_path)])


def test_a_broken_line_is_told_with_its_place(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", seed_pairs(2))
    (folder / "machine_generated_instructions.jsonl").write_text('{"most_similar": ["a"]}\n')
    with pytest.raises(SelfBehaveError, match=r"instructions\.jsonl:1: field 'most_similar'"):
        report([str(folder)])


def test_reading_a_journal_leaves_nothing_in_its_folder(run_folder: Path) -> None:
    before = sorted(run_folder.rglob("*"))
    read_runs([str(run_folder)])
    assert sorted(run_folder.rglob("*")) == before


def test_runs_of_one_name_are_refused_and_can_be_named(run_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run_folder, tmp_path / "mine")
    with pytest.raises(SelfBehaveError, match="two runs are named 'mine'"):
        report([str(run_folder), str(copy)], tmp_path / "report.html")
    made = report([f"A={run_folder}", f"B={copy}"], tmp_path / "report.html")
    assert made.table.headings == ("measure", "A", "B")


def test_the_command_prints_the_table_and_writes_page_and_figures(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, folder = tmp_path / "report.html", tmp_path / "figures"
    options = ["--to", str(page), "--figures", str(folder), "--price-in", "2", "--price-out", "10"]
    assert main(["report", str(run_folder), *options, "--currency", "EUR"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"bound: each step has one function +10 \(91%\)", told)
    assert re.search(r"cost, EUR +0\.066", told)  # 22 * (1,000 * 2 + 100 * 10) / 1,000,000
    assert re.search(r"ended by stop +21", told)
    assert f"report: {page}" in "".join(told.split("\n"))
    written = {path.name for path in folder.iterdir()}
    assert {
        f"{name}.{end}" for name in ("funnel", "novelty", "deeds") for end in ("png", "svg")
    } <= (written)
    for path in folder.glob("*.svg"):
        marks = list(ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}path"))
        assert len(marks) > 3, path
        assert "<a " not in path.read_text()
    for path in folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("price", ["-1", "nan", "inf"])
def test_a_price_below_nothing_is_refused(
    run_folder: Path, price: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(run_folder), f"--price_in={price}"]) == 2
    assert "--price_in must be at least 0" in capsys.readouterr().err


def test_the_same_run_gives_the_same_page_in_another_process(
    run_folder: Path, tmp_path: Path
) -> None:
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    report([str(run_folder)], pages[0])
    command = [sys.executable, "-m", "selfbehave", "report", str(run_folder), "--to", str(pages[1])]
    seeded = os.environ | {"PYTHONHASHSEED": "1"}  # another order of sets than here
    subprocess.run(command, check=True, timeout=120, env=seeded, stdout=subprocess.DEVNULL)
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_every_figure_of_two_runs_is_drawn_with_both(run_folder: Path, tmp_path: Path) -> None:
    other = journalled_run(tmp_path / "other", seed_pairs(8, start=60), DROPPED[:1])
    runs = read_runs([str(run_folder), f"{'x' * 80}<b>&={other}"])
    for figure in figures(runs):
        svg = str(inline(figure.specification, figure.text, figure.name))
        ElementTree.fromstring(svg)
        assert "<b>" not in svg
        assert "var(--series-1)" in svg
        assert "var(--series-2)" in svg
    assert [len(rungs_reached(run)) for run in runs] == [6, 6]


def test_marks_lead_to_the_rows_behind_them(run: RunFacts) -> None:
    faults = next(figure for figure in figures([run]) if figure.name == "faults")
    svg = str(inline(faults.specification, faults.text, faults.name))
    assert re.findall(r'<a href="([^"]*)"', svg) == [
        "#rows?run=mine&amp;fault=undefined%20step",
        "#rows?run=mine&amp;fault=unused%20step%20function",
    ]


def test_a_missing_package_is_told_with_the_command_that_installs_it(
    run_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = ("selfbehave.report", "selfbehave.figures")
    for name in [name for name in sys.modules if name.startswith(loaded)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert main(["report", str(run_folder)]) == 1
    told = capsys.readouterr().err
    assert "report needs the package vl_convert, which is not installed" in told
    assert "pip install 'selfbehave[report]'" in told


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.042, "0.042 s"), (9.4, "9.4 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"),
     (7_500, "2 h 05 min")],
)  # fmt: skip
def test_times_are_read_at_a_glance(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_page_holds_no_text_of_a_model_but_packed_and_escaped(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>"
    folder = journalled_run(tmp_path / "hostile", [pair(hostile, "word"), pair("Tame", "dog")])
    page = report([str(folder)]).page.read_text()
    assert "alert(1)" not in page

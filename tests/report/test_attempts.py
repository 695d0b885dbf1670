"""What a report and a release say of a run's attempts, by hand and for a run at a chat server."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

import selfbehave
from selfbehave.bdd.faults import FaultCode
from selfbehave.bdd.ladder import Rung
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.jsonl import write_jsonl
from selfbehave.core.records import Attempt
from selfbehave.core.run_files import ATTEMPTS_FILE
from selfbehave.engines import EngineSettings
from selfbehave.figures.vega import inline
from selfbehave.release.make_release import release
from selfbehave.report.attempt_tables import attempt_tables
from selfbehave.report.attempts import (
    NO_FAULT,
    ReportAttempt,
    costs_of_rows,
    reached_after,
    read_attempts,
    repairs_by_fault,
    rung_changes,
)
from selfbehave.report.counts import Prices
from selfbehave.report.facts import read_runs
from selfbehave.report.make_report import report
from selfbehave.report.run_figures import figures
from selfbehave.runs.run_settings import RunSettings
from selfbehave.views.display import Display

from ..helpers.attempt_server import serving_attempts
from ..helpers.release_runs import make_run, seed_pairs


def attempt(
    task: int, number: int, rung: Rung, *faults: FaultCode, repairs: int | None = None
) -> ReportAttempt:
    return ReportAttempt(task, number, repairs, rung, faults, 100, 20)


ATTEMPTS = [
    attempt(0, 0, Rung.PARSED, FaultCode.UNDEFINED_STEP),
    attempt(0, 1, Rung.CAUSAL, repairs=0),
    attempt(1, 0, Rung.CAUSAL),
    attempt(2, 0, Rung.BOUND, FaultCode.RUN_FAILED, FaultCode.IDLE_STEP),
    attempt(2, 1, Rung.BOUND, FaultCode.RUN_FAILED, repairs=0),
    attempt(2, 2, Rung.PARSED, FaultCode.UNDEFINED_STEP),
]


def test_a_scenario_counts_for_its_best_attempt_so_far() -> None:
    reached = reached_after(ATTEMPTS)
    assert reached["parsed"] == [3, 3, 3]
    assert reached["bound"] == [2, 3, 3]
    assert reached["causal"] == [1, 2, 2]
    assert reached_after([]) == {}


def test_a_repair_counts_for_each_fault_that_it_was_told_of() -> None:
    mended = {one.fault: one for one in repairs_by_fault(ATTEMPTS)}
    undefined, failed, idle = (
        mended[name] for name in ("undefined step", "run: failed", "idle step")
    )
    assert (undefined.repairs, undefined.gone, undefined.higher) == (1, 1, 1)
    assert undefined.became == {NO_FAULT: 1}
    assert (failed.gone, failed.higher, failed.lower) == (0, 0, 0)
    assert (idle.gone, idle.became) == (1, {"run: failed": 1})
    assert rung_changes(ATTEMPTS) == Counter({("parsed", "causal"): 1, ("bound", "bound"): 1})


def test_a_row_costs_what_all_attempts_took() -> None:
    costs = {one.rung: one for one in costs_of_rows(ATTEMPTS, [])}
    assert (costs["causal"].rows, costs["causal"].prompt_tokens) == (2, 300)
    assert costs["bound"].completion_tokens == 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four rows, of which some needed a repair."""
    batch_dir = tmp_path_factory.mktemp("runs") / "mine"
    with serving_attempts() as url:
        settings = RunSettings(rows=4, axes="none", min_rung="passing", repair=True)
        selfbehave.run(batch_dir, settings, EngineSettings(engine=url, model="attempts"), Display())
    return batch_dir


def test_a_run_with_attempts_has_its_tables_and_its_figure(folder: Path) -> None:
    (run,) = read_runs([str(folder)])
    yields, costs, repairs = attempt_tables(run, Prices(1.0, 2.0, "EUR"))
    assert yields.rows[0][0] == "attempts made"
    repaired = sum(one.repairs is not None for one in run.attempts)
    assert repaired > 0
    assert yields.rows[0][1:] == ("4", str(repaired))
    assert yields.rows[-1] == ("causal", f"{4 - repaired} ({25 * (4 - repaired)}%)", "4 (100%)")
    answers = len(run.answers)  # the requests of the bootstrap too
    assert costs.rows[-1][:4] == ("causal", "4", f"{100 * answers / 4:,.0f}", f"{5 * answers:,.0f}")
    assert costs.rows[-1][4] != "–"
    assert repairs.rows[0][0] == "undefined step"
    assert repairs.rows[0][1:4] == (str(repaired),) * 3
    page = report([str(folder)]).page.read_text()
    for words in ("What each attempt adds", "What repairs mend", "The cost of a row"):
        assert words in page
    (figure,) = (one for one in figures([run]) if one.name == "attempts")
    svg = str(inline(figure.specification, figure.text, figure.name))
    ElementTree.fromstring(svg)
    assert f"causal, mine: 4 of 4 scenarios, {repaired} of them with attempt 2" in svg


def test_a_release_says_how_many_attempts_reached_the_rung(folder: Path, tmp_path: Path) -> None:
    release([str(folder)], tmp_path / "released")
    rows = pq.read_table(tmp_path / "released/data/train.parquet").to_pylist()
    assert {row["attempts_reached"] for row in rows} == {1}
    assert {row["attempts"] for row in rows} == {1, 2}
    assert "| `attempts_reached` | int64 |" in (tmp_path / "released/README.md").read_text()


def test_a_run_of_an_older_version_has_no_attempts(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "old", seed_pairs(3))
    (run,) = read_runs([str(folder)])
    assert run.attempts == ()
    assert attempt_tables(run, Prices()) == []
    assert "What each attempt adds" not in report([str(folder)]).page.read_text()
    release([str(folder)], tmp_path / "released")
    rows = pq.read_table(tmp_path / "released/data/train.parquet").to_pylist()
    assert [row["attempts"] for row in rows] == [None, None, None]


def hostile(
    rung: str = "bound", faults: tuple[str, ...] = ("<script>alert(1)</script>",)
) -> dict[str, Any]:
    text = "</script><script>alert(2)</script>"
    return Attempt(text, 0, None, rung, faults, True, text, {}).to_dict()


def test_text_in_attempts_reaches_no_page(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "<b>bad", seed_pairs(2))
    repair = {**hostile(), "attempt": 1, "repairs": 0}
    write_jsonl(folder / ATTEMPTS_FILE, [hostile(), repair])
    assert [one.faults for one in read_attempts(folder)] == [(FaultCode.OTHER,)] * 2
    page = report([str(folder)]).page.read_text()
    assert "What repairs mend: &lt;b&gt;bad" in page
    assert "alert(" not in page


def test_a_rung_that_does_not_exist_is_told_with_its_place(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", seed_pairs(2))
    write_jsonl(folder / ATTEMPTS_FILE, [hostile(rung="golden")])
    with pytest.raises(SelfBehaveError, match=r"attempts\.jsonl:1: field 'rung' must be one of"):
        report([str(folder)])

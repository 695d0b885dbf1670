"""Whole runs over HTTP that ask a scripted server for the scenarios of a backlog."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines.settings import EngineSettings
from selfbehave.release.make_release import ReleaseSettings, release
from selfbehave.runs.pipeline import RunReport, run
from selfbehave.runs.run_file import read_settings
from selfbehave.runs.run_settings import RunSettings

from ..helpers.attempt_server import serving_attempts
from ..helpers.paths import ROOT
from ..helpers.runs import contents, rows
from ..helpers.scripted_server import WORDS

BACKLOG = "examples/backlog/sports-halls.md"
SETTINGS = RunSettings(stories=(str(ROOT / BACKLOG),), min_rung="bound", top_rung="bound")
TINY = "As a club, I want to book halls.\n- An hour costs 18 euros.\n"


class Server:
    """What the server was asked, and its answers: each fourth scenario states no outcome."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def write(self, request: str) -> str:
        self.asked.append(request)
        chance = random.Random(request)
        words = [" ".join(chance.sample(WORDS, 6)) for _ in range(3)]
        outcome = "long" if chance.randrange(4) == 0 else "30 units"
        return (
            f"Scenario: {' '.join(chance.sample(WORDS, 4))}\n  Given the {words[0]} has 12 units\n"
            f"  When they {words[1]} with 18 units\n  Then the {words[2]} is {outcome}"
        )


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def engine(server: Server) -> Iterator[EngineSettings]:
    with serving_attempts(server.write) as url:
        yield EngineSettings(engine=url, model="scripted", request_batch_size=1)


def texts_of(folder: Path) -> list[str]:
    return [one["instruction"] for one in rows(folder / "machine_generated_instructions.jsonl")]


def grown(folder: Path, engine: EngineSettings, **more: object) -> RunReport:
    return run(folder, replace(SETTINGS, **more), engine)  # type: ignore[arg-type]


def test_each_row_points_to_its_story_and_the_kinds_take_turns(
    tmp_path: Path, server: Server, engine: EngineSettings
) -> None:
    folder = tmp_path / "run"
    report = grown(folder, engine, num_instructions_to_generate=18)
    stories = [
        one["metadata"]["story"] for one in rows(folder / "machine_generated_instructions.jsonl")
    ]
    assert stories[0] == {
        "file": "sports-halls.md",
        "line": 8,
        "id": "HALL-1",
        "title": "Book a hall",
        "kind": "happy",
        "criterion": "An hour in the North Hall costs 18 euros, and in the South Hall 24 euros.",
    }
    assert {one["id"] for one in stories} >= {f"HALL-{number}" for number in range(3, 13)}
    assert Counter(one["kind"] for one in stories).keys() == {"happy", "refused", "boundary"}
    assert "Rule to show: An hour in the North Hall costs 18 euros" in server.asked[0]
    assert server.asked[0].endswith("Kind: happy. The action keeps the rule and works.")

    dropped = [one for one in rows(folder / "dropped.jsonl") if one["stage"] == "bootstrap"]
    assert {one["reason"] for one in dropped} == {"no_outcome"}
    assert all(one["story"]["file"] == "sports-halls.md" for one in dropped)
    assert report.stages[0].dropped == {"no_outcome": len(dropped)}

    release([str(folder)], tmp_path / "released", ReleaseSettings())
    table = pq.read_table(tmp_path / "released/data/train.parquet").to_pylist()
    assert len(table) == 18
    assert {row["story_at"] for row in table if row["story_id"] == "HALL-1"} == {
        "sports-halls.md, line 8"
    }
    assert {row["story_kind"] for row in table} == {"happy", "refused", "boundary"}
    assert all(row["story_title"] for row in table)


def test_rows_that_are_dropped_later_point_to_their_story_too(
    tmp_path: Path, engine: EngineSettings
) -> None:
    grown(tmp_path, engine, num_instructions_to_generate=6, attempts=1)
    late = [one for one in rows(tmp_path / "dropped.jsonl") if one["stage"] == "prepare"]
    assert late
    assert all(one["story"]["kind"] for one in late)


def test_a_run_goes_on_through_the_stories_until_its_rows_are_there_or_nothing_is_left(
    tmp_path: Path, server: Server, engine: EngineSettings
) -> None:
    (tmp_path / "s.txt").write_text(TINY)
    report = grown(tmp_path / "run", engine, rows=100, stories=(str(tmp_path / "s.txt"),))
    assert len(server.asked) == 9  # one rule in three kinds, three times
    assert report.stages[0].is_used_up
    assert any("the stories are used up" in note for note in report.stages[0].notes)
    made = texts_of(tmp_path / "run")
    assert 0 < len(made) < 4
    again = grown(tmp_path / "run", engine, rows=100, stories=(str(tmp_path / "s.txt"),))
    assert again.stages[0].is_used_up
    assert len(server.asked) == 9


def test_a_run_that_goes_on_equals_one_that_was_never_interrupted(
    tmp_path: Path, server: Server, engine: EngineSettings
) -> None:
    grown(tmp_path / "a", engine, rows=3)
    few = texts_of(tmp_path / "a")
    asked = len(server.asked)
    grown(tmp_path / "a", engine, rows=7)
    assert texts_of(tmp_path / "a")[: len(few)] == few
    whole = len(server.asked)
    assert asked < whole
    grown(tmp_path / "a", engine, rows=7)
    assert len(server.asked) == whole  # nothing is asked twice
    grown(tmp_path / "b", engine, rows=7)
    assert texts_of(tmp_path / "a") == texts_of(tmp_path / "b")
    data = "finetuning_data/all_generated_instances.jsonl"
    assert contents(tmp_path / "a")[data] == contents(tmp_path / "b")[data]


def test_changed_stories_are_refused_and_moved_ones_are_not(
    tmp_path: Path, engine: EngineSettings
) -> None:
    folder = tmp_path / "run"
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "s.txt").write_text(TINY)
    here, there = (str(tmp_path / name / "s.txt") for name in ("here", "there"))
    grown(folder, engine, num_instructions_to_generate=1, stories=(here,))
    grown(folder, engine, num_instructions_to_generate=2, stories=(there,))
    assert len(read_settings(folder)["bootstrap"]["stories_sha256"]) == 64
    Path(here).write_text(TINY.replace("18", "19"))
    with pytest.raises(SelfBehaveError) as caught:
        grown(folder, engine, num_instructions_to_generate=2, stories=(here,))
    assert "made with stories_sha256" in str(caught.value)
    assert "give the stories as they were, or another --batch_dir" in str(caught.value)


def test_stories_that_no_scenario_comes_of_are_an_error_with_the_reasons(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text(TINY)
    vague = "Scenario: a\n  Given a hall\n  When Ana books it\n  Then it is hers"
    with serving_attempts(lambda _: vague) as url:
        engine = EngineSettings(engine=url, model="scripted", request_batch_size=1)
        with pytest.raises(SelfBehaveError, match=r"of 9: no_input 9"):
            grown(tmp_path / "run", engine, stories=(str(tmp_path / "s.txt"),))
    assert len(rows(tmp_path / "run/dropped.jsonl")) == 9


@pytest.mark.parametrize(
    ("api", "more", "words"),
    [
        ("completions", {}, "stories need a chat engine: a base model only goes on with a text"),
        ("chat", {"prompts": "classic"}, "'classic' cannot ask for the scenario of a story"),
        ("chat", {"axes": "packaged"}, "stories and axes both say what a scenario is about"),
        ("chat", {"stories": ("missing.md",)}, "missing.md"),
    ],
)
def test_what_stories_cannot_be_used_with_is_refused_before_anything_is_asked(
    tmp_path: Path,
    server: Server,
    engine: EngineSettings,
    api: str,
    more: dict[str, object],
    words: str,
) -> None:
    with pytest.raises(SelfBehaveError) as caught:
        grown(tmp_path / "run", replace(engine, api=api), **more)
    assert words in str(caught.value)
    assert server.asked == []

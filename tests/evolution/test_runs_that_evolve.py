"""Whole runs over HTTP in which earlier scenarios are changed into new ones."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines.settings import EngineSettings
from selfbehave.evolution.family import scenario_id
from selfbehave.release.make_release import ReleaseSettings, release
from selfbehave.runs.pipeline import run
from selfbehave.runs.run_settings import RunSettings
from selfbehave.stages.change_draws import MOST_GENERATIONS

from ..helpers.attempt_server import serving_attempts
from ..helpers.runs import contents, rows
from ..helpers.scripted_server import WORDS

SETTINGS = RunSettings(
    evolve=0.5,
    axes="none",
    prompts="bdd_turns",
    min_rung="bound",
    top_rung="bound",
    attempts=1,
    num_instructions_to_generate=16,
)
INSTRUCTIONS = "machine_generated_instructions.jsonl"
DATA = "finetuning_data/all_generated_instances.jsonl"


class Server:
    """Changes the numbers of a scenario, and never makes an outline."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def write(self, request: str) -> str:
        self.asked.append(request)
        scenario, change, _ = request.partition("\n\nChange:")
        chance = random.Random(f"{request} {len(self.asked) if not change else 0}")
        if change:
            return re.sub(r"\d+", lambda _: str(chance.randrange(100, 999)), scenario)
        words = [" ".join(chance.sample(WORDS, 6)) for _ in range(3)]
        return (
            f"Scenario: {' '.join(chance.sample(WORDS, 4))}\n  Given the {words[0]} has 12 units\n"
            f"  When they {words[1]} with 18 units\n  Then the {words[2]} is 30 units"
        )


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def engine(server: Server) -> Iterator[EngineSettings]:
    with serving_attempts(server.write) as url:
        yield EngineSettings(engine=url, model="scripted", request_batch_size=1)


def evolved(folder: Path) -> dict[str, dict[str, Any]]:
    """What the changed instructions say of their parents, by instruction."""
    return {
        one["instruction"]: one["metadata"]["evolution"]
        for one in rows(folder / INSTRUCTIONS)
        if "evolution" in one["metadata"]
    }


def test_changed_scenarios_record_parent_operation_and_family(
    tmp_path: Path, server: Server, engine: EngineSettings
) -> None:
    report = run(tmp_path, SETTINGS, engine)
    texts = {scenario_id(one["instruction"]) for one in rows(tmp_path / INSTRUCTIONS)}
    made = evolved(tmp_path)
    assert len(made) >= 4
    for instruction, one in made.items():
        assert {one["parent"], one["family"]} <= texts - {scenario_id(instruction)}
        assert 1 <= one["generation"] <= MOST_GENERATIONS
        if one["generation"] == 1:
            assert one["parent"] == one["family"]
    kinds = Counter(one["operation"] for one in made.values())
    assert kinds.keys() <= {"boundary", "refusal", "rule_more"}
    outlines = [one for one in server.asked if "Make it a Scenario Outline" in one]
    assert report.stages[0].dropped["form_lacking"] == len(outlines) > 0
    assert any(
        note.startswith(f"{len(made)} of 16 are changed from an earlier one: boundary")
        for note in report.stages[0].notes
    )


def test_a_growing_run_changes_proven_scenarios_only_and_draws_the_same_again(
    tmp_path: Path, server: Server, engine: EngineSettings
) -> None:
    folder = tmp_path / "run"
    run(folder, replace(SETTINGS, rows=10), engine)
    proven = {scenario_id(one["instruction"]) for one in rows(folder / DATA)}
    made = evolved(folder)
    assert made
    assert {one["parent"] for one in made.values()} <= proven
    asked, files = len(server.asked), contents(folder)
    run(folder, replace(SETTINGS, rows=10), engine)
    assert len(server.asked) == asked
    assert contents(folder) == files

    release([str(folder)], tmp_path / "released", ReleaseSettings(test=0.4))
    side_of: dict[str, set[str]] = {}
    for name in ("train", "test"):
        for row in pq.read_table(tmp_path / f"released/data/{name}.parquet").to_pylist():
            side_of.setdefault(row["family"], set()).add(name)
            assert (row["evolved_from"] is None) == (row["evolved_by"] is None)
    assert side_of
    assert all(len(sides) == 1 for sides in side_of.values())


def test_a_changed_scenario_keeps_the_story_of_its_family(
    tmp_path: Path, engine: EngineSettings
) -> None:
    stories = tmp_path / "stories.txt"
    stories.write_text("As a club, I want to book halls.\n- An hour costs 18 euros.\n")
    settings = replace(SETTINGS, stories=(str(stories),), axes=None, prompts=None, evolve=0.7)
    run(tmp_path / "run", replace(settings, num_instructions_to_generate=4), engine)
    made = [one["metadata"] for one in rows(tmp_path / "run" / INSTRUCTIONS)]
    assert any("evolution" in one for one in made)
    assert {one["story"]["line"] for one in made} == {1}
    assert all(("kind" in one["story"]) == ("evolution" not in one) for one in made)


@pytest.mark.parametrize(
    ("more", "api", "words"),
    [
        ({"evolve": 1.5}, "chat", "--evolve must be from 0 to 1, not 1.5"),
        ({"evolve": float("nan")}, "chat", "--evolve must be from 0 to 1, not nan"),
        ({"prompts": "bdd"}, "chat", "the prompts 'bdd' cannot ask for a changed scenario"),
        ({"axes": None}, "completions", "--evolve needs a chat engine"),
    ],
)
def test_what_cannot_be_changed_is_refused(
    tmp_path: Path,
    server: Server,
    engine: EngineSettings,
    more: dict[str, Any],
    api: str,
    words: str,
) -> None:
    with pytest.raises(SelfBehaveError) as caught:
        run(tmp_path, replace(SETTINGS, **more), replace(engine, api=api))
    assert words in str(caught.value)
    assert server.asked == []

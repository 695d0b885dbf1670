"""Runs that grow until enough rows are proven, over HTTP."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

from selfbehave.core.run_files import JOURNAL_FILE
from selfbehave.engines.settings import EngineSettings
from selfbehave.runs.pipeline import run
from selfbehave.runs.run_settings import RunSettings

from ..helpers.attempt_server import serving_attempts
from ..helpers.scripted_server import WORDS


def test_a_later_block_asks_for_nothing_again_that_an_earlier_one_asked_for(
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    def write(request: str) -> str:
        asked.append(request)
        chance = random.Random(len(asked))
        words = [" ".join(chance.sample(WORDS, 6)) for _ in range(3)]
        return (
            f"Scenario: {' '.join(chance.sample(WORDS, 4))}\n  Given the {words[0]} has 12 units\n"
            f"  When they {words[1]} with 18 units\n  Then the {words[2]} is 30 units"
        )

    settings = RunSettings(
        rows=8, axes="none", prompts="bdd_turns", min_rung="bound", top_rung="bound", attempts=1
    )
    with serving_attempts(write) as url:
        run(tmp_path, settings, EngineSettings(engine=url, model="scripted", request_batch_size=1))
    database = sqlite3.connect(tmp_path / JOURNAL_FILE)
    (answers,) = database.execute(
        "SELECT count(DISTINCT request_idx) FROM answers WHERE stage = 'bootstrap'"
    ).fetchone()
    database.close()
    assert answers > 10  # more than one block
    assert len(asked) == answers

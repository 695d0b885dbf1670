"""A sample of each stage tells what the whole run takes, and none of it is lost."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import EngineSettings
from selfbehave.events.events import Estimated, Event, Figure
from selfbehave.events.reporter import Reporter
from selfbehave.runs.estimating import estimate
from selfbehave.runs.run_settings import RunSettings

from ..helpers.runs import contents, scripted
from ..helpers.runs import run as run_command

WHOLE = ("--num_instructions_to_generate", 40, "--top_rung", "bound")
PRICES = ("--price_in", 1, "--price_out", 4)


def of_stage(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Answers, prompt tokens and answer tokens in a run's journal, by stage."""
    with sqlite3.connect(folder / "journal.sqlite") as database:
        rows = database.execute(
            "SELECT stage, count(*), total(prompt_tokens), total(completion_tokens)"
            " FROM answers GROUP BY stage"
        )
        return {stage: (count, int(read), int(wrote)) for stage, count, read, wrote in rows}


def holds(figure: dict[str, float], value: float) -> bool:
    return figure["low"] <= value <= figure["high"]


def test_the_whole_run_takes_what_its_sample_told_and_goes_on_from_it(
    scripted_server: Any, tmp_path: Path
) -> None:
    server = scripted_server()
    run_command(*scripted(server, tmp_path / "whole", *WHOLE, *PRICES))
    server.log.write_text("")

    command = scripted(server, tmp_path / "sampled", *WHOLE, *PRICES)
    done = run_command(*command, "--estimate", "--json")
    sampled = of_stage(tmp_path / "sampled")
    assert {stage: count for stage, (count, *_) in sampled.items()} == {
        "bootstrap": 8,
        "instances": 8,
    }
    told = [json.loads(line) for line in done.stdout.splitlines()]
    (estimated,) = (event for event in told if event["event"] == "estimated")
    assert estimated["spent_requests"] == 16
    words = " ".join(done.stderr.split())
    assert re.search(r"from \d+ items, with 95% intervals by Student's t", words)
    assert "16 requests of it spent so far" in words

    run_command(*command)
    assert (
        contents(tmp_path / "sampled")["machine_generated_instances.jsonl"]
        == (contents(tmp_path / "whole")["machine_generated_instances.jsonl"])
    )
    assert len(server.answered) == len(set(server.answered)), "the sample is not asked again"
    figures = {stage["stage"]: stage for stage in estimated["stages"]}
    assert list(figures) == ["bootstrap", "instances"], "rules decide all classes"
    actual = of_stage(tmp_path / "sampled")
    for stage, (_, read, wrote) in actual.items():
        assert holds(figures[stage]["prompt_tokens"], read), stage
        assert holds(figures[stage]["completion_tokens"], wrote), stage
    read, wrote = (sum(counts[place] for counts in actual.values()) for place in (1, 2))
    assert holds(estimated["whole"]["cost"], (read * 1 + wrote * 4) / 1e6)
    assert estimated["whole"]["seconds"]["value"] > 0


def test_time_is_that_of_the_engine_with_its_requests_side_by_side(
    scripted_server: Any, tmp_path: Path
) -> None:
    told: list[Event] = []
    engine = EngineSettings(
        engine=scripted_server(latency=0.2).url, model="scripted", request_batch_size=2
    )
    settings = RunSettings(num_instructions_to_generate=40, prompts="bdd", min_rung="bound")
    estimate(tmp_path / "r", settings, engine, Reporter(told.append), 6)
    (estimated,) = (event for event in told if isinstance(event, Estimated))
    requests, seconds = estimated.whole.requests, estimated.whole.seconds
    assert isinstance(requests, Figure)
    assert isinstance(seconds, Figure)
    # A request takes 0.2 seconds on average, and at most nine fifths of that.
    assert 0.04 / 2 < seconds.value / requests.value < 0.36 / 2 + 0.1
    assert estimated.whole.cost is None, "there are no prices"


def test_a_sample_without_any_instruction_says_to_take_a_larger_one(
    scripted_server: Any, tmp_path: Path
) -> None:
    engine = EngineSettings(engine=scripted_server().url, model="scripted")
    settings = RunSettings(prompts="classic")  # which the scripted scenarios do not answer
    with pytest.raises(SelfBehaveError, match="--estimate 8 allows no further request") as refused:
        estimate(tmp_path / "r", settings, engine, Reporter(), 8)
    assert "larger --estimate" in str(refused.value)

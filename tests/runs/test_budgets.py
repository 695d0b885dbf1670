"""A run ends at its budget with all that is paid for written, and a larger budget goes on."""

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import Client, Completion, Engine, EngineSettings, Request
from selfbehave.events.events import Event, Spent
from selfbehave.events.reporter import Reporter
from selfbehave.runs.pipeline import RunReport, instances
from selfbehave.runs.pipeline import run as run_pipeline
from selfbehave.runs.run_settings import RunSettings
from selfbehave.stages.instances import InstancesSettings

from ..helpers.runs import contents, rows, scripted
from ..helpers.runs import run as run_command
from ..helpers.scripted_server import WORDS

INSTRUCTIONS = "machine_generated_instructions.jsonl"
CLASSES = "is_clf_or_not_template_1.jsonl"
INSTANCES = "machine_generated_instances.jsonl"
PRICES = {"price_in": 1.0, "price_out": 3.0}


class Tasks(Engine):
    """Writes classic tasks, classes and instances, which depend on the request alone."""

    url = ""

    def __init__(self) -> None:
        self.identity = "tasks"
        self.answered: list[str] = []

    async def complete(self, request: Request) -> Completion:
        await asyncio.sleep(random.uniform(0, 0.005))
        self.answered.append(request.key(self))
        chance = random.Random(request.seed)
        words = [" ".join(chance.sample(WORDS, 6)) for _ in range(2)]
        text = {
            "bootstrap": f"1. Write {words[0]}.\n2. Write {words[1]}.",
            "classify": chance.choice(["Yes", "No"]),
        }.get(request.stage, f"Output: {words[0]}")
        return Completion(text, "stop", len(request.transcript.split()), len(text.split()))


def grow(
    server: Any, folder: Path, told: list[Event], family: str = "bdd", **budget: Any
) -> RunReport:
    settings = EngineSettings(engine=server.url, model="scripted", **budget)
    engine = Client(server, budget=settings.budget) if isinstance(server, Tasks) else settings
    run = RunSettings(
        num_instructions_to_generate=12, min_rung="bound", top_rung="bound", prompts=family
    )
    return run_pipeline(folder, run, engine, Reporter(told.append))


def files(folder: Path) -> dict[str, bytes]:
    """The files of a run, without samples: those of a smaller run have other names."""
    return {
        name: data for name, data in contents(folder).items() if not re.search(r"_\d+\.jsonl", name)
    }


@pytest.mark.parametrize(
    ("family", "small"),
    [
        ("bdd", {"max_requests": 14}),
        ("bdd", {"max_requests": 18}),
        ("classic", {"max_requests": 22}),
        ("classic", {"max_requests": 30}),
        ("bdd", {"max_total_tokens": 11_000}),
        ("bdd", {"max_cost": 0.013, **PRICES}),
    ],
)
def test_a_larger_budget_gives_the_files_of_a_run_that_had_it_from_the_beginning(
    scripted_server: Any, tmp_path: Path, family: str, small: dict[str, float]
) -> None:
    server = Tasks() if family == "classic" else scripted_server(latency=0.005)
    large = {name: 1_000_000 if name.startswith("max") else price for name, price in small.items()}
    grow(server, tmp_path / "whole", [], family, **large)
    paid = len(server.answered)

    told: list[Event] = []
    report = grow(server, tmp_path / "grown", told, family, **small)
    ended = [one for one in report.stages if one.budget_end is not None]
    assert ended, "the budget is too small for the run"
    (spent,) = (event for event in told if isinstance(event, Spent))
    assert spent.end == ended[0].budget_end
    assert spent.spent.requests == len(server.answered) - paid < paid
    assert spent.spent.requests <= small.get("max_requests", paid)
    assert spent.spent.total_tokens <= small.get("max_total_tokens", spent.spent.total_tokens)
    assert (spent.cost or 0.0) <= small.get("max_cost", 0.0)
    assert 2 * spent.spent.total_tokens > small.get("max_total_tokens", 0), "it is used"
    for file, whole in files(tmp_path / "whole").items():
        if file in (INSTRUCTIONS, CLASSES):  # instances come in order too, in fewer lines
            assert whole.startswith(files(tmp_path / "grown")[file])
    kept = rows(tmp_path / "grown" / INSTANCES)
    assert 0 < len(kept) <= 12
    assert kept == rows(tmp_path / "whole" / INSTANCES)[: len(kept)]

    grow(server, tmp_path / "grown", [], family, **large)
    assert files(tmp_path / "grown") == files(tmp_path / "whole")
    asked_by_both = server.answered[paid:]
    assert len(asked_by_both) == len(set(asked_by_both)), "nothing is paid for twice"


def test_what_is_in_the_journal_is_used_whatever_the_budget_is(
    scripted_server: Any, tmp_path: Path
) -> None:
    server = scripted_server()
    grow(server, tmp_path / "r", [])
    asked, before = len(server.answered), files(tmp_path / "r")
    told: list[Event] = []
    report = grow(server, tmp_path / "r", told, max_requests=0)
    assert len(server.answered) == asked
    assert [one.budget_end for one in report.stages] == [None] * 4
    after = files(tmp_path / "r")
    assert before.pop("run.toml") != after.pop("run.toml"), "it notes the budget"
    assert after == before


def test_instructions_without_a_class_wait_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    with pytest.raises(SelfBehaveError, match="instances has kept none"):
        grow(Tasks(), folder, [], "classic", max_requests=16)
    classified = len(rows(folder / CLASSES))
    assert 0 < classified < len(rows(folder / INSTRUCTIONS)) == 12
    settings = InstancesSettings(prompts="classic", min_rung="bound", top_rung="bound")
    report = instances(folder, settings, Tasks(), Reporter())
    assert len(rows(folder / INSTANCES)) == report.done == classified
    left_out = f"{12 - classified} left out, because they are not classified yet"
    assert left_out in report.notes


def test_a_budget_that_ends_before_anything_is_kept_is_told_in_one_line(
    scripted_server: Any, tmp_path: Path
) -> None:
    with pytest.raises(SelfBehaveError) as refused:
        grow(scripted_server(), tmp_path / "r", [], max_requests=0)
    assert str(refused.value) == (
        "--max_requests 0 allows no further request, and bootstrap has kept none of its "
        "instructions — give the same command a larger --max_requests; what is answered is kept"
    )


def test_the_command_line_says_what_was_spent_and_what_goes_on(
    scripted_server: Any, tmp_path: Path
) -> None:
    server = scripted_server()
    prices = ("--price_in", 2, "--price_out", 8, "--price_cached", 0.5)
    limit = ("--max_requests", 16, *prices, "--top_rung", "bound", "--json")
    done = run_command(*scripted(server, tmp_path / "r", *limit))
    told = [json.loads(line) for line in done.stdout.splitlines()]
    (spent,) = (event for event in told if event["event"] == "spent")
    assert spent["requests"] == 16
    assert spent["budget_end"] == "max_requests"
    cost = (spent["prompt_tokens"] * 2 + spent["completion_tokens"] * 8) / 1e6
    assert spent["cost"] == pytest.approx(cost)
    ended = {event["stage"]: event["budget_end"] for event in told if "rungs" in event}
    assert ended["bootstrap"] is None
    assert ended["instances"] == "max_requests"
    words = " ".join(done.stderr.split())
    assert "spent in all: 16 requests, " in words
    assert "--max_requests 16 ended it: " in words
    assert "of 12 instructions are not there yet" in words
    assert (
        "the budget ended the run: --max_requests 16 allows no further request; "
        "the same command with a larger --max_requests goes on" in words
    )

"""A run's report and release: time and memory to make them, and a browser's time to load a report.

Usage: python -m benchmarks report [--full]

The runs are synthetic, in the format of real ones: the scripted server's scenarios and step
functions, prompts of eight examples each, and a real journal. With `--full` there is a run of
50,000 rows, which takes about ten minutes to make.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from selfbehave.core.jsonl import write_jsonl
from selfbehave.core.records import Classification, Instruction, RawInstances
from selfbehave.core.run_files import (
    CLASSIFICATION_FILE,
    FINETUNING_DIR,
    INSTANCES_FILE,
    INSTRUCTIONS_FILE,
)
from selfbehave.engines import Client, Completion, Engine, Journal, Request
from selfbehave.prompts import FAMILIES
from selfbehave.prompts.bdd import instruction_for
from selfbehave.runs.pipeline import prepare
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.prepare import PrepareSettings
from selfbehave.stages.requests import answer_metadata
from selfbehave.views.display import Display
from tests.helpers.scripted_server import scenario_text, step_functions
from tests.helpers.study_servers import chromium

from .tables import Table

ROWS = (1_000,)
ROWS_FULL = (1_000, 50_000)
_AT_ONCE = 500  # requests, so that all of them share one wait for the disk
_MEBIBYTE = 2**20


def main(argv: list[str] | None = None) -> None:
    """Print the figures."""
    table = Table(
        "a run's report",
        "rows", "made in s", "peak MiB", "page MB", "shown after s", "first row s", "searched s",
        "tab's heap MB",
    )  # fmt: skip
    releases = Table("its release, in two splits", "rows", "made in s", "peak MiB", "MB")
    for rows in ROWS_FULL if "--full" in (argv or ()) else ROWS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _make_run(folder, rows)
            page = folder / "report.html"
            seconds, peak = _timed([sys.executable, "-m", "selfbehave", "report", str(folder)])
            shown, opened, searched, heap = _browsed(page)
            size = page.stat().st_size / 1e6
            released = folder / "released"
            command = [sys.executable, "-m", "selfbehave", "release", str(folder)]
            release = _timed([*command, "--to", str(released), "--test", "0.1"])
            released_size = sum(file.stat().st_size for file in released.rglob("*")) / 1e6
        table.row(
            f"{rows:,}", f"{seconds:.1f}", round(peak), f"{size:.1f}", f"{shown:.2f}",
            f"{opened:.2f}", f"{searched:.2f}", f"{heap:.0f}",
        )  # fmt: skip
        releases.row(f"{rows:,}", f"{release[0]:.1f}", round(release[1]), f"{released_size:.1f}")
    table.print()
    releases.print()


def _timed(command: list[str]) -> tuple[float, float]:
    """A command's wall time in seconds, and its peak memory in MiB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - began, used.ru_maxrss * 1024 / _MEBIBYTE


def _browsed(page: Path) -> tuple[float, float, float, float]:
    """The seconds until rows are listed, one is open, and all texts are searched; the heap size."""
    with chromium() as browser:
        tab = browser.new_context(offline=True).new_page()
        tab.set_default_timeout(120_000)
        began = time.perf_counter()
        tab.goto(page.as_uri())
        tab.locator("#browser").wait_for()
        shown = time.perf_counter()
        tab.locator("#list summary").first.click()
        tab.locator("#list .pair pre").nth(1).wait_for()
        opened = time.perf_counter()
        tab.locator("#filter-text").fill("no such words anywhere")
        tab.wait_for_function(
            "() => document.getElementById('status').textContent.startsWith('No row')"
        )
        searched = time.perf_counter()
        heap = tab.evaluate("performance.memory.usedJSHeapSize") / 1e6
    return shown - began, opened - shown, searched - opened, heap


class _Engine(Engine):
    """Answers with prepared completions."""

    identity = "scripted"

    def __init__(self) -> None:
        self.answers: dict[tuple[str, int], str] = {}

    async def complete(self, request: Request) -> Completion:
        text = self.answers.pop((request.stage, request.index))
        return Completion(text, "stop", len(request.prompt) // 4, len(text) // 4)


def _make_run(folder: Path, rows: int) -> None:
    """Make a finished run with a number of rows."""
    engine, chance = _Engine(), random.Random(rows)
    instructions: list[Instruction] = []
    raw: list[RawInstances] = []

    async def ask(journal: Journal) -> None:
        async with Client(engine, request_batch_size=2 * _AT_ONCE) as client:
            made = _requests(engine, chance, rows)
            while some := list(islice(made, _AT_ONCE)):
                asked = [request for pair in some for request in pair[2:]]
                answers = await asyncio.gather(*(journal.ask(client, one) for one in asked))
                told = [
                    answer_metadata(request, answer, engine)
                    for request, answer in zip(asked, answers, strict=True)
                ]
                for number, (instruction, output, request, _) in enumerate(some):
                    likest = chance.sample(instructions, min(10, len(instructions)))
                    similar = {one.instruction: chance.uniform(0.2, 0.7) for one in likest}
                    of_instruction, of_instance = told[2 * number : 2 * number + 2]
                    instructions.append(
                        Instruction(instruction, similar, 0.2, of_instruction, request.index)
                    )
                    raw.append(
                        RawInstances(instruction, output, of_instance, of_instruction, similar, 0.2)
                    )

    with Journal(folder) as journal:
        asyncio.run(ask(journal))
    write_jsonl(folder / INSTRUCTIONS_FILE, (one.to_dict() for one in instructions))
    write_jsonl(folder / INSTANCES_FILE, (one.to_dict() for one in raw))
    labels = (Classification(one.instruction, False, "rule").to_dict() for one in raw)
    write_jsonl(folder / CLASSIFICATION_FILE, labels)
    settings = PrepareSettings(
        instance_files=(str(folder / INSTANCES_FILE),),
        classification_type_files=(str(folder / CLASSIFICATION_FILE),),
        output_dir=str(folder / FINETUNING_DIR),
        top_rung="bound",
    )
    prepare(settings, Display())


def _requests(
    engine: _Engine, chance: random.Random, rows: int
) -> Iterator[tuple[str, str, Request, Request]]:
    """The instruction, the output, and their requests, row by row."""
    family = FAMILIES["bdd"]
    seeds = load_seeds("high_quality").tasks
    texts: list[str] = []
    for number in range(rows):
        scenario = scenario_text(chance)
        instruction, output = instruction_for(scenario), step_functions(scenario)
        examples = chance.sample(texts, min(2, len(texts)))
        examples += [task.instruction for task in chance.sample(seeds, 8 - len(examples))]
        texts.append(instruction)
        prompts = (
            ("bootstrap", family.bootstrap_prompt(examples, "chat"), instruction),
            (
                "instances",
                family.instances_prompt(instruction, False, seeds[:2], 5, "chat"),
                output,
            ),
        )
        asked = []
        for stage, prompt, answer in prompts:
            engine.answers[stage, number] = answer
            asked.append(Request(stage, number, prompt.text, 0.8, 0.95, 500, number))
        yield instruction, output, asked[0], asked[1]


if __name__ == "__main__":
    main(sys.argv[1:])

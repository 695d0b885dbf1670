"""Run one stage in a separate process and measure its wall time, processor time and memory.

Run as a process: `python -m benchmarks.stage STAGE FOLDER URL IN_FLIGHT COUNT [NAME=VALUE…]`; the
names are of the stage's settings. It prints its figures as JSON. Whatever is not the stage
(Python's start, the imports) is left out of the times.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from selfbehave.core.jsonl import write_jsonl
from selfbehave.core.run_files import INSTRUCTIONS_FILE
from selfbehave.engines.settings import EngineSettings
from selfbehave.prompts.bdd import instruction_for
from selfbehave.runs import pipeline
from selfbehave.stages.bootstrap import BootstrapSettings
from selfbehave.stages.classify import ClassifySettings
from selfbehave.stages.instances import InstancesSettings
from selfbehave.views.display import Display
from selfbehave.views.quiet import Quiet
from tests.helpers.scripted_server import scenario_text

__all__ = ["Figures", "run_stage", "write_instructions"]


@dataclass(frozen=True)
class Figures:
    """What a stage took: seconds of wall and processor time, and peak memory in MB.

    `start_mb` is what was in use before the stage began.
    """

    wall: float
    cpu: float
    start_mb: float
    peak_mb: float
    requests: int


def run_stage(
    stage: str, folder: Path, url: str, in_flight: int, count: int, **settings: object
) -> Figures:
    """Run a stage to `count` instructions, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.stage", stage, str(folder), url]
    command += [str(in_flight), str(count), *(f"{k}={json.dumps(v)}" for k, v in settings.items())]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Figures(**json.loads(done.stdout))


def write_instructions(folder: Path, stage: str, count: int) -> None:
    """Write the input of classify or instances: tasks that no rule decides, or scenarios."""
    chance = random.Random(0)
    texts = (scenario_text(chance) for _ in range(count))
    rows = (
        {"instruction": instruction_for(text) if stage == "instances" else " ".join(text.split())}
        for text in texts
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_jsonl(folder / INSTRUCTIONS_FILE, rows)
    write_jsonl(
        folder / "is_clf_or_not_template_1.jsonl",
        [{"instruction": "another", "is_classification": "No"}],
    )


def _main(stage: str, folder: str, url: str, in_flight: str, count: str, *settings: str) -> None:
    batch_dir = Path(folder)
    engine = EngineSettings(
        engine=url, model="m", api="completions", request_batch_size=int(in_flight)
    )
    more = {name: json.loads(value) for name, value in (pair.split("=", 1) for pair in settings)}
    display = Display(Quiet(Console(stderr=True)))
    start_mb = _peak_mb()
    began, cpu = time.perf_counter(), time.process_time()
    if stage == "bootstrap":
        goal = BootstrapSettings(num_instructions_to_generate=int(count), **more)
        report = pipeline.bootstrap(batch_dir, goal, engine, display)
    elif stage == "classify":
        prompts = more.pop("prompts", "classic")
        tasks = ClassifySettings(prompts=prompts, num_instructions=int(count), **more)
        report = pipeline.classify(batch_dir, tasks, engine, display)
    else:
        some = InstancesSettings(num_instructions=int(count), **more)
        report = pipeline.instances(batch_dir, some, engine, display)
    figures = Figures(
        wall=time.perf_counter() - began,
        cpu=time.process_time() - cpu,
        start_mb=start_mb,
        peak_mb=_peak_mb(),
        requests=report.requests,
    )
    print(json.dumps(vars(figures)))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    _main(*sys.argv[1:])

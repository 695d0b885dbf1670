"""How many prompt tokens a server's prefix cache saves, by stage.

Usage: python -m benchmarks prefixes

A real llama.cpp server on loopback reports the prompt's tokens, and those it had to evaluate
because no slot had them in its cache. The answers are cut to one token; they do not matter here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from selfbehave.core.jsonl import read_records
from selfbehave.core.records import SeedTask
from selfbehave.engines import Api, Request
from selfbehave.engines.providers.openai_compatible import OpenAICompatibleEngine, Server
from selfbehave.prompts import FAMILIES
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.bootstrap import BootstrapSettings
from selfbehave.stages.classify import ClassifySettings, TaskClasses
from selfbehave.stages.instances import InstancesSettings
from selfbehave.stages.new_instructions import NewInstructions
from selfbehave.stages.requests import make_request
from selfbehave.stages.solving import SOLVED_EXAMPLES, TEMPERATURE, TOP_P

from .server import serving
from .tables import Table

TESTS = Path(__file__).parent.parent / "tests"
REQUESTS = 8
IN_FLIGHT = 2  # of the server's four slots: each holds its own prefix


def stage_requests(
    stage: str, family: str, count: int, takes_grammar: bool = False, api: Api = "completions"
) -> Iterator[Request]:
    """The first requests of a stage, on the packaged seed tasks or on classic ones."""
    tasks: Sequence[SeedTask] = load_seeds("high_quality").tasks
    if family == "classic":
        tasks = read_records(TESTS / "data" / "classic_seed_tasks.jsonl", SeedTask.from_dict)
    engine = OpenAICompatibleEngine(  # never called: the stage only reads its attributes
        Server(""), "none", api=api, takes_grammar=takes_grammar
    )
    texts = [task.instruction for task in tasks[3::2]]
    drawing: NewInstructions | TaskClasses
    if stage == "bootstrap":
        drawing = NewInstructions(BootstrapSettings(), tasks, FAMILIES[family], engine)
    elif stage == "classify":
        drawing = TaskClasses(
            ClassifySettings(), lambda: texts, FAMILIES[family], engine, lambda _: None
        )
    else:
        solved = tasks[:SOLVED_EXAMPLES]
        for index, text in enumerate(texts[:count]):
            prompt = FAMILIES[family].instances_prompt(text, False, solved, 5, engine.api)
            settings = InstancesSettings()
            yield make_request(stage, index, prompt, engine, settings, TEMPERATURE, TOP_P)
        return
    for index in range(count):
        if (request := drawing.draw(index)) is not None:
            yield request


def main(argv: list[str] | None = None) -> None:
    """Print the tokens sent, evaluated and saved."""
    table = Table(
        f"prompt tokens that the server's prefix cache spares, {IN_FLIGHT} in flight",
        "prompts", "requests", "tokens", "evaluated", "spared", "of each later prompt",
    )  # fmt: skip
    for family, stage in (
        ("bdd", "bootstrap"), ("bdd", "instances"),
        ("classic", "bootstrap"), ("classic", "classify"), ("classic", "instances"),
    ):  # fmt: skip
        requests = list(stage_requests(stage, family, REQUESTS))
        with serving(str(TESTS / "helpers" / "llama_server.py")) as url:
            counts = asyncio.run(_ask(url, requests))
        tokens, evaluated = (sum(column) for column in zip(*counts, strict=True))
        later = counts[IN_FLIGHT:]  # the first fill the slots
        spared = 1 - sum(new for _, new in later) / sum(whole for whole, _ in later)
        table.row(
            f"{family}, {stage}", len(requests), tokens, evaluated,
            f"{1 - evaluated / tokens:.0%}", f"{spared:.0%}",
        )  # fmt: skip
    table.print()


async def _ask(url: str, requests: list[Request]) -> list[tuple[int, int]]:
    """The tokens of each prompt, and how many of them the server evaluated."""
    gate = asyncio.Semaphore(IN_FLIGHT)
    async with httpx.AsyncClient(timeout=600.0) as client:

        async def ask(request: Request) -> tuple[int, int]:
            body = {"prompt": request.prompt, "max_tokens": 1}
            async with gate:
                answer = (await client.post(f"{url}/completions", json=body)).json()
            return answer["usage"]["prompt_tokens"], answer["timings"]["prompt_n"]

        return await asyncio.gather(*map(ask, requests))

"""Tokens per second of the embedded model, by the number of slots and other settings.

Usage: python -m benchmarks embedded [--full]

It sends real prompts and grammars of bootstrap and instances through the product's own client;
instances are cut to 120 tokens. The time includes the prompt, which takes most of it for a
scenario. Each variant changes one setting at four slots. `--full` measures all variants and every
number of slots.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

from selfbehave.engines import Client
from selfbehave.engines.providers.embedded import embedded_model
from selfbehave.engines.providers.llama_cpp import server_parameters
from selfbehave.engines.providers.openai_compatible import OpenAICompatibleEngine, Server

from .prefixes import stage_requests
from .tables import Table

STAGES = ("bootstrap", "instances")
MOST_TOKENS = 120
SLOTS = (1, 4, 8)
SLOTS_FULL = (1, 2, 4, 8, 16)
VARIANTS = (  # name, changed setting
    ("no grammar", {"grammar": False}),
    ("prompt cache off", {"cache": False}),
)
VARIANTS_FULL = (
    ("sliding window only", {"swa_full": False}),
    ("one thread", {"threads": 1}),
    ("n_ubatch 128", {"n_ubatch": 128}),
    ("n_ubatch 2048", {"n_ubatch": 2048}),
    ("n_cache_reuse 64", {"n_cache_reuse": 64}),
    ("flash attention off", {"flash": False}),
    ("n-gram drafts of 8", {"draft": 8}),
    ("busy waiting (OpenMP's default)", {"busy": True}),
)


def main(argv: list[str] | None = None) -> None:
    """Print the tables; each line is measured in a separate process."""
    is_full = "--full" in (argv or ())
    table = Table(
        "the embedded model, tokens/s (prompt included)", "slots or change", "requests",
        "bootstrap", "instances", "s/request", "ratio to one slot", "cores used",
    )  # fmt: skip
    alone = 0.0
    lines: list[tuple[str, int, dict[str, Any]]]
    lines = [(f"{slots} slots", slots, {}) for slots in (SLOTS_FULL if is_full else SLOTS)]
    for name, change in VARIANTS + VARIANTS_FULL * is_full:
        lines.append((f"4 slots, {name}", 4, change))
    for name, slots, change in lines:
        count = max(slots, 4)
        wall, cpu, tokens = _measure_apart(slots, count, change)
        each = sum(wall) / count
        alone = alone or each
        table.row(
            name, count, *(f"{t / s:.1f}" for t, s in zip(tokens, wall, strict=True)),
            f"{each:.1f}", f"{alone / each:.2f}", f"{cpu / sum(wall):.2f}",
        )  # fmt: skip
    table.print()


def _measure_apart(
    slots: int, count: int, change: dict[str, Any]
) -> tuple[list[float], float, list[int]]:
    """The seconds of each stage, the processor seconds of both, and the tokens of each stage."""
    environment = dict(os.environ)
    if change.get("busy"):
        environment["OMP_WAIT_POLICY"] = "ACTIVE"
    command = [sys.executable, "-m", "benchmarks.embedded", json.dumps([slots, count, change])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    wall, cpu, tokens = json.loads(done.stdout)
    return wall, cpu, tokens


async def _measure(
    slots: int, count: int, change: dict[str, Any]
) -> tuple[list[float], float, list[int]]:
    import xllamacpp

    parameters = server_parameters(embedded_model(), slots)
    for name in ("n_ubatch", "n_cache_reuse", "swa_full"):
        setattr(parameters, name, change.get(name, getattr(parameters, name)))
    if "threads" in change:
        parameters.cpuparams.n_threads = change["threads"]
        parameters.cpuparams_batch.n_threads = change["threads"]
    if "flash" in change:
        attention = xllamacpp.llama_flash_attn_type
        parameters.flash_attn_type = attention.LLAMA_FLASH_ATTN_TYPE_DISABLED
    if "draft" in change:
        drafts = xllamacpp.common_speculative_type
        parameters.speculative.types = [drafts.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
        parameters.speculative.ngram_simple.size_n = 4
        parameters.speculative.ngram_simple.size_m = change["draft"]
    server = xllamacpp.Server(parameters)
    address = f"{server.listening_address}/v1"
    reuse = {"cache_prompt": slots > 1 and change.get("cache", True)}
    engine = OpenAICompatibleEngine(
        Server(address, extra_parameters=reuse), "embedded", api="completions", takes_grammar=True
    )
    wall, tokens, cpu = [], [], time.process_time()
    async with Client(engine, request_batch_size=slots) as client:
        for stage in STAGES:
            requests = stage_requests(
                stage, "bdd", count, takes_grammar=change.get("grammar", True)
            )
            began = time.perf_counter()
            answers = await asyncio.gather(
                *(client.complete(replace(one, max_tokens=MOST_TOKENS)) for one in requests)
            )
            wall.append(time.perf_counter() - began)
            tokens.append(sum(answer.completion_tokens for answer in answers))
    cpu = time.process_time() - cpu
    return wall, cpu, tokens


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(*json.loads(sys.argv[1])))), flush=True)
    os._exit(0)  # llama.cpp takes a while to shut down

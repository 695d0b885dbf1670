"""Tokens per second of an embedded model, by the requests in flight and other settings.

Usage: python -m benchmarks embedded [--model=embedded-small] [--full]

It sends real prompts, and grammars for a base model, of bootstrap and instances through the
product's own engine and client; answers are cut to 120 tokens. The time includes the prompt, which
takes most of it for a scenario. Each variant changes one setting at the default number of requests
in flight. `--full` measures all variants and more numbers in flight. "From the cache" is the share
of the prompts' tokens that the server did not evaluate, by its own count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from selfbehave.engines import Client
from selfbehave.engines.models import MODELS, model_file, model_named
from selfbehave.engines.providers.llama_cpp import LlamaCppEngine
from selfbehave.engines.settings import IN_FLIGHT_HERE

from .prefixes import stage_requests
from .tables import Table

STAGES = ("bootstrap", "instances")
MOST_TOKENS = 120
LEAST_REQUESTS = 4
IN_FLIGHT = (1, 2, 4)
IN_FLIGHT_FULL = (1, 2, 4, 8, 16)
VARIANTS = (("prompt cache off", {"prompt_cache": False}),)  # name, changed setting
VARIANTS_FULL = (
    ("no grammar", {"grammar": False}),
    ("sliding window only", {"swa_full": False}),
    ("one thread", {"threads": 1}),
    ("n_ubatch 128", {"n_ubatch": 128}),
    ("n_ubatch 2048", {"n_ubatch": 2048}),
    ("n_cache_reuse 64", {"n_cache_reuse": 64}),
    ("flash attention off", {"flash": False}),
    ("n-gram drafts of 8", {"draft": 8}),
    ("busy waiting (OpenMP's default)", {"busy": True}),
)


class ChangedEngine(LlamaCppEngine):
    """An embedded model whose server has other parameters than the product gives it."""

    change: Mapping[str, Any] = {}

    def server_parameters(self, slots: int) -> Any:
        import xllamacpp

        parameters = super().server_parameters(slots)
        for name in ("n_ubatch", "n_cache_reuse", "swa_full"):
            setattr(parameters, name, self.change.get(name, getattr(parameters, name)))
        if "threads" in self.change:
            parameters.cpuparams.n_threads = self.change["threads"]
            parameters.cpuparams_batch.n_threads = self.change["threads"]
        if "flash" in self.change:
            attention = xllamacpp.llama_flash_attn_type
            parameters.flash_attn_type = attention.LLAMA_FLASH_ATTN_TYPE_DISABLED
        if "draft" in self.change:
            drafts = xllamacpp.common_speculative_type
            parameters.speculative.types = [drafts.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
            parameters.speculative.ngram_simple.size_n = 4
            parameters.speculative.ngram_simple.size_m = self.change["draft"]
        return parameters


def main(argv: list[str] | None = None) -> None:
    """Print the table; each line is measured in a separate process."""
    parser = argparse.ArgumentParser("python -m benchmarks embedded", description=__doc__)
    parser.add_argument(
        "--model", choices=[model.name for model in MODELS], default="embedded-small"
    )
    parser.add_argument("--full", action="store_true", help="all variants")
    options = parser.parse_args(argv or [])
    table = Table(
        f"{options.model}, tokens/s (prompt included)", "in flight, or change", "requests",
        "bootstrap", "instances", "s/request", "ratio to one", "from the cache", "cores used",
    )  # fmt: skip
    alone = 0.0
    lines: list[tuple[str, int, dict[str, Any]]]
    lines = [
        (str(number), number, {}) for number in (IN_FLIGHT_FULL if options.full else IN_FLIGHT)
    ]
    for name, change in VARIANTS + VARIANTS_FULL * options.full:
        lines.append((name, IN_FLIGHT_HERE, change))
    for name, in_flight, change in lines:
        count = max(in_flight, LEAST_REQUESTS)
        seen = _measure_apart(options.model, in_flight, count, change)
        each = sum(seen["wall"]) / count
        alone = alone or each
        cached = sum(seen["cached"]) / sum(seen["prompt"])
        speeds = [t / s for t, s in zip(seen["answer"], seen["wall"], strict=True)]
        table.row(
            name, count, *(f"{speed:.1f}" for speed in speeds),
            f"{each:.1f}", f"{alone / each:.2f}", f"{cached:.0%}",
            f"{seen['cpu'] / sum(seen['wall']):.2f}",
        )  # fmt: skip
    table.print()


def _measure_apart(*arguments: Any) -> dict[str, Any]:
    """What `_measure` returns, measured in a process of its own."""
    environment = dict(os.environ)
    if arguments[-1].get("busy"):
        environment["OMP_WAIT_POLICY"] = "ACTIVE"
    command = [sys.executable, "-m", "benchmarks.embedded", json.dumps(arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


async def _measure(name: str, in_flight: int, count: int, change: dict[str, Any]) -> dict[str, Any]:
    """By stage the seconds and the tokens of answers, prompts and cache; the processor seconds."""
    model = model_named(name)
    engine = ChangedEngine(
        model_file(model),
        model.identity,
        in_flight=in_flight,
        prompt_cache=change.get("prompt_cache", True),
        api=model.api,
    )
    engine.change = change
    seen: dict[str, Any] = {"wall": [], "answer": [], "prompt": [], "cached": []}
    async with Client(engine, request_batch_size=in_flight) as client:
        cpu = time.process_time()
        for stage in STAGES:
            takes_grammar = model.api == "completions" and change.get("grammar", True)
            requests = stage_requests(stage, "bdd", count, takes_grammar, model.api)
            began = time.perf_counter()
            answers = await asyncio.gather(
                *(client.complete(replace(one, max_tokens=MOST_TOKENS)) for one in requests)
            )
            seen["wall"].append(time.perf_counter() - began)
            seen["answer"].append(sum(answer.completion_tokens for answer in answers))
            seen["prompt"].append(sum(answer.prompt_tokens for answer in answers))
            seen["cached"].append(sum(answer.cached_tokens for answer in answers))
        seen["cpu"] = time.process_time() - cpu
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(*json.loads(sys.argv[1])))), flush=True)
    os._exit(0)  # llama.cpp takes a while to shut down

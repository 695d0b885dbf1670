"""All benchmarks as tables: `python -m benchmarks [NAME…] [--full]`, from the repository's root.

Without names it runs all benchmarks except `yield`, which needs a model. `--full` adds the slow
parts.
"""

from __future__ import annotations

import importlib
import sys
import time

from .tables import machine

NAMES = (
    "startup",
    "novelty",
    "near_duplicates",
    "paraphrases",
    "lag",
    "throughput",
    "prefixes",
    "replay",
    "memory",
    "embedded",
    "ladder",
    "reward",
    "cluster",
    "classification",
    "criteria",
    "study_load",
    "report",
)
# Benchmarks that run only if they are named, because they need options; each with its module.
ON_REQUEST = {"yield": "yield_trials.command"}


def main(arguments: list[str]) -> None:
    """Run the named benchmarks; by default all that need no options."""
    names, options = names_and_options(arguments)
    if unknown := sorted({*names} - {*NAMES, *ON_REQUEST}):
        there_are = ", ".join([*NAMES, *ON_REQUEST])
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {there_are}")
    print(machine())
    for name in names or NAMES:
        began = time.perf_counter()
        module = ON_REQUEST.get(name, name)
        importlib.import_module(f".{module}", __package__).main(options)
        print(f"  ({name}: {time.perf_counter() - began:.0f} s)", flush=True)


def names_and_options(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The benchmarks named, and the options with their values.

    The argument after an option without "=" is its value, unless it names a benchmark.
    """
    names: list[str] = []
    options: list[str] = []
    for argument, before in zip(arguments, ["", *arguments], strict=False):
        is_known = argument in NAMES or argument in ON_REQUEST
        is_value = before.startswith("--") and "=" not in before and not is_known
        (options if argument.startswith("-") or is_value else names).append(argument)
    return names, options


if __name__ == "__main__":
    main(sys.argv[1:])

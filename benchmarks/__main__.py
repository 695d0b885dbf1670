"""All benchmarks as tables: `python -m benchmarks [NAME…] [--full]`, from the repository's root.

Without names all are run; `--full` adds the parts that take long.
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
    "lag",
    "throughput",
    "prefixes",
    "replay",
    "memory",
    "embedded",
    "ladder",
    "cluster",
    "classification",
    "criteria",
    "study_load",
    "report",
)


def main(arguments: list[str]) -> None:
    """Run the benchmarks that are named, all by default."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    options = [argument for argument in arguments if argument.startswith("-")]
    if unknown := sorted({*names} - {*NAMES}):
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    print(machine())
    for name in names or NAMES:
        began = time.perf_counter()
        importlib.import_module(f".{name}", __package__).main(options)
        print(f"  ({name}: {time.perf_counter() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

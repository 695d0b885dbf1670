"""`selfbehave dedupe`: remove near duplicates."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

__all__ = ["add_dedupe", "add_dedupe_options", "dedupe_files"]

_REPORT_EVERY = 10.0  # seconds


def add_dedupe(commands: Any) -> None:
    """Add the `dedupe` command."""
    text = "remove near duplicates: rows too similar to an earlier row, by ROUGE-L"
    sub: argparse.ArgumentParser = commands.add_parser("dedupe", help=text, description=text)
    sub.set_defaults(command=_dedupe)
    add_dedupe_options(sub)
    sub.add_argument(
        "--workers",
        type=int,
        default=len(os.sched_getaffinity(0)),
        metavar="N",
        help="processes, for files of tens of thousands of rows (default: one for each core)",
    )
    sub.add_argument(
        "--approximate",
        choices=("minhash",),
        help="compare only what MinHash finds, which misses near duplicates "
        "(default: the exact rule)",
    )


def add_dedupe_options(sub: argparse.ArgumentParser, of_file: Callable[[str], Any] = Path) -> None:
    """Add the options for the files to compare and the rule to apply.

    Args:
        of_file: converts a file's name.
    """
    sub.add_argument(
        "files", nargs="+", type=of_file, metavar="FILE", help="*.jsonl or *.parquet, in order"
    )
    sub.add_argument(
        "--to",
        type=of_file,
        required=True,
        metavar="FILE",
        help="file for the rows that are kept; dropped rows go to *.dropped.jsonl beside it",
    )
    sub.add_argument(
        "--pool",
        nargs="+",
        type=of_file,
        default=[],
        metavar="FILE",
        help="rows to compare with and not to write, such as seed tasks",
    )
    sub.add_argument(
        "--threshold",
        type=float,
        default=0.7,
        help="keep a row if its ROUGE-L F1 to all kept before is at most this "
        "(default: %(default)s)",
    )
    sub.add_argument(
        "--field",
        nargs="+",
        default=[],
        metavar="NAME",
        help="fields whose text is compared (default: the first that a row has of instruction, "
        "prompt, messages, scenario, text)",
    )


def _dedupe(options: argparse.Namespace) -> None:
    dedupe_files(options, options.workers, options.approximate is not None)


def dedupe_files(
    options: argparse.Namespace,
    workers: int,
    is_approximate: bool = False,
    executor: Executor | None = None,
) -> None:
    """Remove near duplicates and print a report; use local processes or an executor."""
    from ..novelty.dedupe.dedupe_files import DedupeSettings, dedupe

    reported_at = time.monotonic()

    def report_progress(decided: int, kept: int, of: int) -> None:
        nonlocal reported_at
        if time.monotonic() - reported_at >= _REPORT_EVERY:
            reported_at = time.monotonic()
            print(f"decided: {decided:,} of {of:,} rows · {kept:,} kept", flush=True)

    settings = DedupeSettings(
        threshold=options.threshold,
        fields=tuple(options.field),
        workers=workers,
        approximate=is_approximate,
    )
    done = dedupe(options.files, options.to, options.pool, settings, report_progress, executor)
    if settings.approximate:
        print("APPROXIMATE, by MinHash: near duplicates that it missed are kept")
    print(f"kept: {done.kept:,} of {done.kept + done.dropped:,} rows: {options.to}")
    print(f"dropped: {done.dropped:,}, each with the row it is too similar to: {done.dropped_file}")
    if done.wordless:
        print(
            f"kept uncompared: {done.wordless:,} rows without a letter a-z or a digit, "
            "which is all that ROUGE counts"
        )

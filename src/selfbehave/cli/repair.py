"""`selfbehave repair`: repair the rows of a dataset."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_repair"]


def add_repair(commands: Any) -> None:
    """Add the command."""
    text = "repair rows: lay out folded scenarios, close fences, cut leaked text; add nothing"
    parser = commands.add_parser("repair", help=text, description=text)
    parser.set_defaults(command=_repair)
    parser.add_argument("file", metavar="FILE", help="a *.jsonl or *.parquet file")
    parser.add_argument("--output_file", required=True, help="where the mended rows go")


def _repair(options: argparse.Namespace) -> None:
    from ..audit.repair import repair_file
    from ..audit.view import print_repair

    print_repair(repair_file(options.file, options.output_file))

"""`selfbehave seeds`: convert seed tasks to a Markdown page and back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

__all__ = ["add_seeds"]


def add_seeds(commands: Any) -> None:
    """Add the commands."""
    text = "convert seed tasks to a Markdown page and back"
    parser = commands.add_parser("seeds", help=text, description=text)
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command, help in (
        ("to-markdown", _to_markdown, "write seed tasks as a readable page"),
        ("from-markdown", _from_markdown, "read such a page back to *.jsonl"),
    ):
        action = actions.add_parser(name, help=help, description=help)
        action.set_defaults(command=command)
        action.add_argument("file", metavar="FILE", help="what to read")
        action.add_argument("--output_file", help="what to write (default: standard output)")


def _to_markdown(options: argparse.Namespace) -> None:
    from ..seeds.markdown import markdown_of_file

    _write(markdown_of_file(options.file), options.output_file)


def _from_markdown(options: argparse.Namespace) -> None:
    from ..seeds.markdown import jsonl_of_file

    _write(jsonl_of_file(options.file), options.output_file)


def _write(text: str, output_file: str | None) -> None:
    from ..core.files import write_text

    if output_file is None:
        sys.stdout.write(text)
    else:
        write_text(Path(output_file), text)

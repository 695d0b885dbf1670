"""`selfbehave batch`: batches that a user carries to a server by hand, and those in flight."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..engines.settings import EngineSettings
from ..runs.run_settings import RunSettings
from .options import settings_of
from .run import add_run_options, settings_of_added_stages
from .stage_commands import add_batch_dir

__all__ = ["add_batch"]


def add_batch(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "batch",
        help="batches of requests: carry their files by hand, list or forget those in flight",
        description=__doc__,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    help_text = "write the requests that wait to a file"
    write = actions.add_parser(
        "write",
        help=help_text,
        description=f"Run like `selfbehave run`, and {help_text} instead of sending them.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    write.add_argument("file", type=Path, help="the file to write, such as requests.jsonl")
    add_run_options(write)
    write.set_defaults(command=_write)
    for name, command, help_text in (
        ("read", _read, "put the answers in files into the run's journal"),
        ("list", _list, "list the batches in flight"),
        ("drop", _drop, "forget the batches in flight; the next run asks, and pays, again"),
    ):
        action = actions.add_parser(name, help=help_text, description=help_text.capitalize() + ".")
        if name == "read":
            action.add_argument("files", type=Path, nargs="+", help="files with the answers")
        add_batch_dir(action)
        action.set_defaults(command=command)


def _write(options: argparse.Namespace) -> None:
    from ..runs.carried_batches import write_batch
    from ..views.display import Display

    settings, engine = settings_of(RunSettings, options), settings_of(EngineSettings, options)
    added = settings_of_added_stages(options)
    carried = write_batch(options.batch_dir, settings, engine, Display(), options.file, added)
    if carried is None:
        print("nothing waits: every request has its answer, and the run is done")
        return
    for file in carried.files:
        print(file)
    print(
        f"{carried.requests} requests written. Have a server answer them, then: "
        f"selfbehave batch read ANSWERS --batch_dir {options.batch_dir}"
    )


def _read(options: argparse.Namespace) -> None:
    from ..core.printable import printable
    from ..runs.carried_batches import read_batch

    read = read_batch(options.batch_dir, options.files)
    print(f"{read.answered} answers are in the journal; the run goes on from there")
    if read.lacking:
        print(f"{read.lacking} requests have no answer, and will be asked again:")
        for words, count in read.failures.items():
            print(f"  {count}: {printable(words)}")
    if read.ignored:
        print(f"{read.ignored} lines ignored: they belong to no request in flight, or repeat one")


def _list(options: argparse.Namespace) -> None:
    from ..runs.carried_batches import open_batches

    for one in open_batches(options.batch_dir):
        name = one.batch_id or one.name
        print(f"{name}: {one.step}, {len(one.requests)} requests, {one.address}")


def _drop(options: argparse.Namespace) -> None:
    from ..runs.carried_batches import drop_batches

    for one in drop_batches(options.batch_dir):
        name = one.batch_id or one.name
        print(f"forgotten: {name}, {len(one.requests)} requests, {one.address}")

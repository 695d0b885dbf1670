"""The command line of clusters: `selfbehave cluster …`.

Ray is imported by the commands, so that others do without.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cli_options import add_options, settings_of
from .errors import SelfBehaveError
from .settings import (
    DEFAULT_BATCH_DIR,
    ClassifySettings,
    EngineSettings,
    InstancesSettings,
    PrepareSettings,
    RunSettings,
)

if TYPE_CHECKING:
    from .cluster.session import ClusterSettings

__all__ = ["add_cluster"]

Command = Callable[[argparse.Namespace], None]


def add_cluster(commands: Any) -> None:
    """Add the `cluster` commands."""
    text = "the stages on a Ray cluster, with the files of one machine"
    sub = commands.add_parser("cluster", help=text, description=text)
    actions = sub.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command, records, help in (
        ("run", _run, (RunSettings, EngineSettings), "all four stages"),
        ("classify", _classify, (ClassifySettings, EngineSettings), "2: classification or not"),
        ("instances", _instances, (InstancesSettings, EngineSettings), "3: inputs and outputs"),
        ("prepare", _prepare, (PrepareSettings,), "4: parse, filter, encode, write"),
    ):
        action = actions.add_parser(name, help=help, description=help)
        action.set_defaults(command=_with_ray(command))
        if PrepareSettings not in records:
            action.add_argument(
                "--batch_dir", type=Path, default=Path(DEFAULT_BATCH_DIR), help="the run's folder"
            )
        for record in records:
            add_options(action, record)
        _add_cluster_options(action)


def _add_cluster_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address",
        help="of the Ray cluster, such as auto on one of its nodes (default: RAY_ADDRESS, or a "
        "cluster of this machine alone, started for this command)",
    )
    parser.add_argument("--workers", type=int, help="at a time (default: one for each core)")


def _with_ray(command: Command) -> Command:
    """The command, with one line where Ray is missing."""

    @wraps(command)
    def checked(options: argparse.Namespace) -> None:
        try:
            command(options)
        except ModuleNotFoundError as error:
            if (error.name or "selfbehave").partition(".")[0] == "selfbehave":
                raise
            raise SelfBehaveError(
                f"cluster needs more packages, {error.name} among them",
                mend="pip install 'selfbehave[cluster]'",
            ) from error

    return checked


def _cluster_of(options: argparse.Namespace) -> ClusterSettings:
    from .cluster.session import ClusterSettings

    return ClusterSettings(address=options.address, workers=options.workers)


def _run(options: argparse.Namespace) -> None:
    from .cluster import stages
    from .progress import Display

    settings, engine = settings_of(RunSettings, options), settings_of(EngineSettings, options)
    report = stages.run(options.batch_dir, settings, engine, _cluster_of(options))
    display = Display()
    display.summary(report.stages)
    display.files([file for stage in report.stages for file in stage.files])


def _classify(options: argparse.Namespace) -> None:
    from .cluster import stages

    settings, engine = settings_of(ClassifySettings, options), settings_of(EngineSettings, options)
    stages.classify(options.batch_dir, settings, engine, _cluster_of(options))


def _instances(options: argparse.Namespace) -> None:
    from .cluster import stages

    settings, engine = settings_of(InstancesSettings, options), settings_of(EngineSettings, options)
    stages.instances(options.batch_dir, settings, engine, _cluster_of(options))


def _prepare(options: argparse.Namespace) -> None:
    from .cluster import stages

    stages.prepare(settings_of(PrepareSettings, options), _cluster_of(options))

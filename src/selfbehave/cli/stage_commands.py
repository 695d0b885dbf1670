"""The command of each stage, made from the registry of stages."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ..core.run_files import DEFAULT_BATCH_DIR
from ..engines.settings import EngineSettings
from ..stages.base import Stage
from ..stages.registry import all_stages
from .options import add_options, settings_of
from .watching import add_watching, watched

__all__ = ["add_batch_dir", "add_stage_options", "add_stages", "folder_of", "numbered_stages"]


def add_stages(commands: Any) -> None:
    """Add a command for each stage."""
    for help, stage in numbered_stages():
        parser = commands.add_parser(
            stage.name,
            help=help,
            description=stage.settings.__doc__,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        parser.set_defaults(command=partial(_run, stage))
        add_stage_options(parser, stage)
        add_watching(parser)


def numbered_stages() -> Iterator[tuple[str, Stage[Any]]]:
    """Each stage with its help text, which begins with its number in a run."""
    for number, stage in enumerate(all_stages(), start=1):
        yield f"{number}: {stage.summary}", stage


def add_stage_options(parser: argparse.ArgumentParser, stage: Stage[Any]) -> None:
    """Add the options of a stage, with those of its engine."""
    if stage.folder_of is None:
        add_batch_dir(parser)
    add_options(parser, stage.settings)
    if stage.asks_engine:
        add_options(parser, EngineSettings)


def add_batch_dir(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a run's folder."""
    parser.add_argument(
        "--batch_dir", type=Path, default=Path(DEFAULT_BATCH_DIR), help="the run's folder"
    )


def folder_of(stage: Stage[Any], settings: Any, options: argparse.Namespace) -> Path:
    """The run's folder, from the stage's settings or from the option."""
    folder: Path = options.batch_dir if stage.folder_of is None else stage.folder_of(settings)
    return folder


def _run(stage: Stage[Any], options: argparse.Namespace) -> None:
    from ..runs.pipeline import run_stage

    settings = settings_of(stage.settings, options)
    engine = settings_of(EngineSettings, options) if stage.asks_engine else None
    folder = folder_of(stage, settings, options)
    with watched(stage.name, options) as (display, finish):
        finish(run_stage(stage, settings, folder, engine, display))

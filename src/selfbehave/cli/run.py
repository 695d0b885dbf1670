"""`selfbehave run`: all stages in one folder."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..engines.settings import EngineSettings
from ..runs.run_settings import RunSettings
from ..stages.base import Stage
from ..stages.registry import BUILT_IN, all_stages
from .options import add_options, settings_of
from .stage_commands import add_batch_dir
from .watching import add_watching, watched

__all__ = ["add_run", "add_run_options", "settings_of_added_stages"]

_SAMPLE = 8  # requests of each stage


def add_run(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "run",
        help="all stages",
        description=RunSettings.__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(command=_run)
    add_run_options(parser)
    parser.add_argument(
        "--estimate",
        type=int,
        nargs="?",
        const=_SAMPLE,
        default=argparse.SUPPRESS,
        metavar="N",
        help=f"ask N requests of each stage ({_SAMPLE} if no number is given), print what the "
        "whole run will take, and stop",
    )
    add_watching(parser)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a whole run, of its engine and of added stages."""
    add_batch_dir(parser)
    add_options(parser, RunSettings)
    add_options(parser, EngineSettings)
    known = {field.name for record in (RunSettings, EngineSettings) for field in fields(record)}
    for stage in _added_stages():
        add_options(parser, stage.settings, besides={*known, *stage.in_run(Path())})
        known |= {field.name for field in fields(stage.settings)}


def settings_of_added_stages(options: argparse.Namespace) -> dict[str, Any]:
    """The settings of the stages that other packages add, by name."""
    return {
        stage.name: replace(settings_of(stage.settings, options), **stage.in_run(options.batch_dir))
        for stage in _added_stages()
    }


def _added_stages() -> list[Stage[Any]]:
    return [stage for stage in all_stages() if stage not in BUILT_IN]


def _run(options: argparse.Namespace) -> None:
    from ..runs.pipeline import run

    settings, engine = settings_of(RunSettings, options), settings_of(EngineSettings, options)
    added = settings_of_added_stages(options)
    if (asked := getattr(options, "estimate", None)) is not None:
        from ..runs.estimating import estimate

        with watched("run", options) as (display, finish):
            finish(estimate(options.batch_dir, settings, engine, display, asked, added))
        return
    with watched("run", options) as (display, finish):
        finish(run(options.batch_dir, settings, engine, display, added))

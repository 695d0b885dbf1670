"""`selfbehave run`: all stages in one folder."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import Any

from ..engines.settings import EngineSettings
from ..runs.run_settings import RunSettings
from ..stages.registry import BUILT_IN, all_stages
from .options import add_options, settings_of
from .stage_commands import add_batch_dir
from .watching import add_watching, watched

__all__ = ["add_run", "add_run_options", "settings_of_added_stages"]


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
    add_watching(parser)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a whole run, with those of its engine and of added stages."""
    add_batch_dir(parser)
    known = {"batch_dir"}
    for record in (
        RunSettings,
        EngineSettings,
        *(stage.settings for stage in all_stages() if stage not in BUILT_IN),
    ):
        add_options(parser, record, besides=known)
        known |= {field.name for field in fields(record)}


def settings_of_added_stages(options: argparse.Namespace) -> dict[str, Any]:
    """By name, the settings of the stages that other packages add."""
    return {
        stage.name: settings_of(stage.settings, options)
        for stage in all_stages()
        if stage not in BUILT_IN
    }


def _run(options: argparse.Namespace) -> None:
    from ..runs.pipeline import run

    settings, engine = settings_of(RunSettings, options), settings_of(EngineSettings, options)
    added = settings_of_added_stages(options)
    with watched("run", options) as (display, finish):
        finish(run(options.batch_dir, settings, engine, display, added))

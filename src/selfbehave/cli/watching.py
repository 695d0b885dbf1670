"""The options `--quiet` and `--json`, and the display of a command's events."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..core.errors import SelfBehaveError

if TYPE_CHECKING:
    from ..events.stage_report import StageReport
    from ..runs.pipeline import RunReport
    from ..views.base import View
    from ..views.display import Display

__all__ = ["add_watching", "people_view", "watched"]

_ADVICE = (
    "This small model shows the whole pipeline; it does not write good data. "
    "For that give another engine, as in: selfbehave run --engine embedded"
)


def add_watching(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the views."""
    parser.add_argument("--quiet", action="store_true", help="show only errors, on standard error")
    parser.add_argument(
        "--json",
        action="store_true",
        help="write events on standard output, a JSON object a line; what is for people then "
        "goes to standard error",
    )


@contextmanager
def watched(
    command: str, options: argparse.Namespace, views: Sequence[View] = ()
) -> Iterator[tuple[Display, Callable[[RunReport | StageReport], None]]]:
    """Show a command from its start to its end, even if it fails.

    Args:
        views: show its events; by default those that `--quiet` and `--json` choose.

    Yields:
        a display for its events, and a function to call with its report when it is done.
    """
    from ..events.events import RunFinished, RunStarted
    from ..events.stage_report import StageReport
    from ..views.display import Display

    display = Display(*(views or _views(options)))
    finished = RunFinished("failed")

    def finish(report: RunReport | StageReport) -> None:
        nonlocal finished
        if isinstance(report, StageReport):
            finished = RunFinished("done", reports=(report,))
        else:
            advice = _ADVICE if getattr(options, "engine", None) == "embedded-small" else None
            finished = RunFinished(
                "done", reports=report.stages, example=report.example, advice=advice
            )

    folder = getattr(options, "batch_dir", None)
    display.emit(RunStarted(command, None if folder is None else str(folder)))
    try:
        yield display, finish
    except KeyboardInterrupt:
        finished = RunFinished("interrupted")
        raise
    except SelfBehaveError as error:
        finished = RunFinished("failed", str(error))
        raise
    finally:
        display.emit(finished)


def people_view(options: argparse.Namespace) -> View:
    """The view for people; with `--json`, standard output is for programs."""
    from rich.console import Console

    from ..views.display import console_view
    from ..views.quiet import Quiet

    if options.quiet:
        return Quiet(Console(stderr=True, highlight=False))
    return console_view(Console(stderr=options.json, highlight=False))


def _views(options: argparse.Namespace) -> list[View]:
    from ..views.machine import JsonLines

    of_people = people_view(options)
    return [of_people, JsonLines(sys.stdout)] if options.json else [of_people]

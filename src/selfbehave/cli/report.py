"""The command line of run reports: `selfbehave report …`.

The command imports the packages that only reports need, so that other commands do not need them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.extras import needs_extra

__all__ = ["add_report"]


def add_report(commands: Any) -> None:
    """Add the `report` command."""
    text = "show runs on one page: what was kept, its cost, novelty, variety, rows"
    sub: argparse.ArgumentParser = commands.add_parser("report", help=text, description=text)
    sub.set_defaults(command=_report)
    sub.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="a run's folder, finished or not; NAME=FOLDER names it otherwise; several are "
        "compared side by side",
    )
    sub.add_argument(
        "--to",
        type=Path,
        metavar="FILE.html",
        help="the page (default: report.html in the only RUN, or here for several)",
    )
    sub.add_argument(
        "--figures", type=Path, metavar="DIR", help="write every figure as PNG and SVG as well"
    )
    for name, what in (("in", "prompts"), ("out", "answers")):
        sub.add_argument(
            f"--price_{name}",
            type=float,
            metavar="PRICE",
            help=f"of a million tokens of {what}, in --currency",
        )
    sub.add_argument("--currency", default="USD", help="of the prices (default: %(default)s)")


def _report(options: argparse.Namespace) -> None:
    for name in ("price_in", "price_out"):
        price = getattr(options, name)
        if price is not None and not 0 <= price < float("inf"):
            raise SelfBehaveError(f"--{name} must be at least 0, not {price}", exit_code=EXIT_USAGE)
    _make(options)


@needs_extra("report")
def _make(options: argparse.Namespace) -> None:
    from rich.console import Console

    from ..report.make_report import Prices, report
    from ..stats.tables import print_table
    from ..views.display import Display

    prices = Prices(options.price_in, options.price_out, options.currency)
    made = report(options.runs, options.to, prices, options.figures)
    print_table(made.table, Console(highlight=False))
    display = Display()
    for notice in made.notices:
        display.say(notice)
    if made.figures:
        display.say(f"figures: {len(made.figures)} files in {options.figures}")
    display.say(f"report: {made.page}")

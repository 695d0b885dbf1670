"""Make the report of runs: read them, compute and draw the figures, and write the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.files import write_bytes, write_text
from ..figures.vega import png, svg
from ..stats.tables import Table
from .counts import Prices
from .facts import read_runs
from .page import page
from .run_figures import figures
from .run_tables import main_table

__all__ = ["Prices", "Report", "report"]


@dataclass(frozen=True)
class Report:
    """The result of making a report.

    Attributes:
        table: the overview table.
        notices: one sentence for each thing missing in the runs.
        figures: the figure files written.
    """

    page: Path
    table: Table
    notices: tuple[str, ...]
    figures: tuple[Path, ...]


def report(
    runs: Sequence[str],
    to: Path | None = None,
    prices: Prices | None = None,
    figures_to: Path | None = None,
) -> Report:
    """Report runs, side by side if there are several. Runs may be unfinished.

    The same files give the same page.

    Args:
        runs: the run folders, each as `FOLDER` or `NAME=FOLDER`.
        to: the page to write; None for `report.html` in the folder of a single run, or in the
            current folder for several runs.
        prices: the token prices.
        figures_to: a folder to save every figure in as PNG and SVG, or None.

    Raises:
        SelfBehaveError: a folder holds no run, a file of one is broken, or the page cannot be
            written.
    """
    prices = prices or Prices()
    read = read_runs(runs)
    if to is None:
        to = (read[0].folder if len(read) == 1 else Path()) / "report.html"
    drawn = figures(read)
    write_text(to, page(read, drawn, prices))
    written = []
    if figures_to is not None:
        for figure in drawn:
            for ending, data in (
                ("svg", svg(figure.specification).encode("utf-8")),
                ("png", png(figure.specification)),
            ):
                written.append(figures_to / f"{figure.name}.{ending}")
                write_bytes(written[-1], data)
    notices = tuple(f"{run.name}: {clause}." for run in read for clause in run.missing)
    return Report(to, main_table(read, prices), notices, tuple(written))

"""The report as one HTML page: tables, figures, methods; no script."""

from __future__ import annotations

from pathlib import Path

from ..core.files import write_text
from ..figures.vega import inline, panel_chart
from ..pages.rendering import render_page
from ..stats.coefficients import interpretation
from ..stats.number_text import interval_text, number_text
from ..stats.tables import Table
from .analysis import Analysis
from .naming import title_of, whose
from .ratings import CONSENSUS, HIGH_QUALITY
from .study_figures import figures
from .study_tables import tables

__all__ = ["write_page"]


def write_page(analysis: Analysis, path: Path) -> None:
    """Write the report's page.

    Raises:
        SelfBehaveError: the file cannot be written.
    """
    page = render_page(
        __package__,
        "report_page.html",
        style="report_page.css",
        analysis=analysis,
        figures={
            figure.name: {
                "text": figure.text,
                "panels": [
                    inline(panel_chart(panel), figure.text, f"{figure.name}-{index}")
                    for index, panel in enumerate(figure.panels)
                ],
            }
            for figure in figures(analysis)
        },
        sections=_sections(analysis),
        findings=_findings(analysis),
        paradoxes=_paradoxes(analysis),
        whose=whose(analysis),
    )
    write_text(path, page)


def _sections(analysis: Analysis) -> dict[str, list[Table]]:
    sections: dict[str, list[Table]] = {}
    for table in tables(analysis):
        sections.setdefault(table.section, []).append(table)
    return sections


def _findings(analysis: Analysis) -> list[dict[str, str]]:
    """Each dataset's high-quality share, and how far the first two raters agree on it."""
    found = []
    for dataset in analysis.datasets:
        finding = {"dataset": dataset}
        for one in analysis.proportions:
            if (one.dataset, one.measure) == (dataset, HIGH_QUALITY) and (
                one.rater == analysis.reference and one.share.value is not None
            ):
                finding["share"] = f"{100 * one.share.value:.1f}%"
                finding["of"] = f"{one.yes} of {one.answered} scenarios"
        for agreement in analysis.agreements:
            people = CONSENSUS not in agreement.raters
            if people and (agreement.dataset, agreement.measure) == (dataset, HIGH_QUALITY):
                kappa = agreement.kappa
                if kappa.value is not None:
                    finding["kappa"] = (
                        f"κ {number_text(kappa.value)} {interval_text(kappa)} between raters "
                        f"{agreement.raters[0]} and {agreement.raters[1]}: "
                        f"{interpretation(kappa.value)}"
                    )
                break
        found.append(finding)
    return found


def _paradoxes(analysis: Analysis) -> list[str]:
    """Cases of uninformative kappa despite high agreement, one sentence each."""
    return [
        f"{title_of(one.measure)} in {one.dataset}: raters {one.raters[0]} and {one.raters[1]} "
        f"give the same verdict on {100 * one.raw.value:.0f}% of scenarios, and yet κ is "
        f"{number_text(one.kappa.value)}; AC1 is {number_text(one.ac1.value)}."
        for one in analysis.agreements
        if CONSENSUS not in one.raters
        and one.raw.value is not None
        and one.kappa.value is not None
        and one.ac1.value is not None
        and one.raw.value >= 0.75
        and one.ac1.value - one.kappa.value >= 0.4
    ]

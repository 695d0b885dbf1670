"""The analysis as text tables for the terminal and the report page, and as CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from ..core.files import write_text
from ..core.printable import printable
from ..stats.coefficients import interpretation
from ..stats.estimates import Estimate
from ..stats.number_text import interval_text, number_text, p_text
from ..stats.tables import Table, print_table
from .agreement import MEASURES, Agreement, Proportion
from .analysis import Analysis
from .naming import letters, pair_title, title_of, whose
from .ratings import CONSENSUS
from .spreadsheet import guarded

__all__ = ["print_tables", "tables", "write_csv"]


def tables(analysis: Analysis) -> list[Table]:
    """Every table of a report, in display order."""
    return [
        _coverage(analysis),
        *_proportions(analysis),
        *_agreements(analysis),
        *_confusions(analysis),
        *_groups(analysis),
        *_overruled(analysis),
        *_comparisons(analysis),
        *_regions(analysis),
    ]


def print_tables(analysis: Analysis, console: Console) -> None:
    """Print every table, then the notices about gaps in the data."""
    for table in tables(analysis):
        print_table(table, console)
    for notice in analysis.notices:
        console.print(Text(printable(notice), style="yellow"))


def write_csv(analysis: Analysis, folder: Path) -> list[Path]:
    """Write all numbers at full precision to CSV files in a folder, one per kind of record.

    An undefined number is an empty cell, and the column next to it gives the reason.
    """
    written = []
    for name, records in (
        ("proportions", analysis.proportions),
        ("agreement", analysis.agreements),
        ("agreement_of_all", analysis.group_agreements),
        ("overruled", analysis.overrulings),
        ("comparison", analysis.comparisons),
        ("regions", analysis.regions),
    ):
        rows = [dict(_flat(asdict(record))) for record in records]
        if rows:
            buffer = io.StringIO(newline="")
            writer = csv.DictWriter(buffer, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
            written.append(folder / f"{name}.csv")
            write_text(written[-1], buffer.getvalue())
    return written


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Flatten a nested record to cells: `kappa` gives `kappa`, `kappa_low`, `kappa_high`, …"""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}_")
        elif isinstance(value, tuple) and name in ("yes", "answered", "datasets"):
            for end, part in zip(("first", "second"), value, strict=True):
                yield f"{prefix}{name}_{end}", guarded(part) if isinstance(part, str) else part
        elif isinstance(value, tuple):
            yield f"{prefix}{name}", guarded(" ".join(value))
        else:
            yield (
                (prefix + name).removesuffix("_value"),
                guarded(value) if isinstance(value, str) else value,
            )


def _with_interval(estimate: Estimate, digits: int = 2) -> str:
    if estimate.value is None:
        return f"undefined: {estimate.remark}"
    return f"{number_text(estimate.value, digits)} {interval_text(estimate)}".strip()


def _percent(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    low, high = (100 * end for end in (estimate.low, estimate.high))
    return f"{100 * estimate.value:.1f}% [{low:.0f},{high:.0f}]"


def _coverage(analysis: Analysis) -> Table:
    return Table(
        "coverage",
        "What was rated",
        ("dataset", "scenarios", "raters", "by nobody", "by one", "incomplete", "ill-formed"),
        tuple(
            (
                part.dataset,
                str(part.scenarios),
                ", ".join(part.raters),
                str(part.by_nobody),
                str(part.by_one),
                str(part.incomplete),
                str(part.ill_formed),
            )
            for part in analysis.coverage
        ),
        caption="Raters of a scenario are counted without the consensus and automatic raters.",
    )


def _proportions(analysis: Analysis) -> Iterator[Table]:
    for part in analysis.coverage:
        cells = {
            (one.measure, one.rater): _of_rater(one)
            for one in analysis.proportions
            if one.dataset == part.dataset
        }
        yield Table(
            "proportions",
            f"Yes in {part.dataset}",
            ("criterion", *part.raters),
            tuple(
                (title_of(measure), *(cells[measure, rater] for rater in part.raters))
                for measure in MEASURES
            ),
            caption="Count and share of yes, with Wilson's 95% interval.",
        )


def _of_rater(one: Proportion) -> str:
    if not one.answered:
        return "not answered"
    gap = f" of {one.answered}" if one.unanswered else ""
    return f"{one.yes}{gap} · {_percent(one.share)}"


def _agreements(analysis: Analysis) -> Iterator[Table]:
    for (dataset, raters), found in _by_pair(analysis.agreements):
        settled = CONSENSUS in raters
        yield Table(
            "agreement with the consensus" if settled else "agreement",
            f"{pair_title(raters)} in {dataset}",
            ("criterion", "agree", "Cohen's κ", "strength", "Gwet's AC1", "α", "n"),
            tuple(
                (
                    title_of(one.measure),
                    "–" if one.raw.value is None else f"{100 * one.raw.value:.1f}%",
                    _with_interval(one.kappa, 4),
                    "" if one.kappa.value is None else interpretation(one.kappa.value),
                    _with_interval(one.ac1, 4),
                    "undefined" if one.alpha.value is None else number_text(one.alpha.value, 4),
                    str(one.confusion.total),
                )
                for one in found
            ),
            caption=" ".join(
                f"{title_of(one.measure)}: {one.kappa.remark}."
                for one in found
                if one.kappa.value is not None and one.kappa.remark
            ),
            words=(0, 3),
        )


def _confusions(analysis: Analysis) -> Iterator[Table]:
    for (dataset, raters), found in _by_pair(analysis.agreements):
        yield Table(
            "confusion",
            f"Confusion in {dataset}: {raters[0]} / {raters[1]}",
            ("criterion", "yes / yes", "yes / no", "no / yes", "no / no", "not by both"),
            tuple(
                (
                    title_of(one.measure),
                    *(str(count) for count in astuple(one.confusion)),
                    str(one.unpaired),
                )
                for one in found
            ),
        )


def _by_pair(
    found: Sequence[Agreement],
) -> Iterator[tuple[tuple[str, tuple[str, str]], list[Agreement]]]:
    """Agreements by dataset and pair; pairs with the consensus come last."""
    pairs = dict.fromkeys((one.dataset, one.raters) for one in found)
    for pair in sorted(pairs, key=lambda pair: CONSENSUS in pair[1]):
        yield pair, [one for one in found if (one.dataset, one.raters) == pair]


def _groups(analysis: Analysis) -> Iterator[Table]:
    if analysis.group_agreements:
        yield Table(
            "agreement",
            "All people together",
            ("dataset", "criterion", "Krippendorff's α"),
            tuple(
                (one.dataset, title_of(one.measure), _with_interval(one.alpha, 4))
                for one in analysis.group_agreements
            ),
            words=(0, 1),
        )


def _overruled(analysis: Analysis) -> Iterator[Table]:
    groups: dict[tuple[str, str, bool], list[str]] = {}
    for one in analysis.overrulings:
        key = (one.dataset, one.measure, one.raters_say)
        groups.setdefault(key, []).append(one.scenario_id)
    if groups:
        yield Table(
            "overruled",
            "The consensus overrules raters that agreed",
            ("dataset", "criterion", "raters", "consensus", "scenarios", "which"),
            tuple(
                (
                    dataset,
                    title_of(measure),
                    *(("yes", "no") if raters_say else ("no", "yes")),
                    str(len(scenarios)),
                    ", ".join(scenarios),
                )
                for (dataset, measure, raters_say), scenarios in groups.items()
            ),
            words=(0, 1, 2, 3, 5),
        )


def _comparisons(analysis: Analysis) -> Iterator[Table]:
    for pair in dict.fromkeys(one.datasets for one in analysis.comparisons):
        yield Table(
            "comparison",
            f"{pair[0]} against {pair[1]}, by {whose(analysis)}",
            ("criterion", *pair, "odds ratio", "p", "p (Holm)"),
            tuple(
                (
                    title_of(one.measure),
                    *(f"{yes} of {of}" for yes, of in zip(one.yes, one.answered, strict=True)),
                    _with_interval(one.odds_ratio, 4),
                    p_text(one.p),
                    p_text(one.p_holm),
                )
                for one in analysis.comparisons
                if one.datasets == pair
            ),
            caption="Fisher's exact test, two-sided; an odds ratio above 1 favours "
            f"{pair[0]}. Holm's correction is over all {_tests(analysis)} tests.",
        )


def _regions(analysis: Analysis) -> Iterator[Table]:
    found = list(dict.fromkeys(one.holds for one in analysis.regions))
    counts = {(one.dataset, one.holds): one.count for one in analysis.regions}
    totals = {
        holds: sum(counts.get((dataset, holds), 0) for dataset in analysis.datasets)
        for holds in found
    }
    if found:
        yield Table(
            "regions",
            f"Which criteria hold together, by {whose(analysis)}",
            ("hold", *analysis.datasets),
            tuple(
                (
                    letters(holds),
                    *(str(counts.get((dataset, holds), 0)) for dataset in analysis.datasets),
                )
                for holds in sorted(found, key=lambda holds: -totals[holds])
            ),
            caption="E essential, S singular, C complete, I integrous; ESCI is high quality.",
        )


def _tests(analysis: Analysis) -> int:
    return sum(one.p is not None for one in analysis.comparisons)

"""The report as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from ..figures.vega import Figure, inline, label
from ..novelty.rule import THRESHOLD
from ..pages.rendering import render_page
from ..stats.number_text import cost_text, count_text, duration_text
from .attempt_tables import attempt_tables
from .counts import Prices, rungs_reached, uses
from .deeds import A_NAME, A_PERSON, A_VALUE, NOBODY, NOTHING
from .facts import DATA_FILE, RunFacts
from .judge_tables import judge_tables
from .packing import pack
from .run_tables import main_table, stage_tables, variety_table

__all__ = ["page"]

_LONGEST_NAME = 60


def page(runs: Sequence[RunFacts], drawn: Sequence[Figure], prices: Prices) -> str:
    """Render the page of runs with their figures.

    Raises:
        SelfBehaveError: a journal is broken.
    """
    return render_page(
        __package__,
        "page.html",
        style="page.css",
        program="page.js",
        title=", ".join(label(run.name, _LONGEST_NAME) for run in runs),
        findings=[_finding(run, prices) for run in runs],
        remarks=[f"{label(run.name)}: {clause}." for run in runs for clause in run.missing],
        figures={
            figure.name: {
                "title": figure.title,
                "text": figure.text,
                "svg": inline(figure.specification, figure.text, figure.name),
                "narrow": inline(figure.narrow, figure.text, f"{figure.name}-narrow")
                if figure.narrow
                else None,
            }
            for figure in drawn
        },
        main=main_table(runs, prices),
        stages=[table for run in runs for table in stage_tables(run, prices)],
        attempts=[table for run in runs for table in attempt_tables(run, prices)],
        variety=variety_table(runs),
        judges=[table for run in runs for table in judge_tables(run)],
        rows=pack(runs) if any(run.rows for run in runs) else None,
        threshold=THRESHOLD,
        words={
            "name": A_NAME,
            "person": A_PERSON,
            "value": A_VALUE,
            "nobody": NOBODY,
            "nothing": NOTHING,
        },
    )


def _finding(run: RunFacts, prices: Prices) -> dict[str, Any]:
    """Return a run's headline figures: its rows, the rungs they reached, and their cost."""
    figures = [(f"{len(run.kept):,}", "rows kept")] if DATA_FILE not in run.lacks else []
    reached = [share for share in rungs_reached(run) if share.estimate.value is not None]
    if reached:
        best = reached[-1]
        figures.append((f"{round(100 * best.count / best.of)}%", f"of pairs {best.name}"))
    if run.answers:
        total = uses(run.answers)[-1]
        figures += [
            (f"{total.answers:,}", "requests"),
            (count_text(total.prompt_tokens + total.completion_tokens), "tokens"),
            (duration_text(total.seconds), "at work"),
        ]
        cost = prices.cost(total.prompt_tokens, total.completion_tokens)
        if cost is not None:
            figures.append((cost_text(cost), prices.currency))
    about = [label(engine, _LONGEST_NAME) for engine in run.engines]
    seeds = run.settings.get("bootstrap", {}).get("seed_tasks_path")
    if isinstance(seeds, str):
        about.append(f"seed tasks {label(PurePath(seeds).name, _LONGEST_NAME)}")
    if run.answers:
        begun = datetime.fromtimestamp(run.answers[0].asked_at, UTC)
        about.append(f"begun {begun.day} {begun:%B %Y}")
    return {"run": label(run.name, _LONGEST_NAME), "figures": figures, "about": about}

"""The results of an evaluation as one HTML page: tables and figures; no script."""

from __future__ import annotations

from ..figures.vega import inline, label
from ..novelty.rule import THRESHOLD
from ..pages.rendering import render_page
from ..stats.number_text import interval_text, number_text
from .result_figures import panels
from .result_tables import (
    axis_tables,
    difficulty_table,
    fault_table,
    rung_tables,
    scenario_table,
)
from .results import Evaluation
from .scores import EngineScores
from .words import remarks

__all__ = ["page"]

_LONGEST_NAME = 60


def page(evaluation: Evaluation) -> str:
    """Render the page."""
    return render_page(
        __package__,
        "page.html",
        style="page.css",
        evaluation=evaluation,
        threshold=THRESHOLD,
        findings=[_finding(evaluation, engine) for engine in evaluation.engines],
        remarks=remarks(evaluation),
        figures={
            figure.name: {
                "text": figure.text,
                "panels": [
                    inline(specification, figure.text, f"{figure.name}-{number}")
                    for number, specification in enumerate(figure.specifications)
                ],
            }
            for figure in panels(evaluation)
        },
        rungs=rung_tables(evaluation),
        difficulty=difficulty_table(evaluation),
        axes=axis_tables(evaluation),
        faults=fault_table(evaluation),
        scenarios=scenario_table(evaluation),
    )


def _finding(evaluation: Evaluation, engine: EngineScores) -> dict[str, str]:
    measure, k = evaluation.headline
    score = engine.score(measure, k)
    assert score is not None, "scored over all scenarios"
    value = score.estimate.value
    assert value is not None, "there are scenarios"
    about = label(engine.model, _LONGEST_NAME)
    return {
        "engine": label(engine.name, _LONGEST_NAME),
        "figure": f"{100 * value:.1f}%",
        "words": f"{measure}@{k} {number_text(value)} {interval_text(score.estimate)}",
        "about": "" if about == label(engine.name, _LONGEST_NAME) else about,
    }

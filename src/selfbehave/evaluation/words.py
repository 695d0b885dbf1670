"""What a reader of an evaluation must know of it, in sentences."""

from __future__ import annotations

from ..figures.vega import label
from ..novelty.rule import THRESHOLD
from .results import Evaluation

__all__ = ["remarks"]

_MOST_NAMED = 10
_FEW = 20  # scenarios; below that, a bootstrap tells too little of the others


def remarks(evaluation: Evaluation) -> list[str]:
    """What is left out, repeated or near the training data; one sentence each."""
    found = []
    whole = len(evaluation.benchmark.problems)
    if len(evaluation.problems) < whole:
        found.append(
            f"Only {len(evaluation.problems)} of the benchmark's {whole} scenarios were asked."
        )
    if len(evaluation.problems) < _FEW:
        found.append("So few scenarios have intervals that are too narrow.")
    if repeats := evaluation.benchmark.repeats:
        left_out = "1 row is" if repeats == 1 else f"{repeats} rows are"
        found.append(f"{left_out} left out: an earlier row has the same scenario.")
    if not evaluation.with_checks:
        found.append("No scenario has hidden checks, so general is not told.")
    if evaluation.overlap is not None:
        near, rows = evaluation.overlap.near, evaluation.overlap.rows
        training = f"one of the {rows:,} rows of the training data (ROUGE-L above {THRESHOLD})"
        if not near:
            found.append(f"No scenario is near {training}.")
        else:
            named = ", ".join(label(id) for id in near[:_MOST_NAMED])
            named += " …" if len(near) > _MOST_NAMED else ""
            scenarios = "1 scenario is" if len(near) == 1 else f"{len(near)} scenarios are"
            found.append(f"{scenarios} near {training}, and counted all the same: {named}.")
    return found

"""The raters "auto" and "auto-run": the rules of `selfbehave.bdd.criteria`, with their evidence.

"auto" reads only the text. "auto-run" also runs the code in the sandbox and treats steps that
change nothing as evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..bdd.criteria import Judgement, judge_row
from ..bdd.criteria_by_running import judge_rows_by_running
from ..bdd.extract import compiles, find_block
from ..bdd.fences import PYTHON
from .items import StudyItem
from .ratings import CRITERIA, Rating

__all__ = ["RATER", "RUNNING_RATER", "rate", "rate_by_running"]

RATER = "auto"
RUNNING_RATER = "auto-run"
_MOST_SHOWN = 3  # pieces of evidence against one criterion
_LONGEST_EVIDENCE = 160  # characters


def rate(items: Sequence[StudyItem]) -> list[Rating]:
    """Rate items by rule, in order.

    A row is "ill-formed" if its Python is missing or does not compile.
    """
    return [
        _rating(item, RATER, judge_row(item.instruction, item.input, item.output)) for item in items
    ]


def rate_by_running(items: Sequence[StudyItem]) -> list[Rating]:
    """Rate items as `rate` does, then also run those whose code passes.

    Raises:
        SelfBehaveError: no sandbox is available.
    """
    judgements = judge_rows_by_running((one.instruction, one.input, one.output) for one in items)
    return [
        _rating(item, RUNNING_RATER, judgement)
        for item, judgement in zip(items, judgements, strict=True)
    ]


def _rating(item: StudyItem, rater: str, judgement: Judgement) -> Rating:
    code = find_block(item.output, PYTHON)
    return Rating(
        item.dataset,
        item.scenario_id,
        rater,
        **{name: getattr(judgement, name).holds for name in CRITERIA},
        ill_formed=code is None or not compiles(code.body.strip()),
        note=_note(judgement),
    )


def _note(judgement: Judgement) -> str:
    """One line for each criterion that does not hold."""
    lines = []
    for name in CRITERIA:
        evidence = getattr(judgement, name).evidence
        if evidence:
            shown = [_shortened(str(one)) for one in evidence[:_MOST_SHOWN]]
            more = len(evidence) - _MOST_SHOWN
            lines.append(f"{name}: {'; '.join(shown)}{f'; and {more} more' if more > 0 else ''}")
    return "\n".join(lines)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_EVIDENCE else f"{text[: _LONGEST_EVIDENCE - 1]}…"

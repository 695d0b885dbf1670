"""The consensus: where raters disagree, and which verdicts are settled.

A criterion is in dispute if two raters judged it and their verdicts differ. The consensus rater's
answer counts. If the consensus rater gives no answer, the answer that all raters share counts, if
at least two of them gave it.
"""

from __future__ import annotations

from collections.abc import Sequence

from .rater_answers import NO, QUESTIONS, YES, Answers, questions_of, verdict
from .ratings import CRITERIA

__all__ = ["agreed", "disputed", "open_questions", "settle"]


def disputed(by_raters: Sequence[Answers]) -> tuple[str, ...]:
    """The criteria on which raters' verdicts on one scenario differ."""
    return tuple(
        criterion
        for criterion in CRITERIA
        if {True, False} <= {verdict(criterion, answers) for answers in by_raters}
    )


def agreed(question: str, by_raters: Sequence[Answers]) -> str | None:
    """The answer shared by all raters who answered a question, if at least two did."""
    given = [answer for answers in by_raters if (answer := answers.get(question)) in (YES, NO)]
    return given[0] if len(given) > 1 and len(set(given)) == 1 else None


def settle(own: Answers, by_raters: Sequence[Answers]) -> dict[str, str]:
    """The consensus's answers to one scenario: its own, then those that raters share."""
    settled = {
        field: shared
        for field in (*QUESTIONS, "ill_formed")
        if (shared := agreed(field, by_raters)) is not None
    }
    # Raters may agree that Integrous fails, but for different questions.
    held = [holds for one in by_raters if (holds := verdict("integrous", one)) is not None]
    if len(held) > 1 and len(set(held)) == 1:
        settled["integrous"] = YES if held[0] else NO
    return settled | dict(own)


def open_questions(own: Answers, by_raters: Sequence[Answers]) -> tuple[str, ...]:
    """The questions left to the consensus rater: those of each disputed, unsettled criterion.

    For Integrous, only the questions that the raters do not already agree on.
    """
    settled = settle(own, by_raters)
    return tuple(
        question
        for criterion in disputed(by_raters)
        if verdict(criterion, settled) is None
        for question in questions_of(criterion)
        if question not in settled
    )

"""Answers: what a rater says field by field, and the verdicts that follow from them.

A form asks two questions for Integrous, so answers are finer than ratings. They are texts by
field: "yes" or "no" for a question, and the note as it was written. A field without an answer is
missing. `integrous` is only there where a rating came from elsewhere, as one verdict.
"""

from __future__ import annotations

from collections.abc import Mapping

from .ratings import CRITERIA, Rating

__all__ = [
    "FIELDS",
    "MAX_NOTE_CHARACTERS",
    "NO",
    "QUESTIONS",
    "YES",
    "changes_by",
    "is_finished",
    "questions_of",
    "rating_of",
    "verdict",
    "verdicts",
]

YES, NO = "yes", "no"
QUESTIONS = ("essential", "singular", "complete", "order", "kinds")
FIELDS = (*QUESTIONS, "integrous", "ill_formed", "note")
MAX_NOTE_CHARACTERS = 4000

_INTEGROUS = ("order", "kinds")
_TRUTH = {YES: True, NO: False}

Answers = Mapping[str, str]


def questions_of(criterion: str) -> tuple[str, ...]:
    """The questions that a criterion is asked by."""
    return _INTEGROUS if criterion == "integrous" else (criterion,)


def verdict(criterion: str, answers: Answers) -> bool | None:
    """Whether a criterion holds by the answers; None while they do not say.

    Integrous holds where both its questions are answered yes, and not where one is answered no.
    """
    answered = [_TRUTH.get(answers.get(question, "")) for question in questions_of(criterion)]
    if False in answered:
        return False
    if None not in answered:
        return True
    return _TRUTH.get(answers.get(criterion, ""))


def verdicts(answers: Answers) -> dict[str, bool | None]:
    """The verdict on each criterion."""
    return {criterion: verdict(criterion, answers) for criterion in CRITERIA}


def is_finished(answers: Answers) -> bool:
    """Whether every question is answered, or its criterion is by a rating from elsewhere."""
    return all(
        answers.get(criterion) in _TRUTH
        or all(answers.get(question) in _TRUTH for question in questions_of(criterion))
        for criterion in CRITERIA
    )


def rating_of(dataset: str, scenario_id: str, rater: str, answers: Answers) -> Rating:
    """The rating that follows from answers."""
    return Rating(
        dataset,
        scenario_id,
        rater,
        **verdicts(answers),
        ill_formed=answers.get("ill_formed") == YES,
        note=answers.get("note", ""),
    )


def changes_by(rating: Rating, known: Answers) -> dict[str, str]:
    """What a rating from elsewhere changes in the answers known: the new ones, "" for none.

    It has no word on a criterion it leaves open, and an empty note is none. Where it says of
    Integrous what the answers to its two questions say, they stay; otherwise they do not.
    """
    changes = {
        criterion: YES if holds else NO
        for criterion in CRITERIA
        if (holds := getattr(rating, criterion)) is not None and holds != verdict(criterion, known)
    }
    if "integrous" in changes:
        changes |= {question: "" for question in _INTEGROUS if question in known}
    if rating.ill_formed != (known.get("ill_formed") == YES):
        changes["ill_formed"] = YES if rating.ill_formed else NO
    if rating.note:
        changes["note"] = rating.note
    return changes

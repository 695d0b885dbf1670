"""A rater's answers, field by field, and the verdicts that follow from them.

The form asks two questions for Integrous, so answers have more detail than ratings. They map each
field to a text: "yes" or "no" for a question, or the note as written. A field without an answer is
missing. The field `integrous` exists only if an imported rating gave it as a single verdict.
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
    """The questions that ask about a criterion."""
    return _INTEGROUS if criterion == "integrous" else (criterion,)


def verdict(criterion: str, answers: Answers) -> bool | None:
    """Whether a criterion holds according to the answers; None while that is undecided.

    Integrous holds if both its answers are yes, and fails if either is no.
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
    """Whether each criterion has all its answers, or a verdict from an imported rating."""
    return all(
        answers.get(criterion) in _TRUTH
        or all(answers.get(question) in _TRUTH for question in questions_of(criterion))
        for criterion in CRITERIA
    )


def rating_of(dataset: str, scenario_id: str, rater: str, answers: Answers) -> Rating:
    """The rating that results from the answers."""
    return Rating(
        dataset,
        scenario_id,
        rater,
        **verdicts(answers),
        ill_formed=answers.get("ill_formed") == YES,
        note=answers.get("note", ""),
    )


def changes_by(rating: Rating, known: Answers) -> dict[str, str]:
    """The changes that an imported rating makes to known answers; "" removes an answer.

    An unanswered criterion or an empty note changes nothing. The answers to the two questions on
    Integrous stay if the rating has the same verdict; otherwise the verdict replaces them.
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

"""A rater's position in a study: their scenarios in order, and their progress.

A page's address is its position in the rater's own order. It reveals nothing about the dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..consensus import agreed, disputed, open_questions
from ..criteria_guide import Question
from ..rater_answers import Answers, is_finished, questions_of, verdict
from ..ratings import CONSENSUS, CRITERIA
from ..store import Rater, Study

__all__ = [
    "AskedQuestion",
    "Entry",
    "Place",
    "Visit",
    "Walk",
    "asked_questions",
    "item_at",
    "rater_label",
    "visit_of",
    "walk_of",
]


@dataclass(frozen=True)
class Entry:
    """One of a rater's scenarios.

    Attributes:
        position: its position in the rater's order, from 1; also the address of its page.
        number: the number that the page shows. For the consensus rater, only disagreements count.
        answers: the rater's own answers.
        is_finished: whether all questions are answered.
    """

    position: int
    number: int
    item_id: int
    answers: Answers
    is_finished: bool


@dataclass(frozen=True)
class Place:
    """A page's place among a rater's scenarios, and its links, relative to the page's address."""

    word: str
    done_word: str
    number: int
    total: int
    finished: int
    here: str
    back: str
    next: str


@dataclass(frozen=True)
class Walk:
    """A rater's scenarios in order; for the consensus rater, only the disputed ones."""

    entries: tuple[Entry, ...]
    is_consensus: bool

    @property
    def finished(self) -> int:
        return sum(entry.is_finished for entry in self.entries)

    @property
    def done_word(self) -> str:
        return _done_word(self.is_consensus)

    def at(self, position: int) -> Entry | None:
        """Return the scenario at a position, or None if this rater has none there."""
        return next((entry for entry in self.entries if entry.position == position), None)

    def of_item(self, item_id: int) -> Entry | None:
        """Return the scenario with an item id, or None."""
        return next((entry for entry in self.entries if entry.item_id == item_id), None)

    def first_open(self) -> Entry | None:
        """Return the first unfinished scenario, or None."""
        return next((entry for entry in self.entries if not entry.is_finished), None)

    def visit(self, entry: Entry) -> Visit:
        """Return a scenario with its place in this walk."""
        positions = [one.position for one in self.entries]
        return Visit(
            entry, _place(entry, positions, self.finished, self.is_consensus), self.is_consensus
        )


@dataclass(frozen=True)
class Visit:
    """A scenario with its place, as its page needs it, without the whole walk.

    Attributes:
        finished, total: the numbers of the rater's finished scenarios and of all of them.
    """

    entry: Entry
    place: Place
    is_consensus: bool

    @property
    def finished(self) -> int:
        return self.place.finished

    @property
    def total(self) -> int:
        return self.place.total


@dataclass(frozen=True)
class AskedQuestion:
    """A question as a page shows it.

    Attributes:
        answer: "yes", "no", or "" if there is no answer yet.
        verdicts: for the consensus rater, the raters' answers with the raters' labels.
        agreed: whether the raters agree, so that the consensus rater need not answer.
    """

    field: str
    criterion: str
    text: str
    answer: str
    verdicts: tuple[tuple[str, str], ...]
    agreed: bool


def walk_of(study: Study, rater: Rater) -> Walk:
    """Return a rater's walk through a study in its current state."""
    own, order = study.answers(rater), study.order(rater)
    entries: list[Entry] = []
    if rater.role != CONSENSUS:
        for position, item_id in enumerate(order, start=1):
            answers = own.get(item_id, {})
            entries.append(Entry(position, position, item_id, answers, is_finished(answers)))
        return Walk(tuple(entries), is_consensus=False)
    given_by_all = study.answers_of_all(study.people()).values()
    for position, item_id in enumerate(order, start=1):
        by_raters = [given.get(item_id, {}) for given in given_by_all]
        if disputed(by_raters):
            answers = own.get(item_id, {})
            is_settled = not open_questions(answers, by_raters)
            entries.append(Entry(position, len(entries) + 1, item_id, answers, is_settled))
    return Walk(tuple(entries), is_consensus=True)


def item_at(study: Study, rater: Rater, position: int) -> int | None:
    """Return the item at a position of a rater's walk, or None if the rater has none there."""
    if rater.role == CONSENSUS:
        entry = walk_of(study, rater).at(position)
        return None if entry is None else entry.item_id
    order = study.order(rater)
    return order[position - 1] if 1 <= position <= len(order) else None


def visit_of(study: Study, rater: Rater, position: int) -> Visit | None:
    """Return the scenario at a position of a rater's walk, or None if the rater has none there.

    It does not load the whole walk, because that may contain thousands of answers.
    """
    if rater.role == CONSENSUS:
        walk = walk_of(study, rater)
        found = walk.at(position)
        return None if found is None else walk.visit(found)
    item_id = item_at(study, rater, position)
    if item_id is None:
        return None
    answers, finished = study.progress(rater, item_id)
    entry = Entry(position, position, item_id, answers, is_finished(answers))
    positions = range(1, len(study.order(rater)) + 1)
    return Visit(entry, _place(entry, positions, finished, False), False)


def _place(entry: Entry, positions: Sequence[int], finished: int, is_consensus: bool) -> Place:
    before, after = entry.number - 2, entry.number
    return Place(
        "Disagreement" if is_consensus else "Scenario",
        _done_word(is_consensus),
        entry.number,
        len(positions),
        finished,
        str(entry.position),
        str(positions[before]) if before >= 0 else "",
        str(positions[after]) if after < len(positions) else "end",
    )


def _done_word(is_consensus: bool) -> str:
    return "settled" if is_consensus else "done"


def asked_questions(
    questions: Sequence[Question], own: Answers, by_raters: Sequence[Answers] = ()
) -> list[AskedQuestion]:
    """Return the questions of a page; for the consensus rater, with each rater's answers.

    Args:
        by_raters: every rater's answers, in the order of their labels; empty on a rater's page.
    """
    in_dispute = disputed(by_raters)
    asked = []
    for question in questions:
        field = question.field
        criterion = next(name for name in CRITERIA if field in questions_of(name))
        shown = tuple(
            (rater_label(number), _answer_to(field, criterion, answers))
            for number, answers in enumerate(by_raters)
        )
        is_agreed = bool(by_raters) and (
            criterion not in in_dispute or agreed(field, by_raters) is not None
        )
        asked.append(
            AskedQuestion(
                field, question.criterion, question.text, own.get(field, ""), shown, is_agreed
            )
        )
    return asked


def rater_label(number: int) -> str:
    """Return the label that replaces a rater's name for the consensus rater: A, B, … from 0."""
    letters = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _answer_to(field: str, criterion: str, answers: Answers) -> str:
    """Return a rater's answer to a question; for an imported rating, the criterion's verdict."""
    if field in answers or criterion not in answers:
        return answers.get(field, "")
    return {True: "yes", False: "no", None: ""}[verdict(criterion, answers)]

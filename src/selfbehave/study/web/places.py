"""Where a rater is in a study: their scenarios in their order, and how far they have come.

A page is known by its position in the rater's own order, which reveals nothing about the dataset.
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
    """One scenario on a rater's way.

    Attributes:
        position: in their order, from 1; its page's address.
        number: what it is called by; the consensus rater's count the disagreements only.
        answers: their own.
        is_finished: whether nothing is left to answer.
    """

    position: int
    number: int
    item_id: int
    answers: Answers
    is_finished: bool


@dataclass(frozen=True)
class Place:
    """A page on a rater's way, and the ways on from it; addresses are beside the page's own."""

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
    """A rater's scenarios in their order; for the consensus rater, those in dispute."""

    entries: tuple[Entry, ...]
    is_consensus: bool

    @property
    def finished(self) -> int:
        return sum(entry.is_finished for entry in self.entries)

    @property
    def done_word(self) -> str:
        return _done_word(self.is_consensus)

    def at(self, position: int) -> Entry | None:
        """The scenario at a position; None where this rater is shown none there."""
        return next((entry for entry in self.entries if entry.position == position), None)

    def of_item(self, item_id: int) -> Entry | None:
        """The scenario by its item."""
        return next((entry for entry in self.entries if entry.item_id == item_id), None)

    def first_open(self) -> Entry | None:
        """The first scenario with something left to answer."""
        return next((entry for entry in self.entries if not entry.is_finished), None)

    def visit(self, entry: Entry) -> Visit:
        """A scenario with its place on this way."""
        positions = [one.position for one in self.entries]
        return Visit(
            entry, _place(entry, positions, self.finished, self.is_consensus), self.is_consensus
        )


@dataclass(frozen=True)
class Visit:
    """A scenario as its page needs it: with its place, but without the whole way.

    Attributes:
        finished, total: scenarios on the rater's way.
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
    """A question as a page asks it.

    Attributes:
        answer: "yes", "no" or "" for none yet.
        verdicts: what the raters answered, for the consensus rater, by rater's label.
        agreed: whether they need not answer it, since the raters agree.
    """

    field: str
    criterion: str
    text: str
    answer: str
    verdicts: tuple[tuple[str, str], ...]
    agreed: bool


def walk_of(study: Study, rater: Rater) -> Walk:
    """A rater's way through a study as it stands."""
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
    """The item at a position of a rater's way; None where this rater is shown none there."""
    if rater.role == CONSENSUS:
        entry = walk_of(study, rater).at(position)
        return None if entry is None else entry.item_id
    order = study.order(rater)
    return order[position - 1] if 1 <= position <= len(order) else None


def visit_of(study: Study, rater: Rater, position: int) -> Visit | None:
    """The scenario at a position of a rater's way; None where this rater is shown none there.

    A rater's whole way is thousands of answers, which a page need not wait for.
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
    """The questions of a page; to the consensus rater with what each rater answered.

    Args:
        by_raters: every rater's answers, in the order of their labels; none on a rater's page.
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
    """What the consensus rater sees of a rater's name: A, B, …, by their number from 0."""
    letters = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _answer_to(field: str, criterion: str, answers: Answers) -> str:
    """A rater's answer to a question; of an imported rating, the criterion's verdict."""
    if field in answers or criterion not in answers:
        return answers.get(field, "")
    return {True: "yes", False: "no", None: ""}[verdict(criterion, answers)]

"""The questions that raters answer on the four criteria, and the guide to answering them.

The criteria are those of the SelfBehave study. They build on the Quality User Story framework of
Lucassen et al. and on the interviews with practitioners about good scenarios by Oliveira, Marczak
and Moralles. The wording is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ILL_FORMED", "QUESTIONS", "SOURCES", "Question"]


@dataclass(frozen=True)
class Question:
    """A question to a rater.

    Attributes:
        field: the answer's field.
        criterion: the criterion's name, as a heading.
        text: the question.
        yes, no: when to answer yes, and when no.
    """

    field: str
    criterion: str
    text: str
    yes: str
    no: str


QUESTIONS = (
    Question(
        "essential",
        "Essential",
        "Does it need every step and detail it has?",
        "Without any one of its steps or details, a reader could no longer tell what is set up, "
        "done or expected.",
        "A step repeats another or goes without saying; it walks through pages and clicks that no "
        "outcome depends on; or it names values and parts of the screen that nothing uses.",
    ),
    Question(
        "singular",
        "Singular",
        "Is it about one behaviour only?",
        "One event is tested, and every outcome is an outcome of that event. Several Then steps "
        "are fine.",
        "After a first outcome another event follows; or several events each deserve a scenario "
        "of their own.",
    ),
    Question(
        "complete",
        "Complete",
        "Is all there that one needs to follow and run it?",
        "There is a context, an event and an outcome that can be checked; whatever a step speaks "
        "of has been introduced; scenario and step functions go on to their end.",
        "An outcome is missing or vague; a step relies on something never set up; or the text or "
        "its code is cut off.",
    ),
    Question(
        "order",
        "Integrous: order",
        "Do its steps come in the order Given, When, Then?",
        "Contexts come first, then events, then outcomes. And and But count as the step before "
        "them.",
        "A Given stands after a When or a Then, or a When after a Then.",
    ),
    Question(
        "kinds",
        "Integrous: kinds",
        "Is each step what its keyword says?",
        "Each Given is a state that holds, each When something that happens, each Then something "
        "that can be observed.",
        "A Given already does what is tested, a When only states a fact, or a Then does something.",
    ),
)

ILL_FORMED = (
    "Tick it where the code could not run whatever the scenario says: it is not Python, it is cut "
    "off, or it is not written for behave."
)

SOURCES = (
    "G. Lucassen, F. Dalpiaz, J. M. E. M. van der Werf, S. Brinkkemper: Improving agile "
    "requirements: the Quality User Story framework and tool. Requirements Engineering 21 (2016), "
    "pp. 383 to 403. doi:10.1007/s00766-016-0250-x",
    "G. Oliveira, S. Marczak: On the Understanding of BDD Scenarios' Quality: Preliminary "
    "Practitioners' Opinions. REFSQ 2018. doi:10.1007/978-3-319-77243-1_18",
    "G. Oliveira, S. Marczak, C. Moralles: How to Evaluate BDD Scenarios' Quality? SBES 2019. "
    "doi:10.1145/3350768.3351301",
)

"""The rubric: a prompt for each criterion that asks a model whether a scenario meets it.

Sources of the criteria: see `selfbehave.bdd.criteria`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .base import Api, Prompt
from .grammars import YES_OR_NO

__all__ = ["CRITERIA_ASKED", "read_verdict", "rubric_prompt"]

MAX_SHOWN_CHARACTERS = 6_000  # of a scenario; more does not fit the embedded model's context
_ANSWER_TOKENS = 16
_VERDICT = re.compile(r"\W*+(?:(?:the )?(?:answer|verdict)(?: is)?\W+)?(yes|no)\b", re.I)


@dataclass(frozen=True)
class _Rubric:
    """A criterion's meaning, its question, and two scenarios: one meets it and one does not."""

    meaning: str
    question: str
    good: str
    bad: str


_LEAD = "You review Gherkin scenarios for behaviour-driven development by one criterion."

_TRANSFER = """\
Scenario: Transfer between own accounts
  Given the savings account holds 200 euros
  When Mia transfers 50 euros to her current account
  Then the savings account holds 150 euros"""

_RUBRICS: Mapping[str, _Rubric] = {
    "essential": _Rubric(
        "Essential: the scenario has no more than it needs. Nothing is repeated or implied by "
        "another step, no step sets up or checks what the behaviour does not depend on, and steps "
        "tell what the system does rather than each click and field of its user interface.",
        "Is every step of the scenario essential?",
        _TRANSFER,
        """\
Scenario: Transfer
  Given the bank has a blue logo
  And the savings account holds 200 euros
  When Mia clicks the second tab
  Then she sees a form with the fields "to" and "amount"
  When she types 50 into the lower field
  And she clicks the round button
  Then the savings account holds 150 euros
  And the savings account does not hold 200 euros""",
    ),
    "singular": _Rubric(
        "Singular: the scenario tests one behaviour. One action is taken, and all outcomes are "
        "outcomes of that action. A scenario that goes on to another action, or strings several "
        "cases together, should have been several scenarios.",
        "Does the scenario test exactly one behaviour?",
        _TRANSFER,
        """\
Scenario: Manage a to-do list
  Given Ben has an empty list
  When he adds "Buy bread"
  Then the list shows "Buy bread"
  When he deletes "Buy bread"
  Then the list is empty""",
    ),
    "complete": _Rubric(
        "Complete: the scenario has all that is needed to understand and run it. There is a "
        "context, an action and an outcome that can be observed; no sentence, value or example is "
        "missing, and the text is not cut off.",
        "Is the scenario complete?",
        _TRANSFER,
        """\
Scenario: Export a report
  Given an analyst has a report with
  When she exports it as""",
    ),
    "integrous": _Rubric(
        "Integrous: the scenario follows the rules of Given, When and Then. They come in this "
        "order and none begins anew after a later one; Given steps are context, When steps are the "
        "event, and Then steps are outcomes and no actions.",
        "Are its steps in the order Given, When, Then, and each of the kind that its keyword says?",
        _TRANSFER,
        """\
Scenario: Log in
  Given Ana clicks the log-in link
  When the log-in page is shown
  Then she enters her password
  And she presses Enter
  When she is logged in
  Then she goes to her profile""",
    ),
}

CRITERIA_ASKED = tuple(_RUBRICS)


def rubric_prompt(criterion: str, scenario: str, api: Api, *, is_bad_first: bool = False) -> Prompt:
    """Ask whether a scenario meets a criterion: Yes or No.

    The part that is the same for every scenario comes first, so that engines can cache it.

    Args:
        criterion: one of `CRITERIA_ASKED`.
        scenario: its text; a text too long for a prompt is cut, and the prompt says so.
        is_bad_first: whether the example that does not meet the criterion comes before the one that
            does: a model leans towards what it read last.
    """
    rubric = _RUBRICS[criterion]
    if len(scenario) > MAX_SHOWN_CHARACTERS:
        scenario = f"{scenario[:MAX_SHOWN_CHARACTERS]}\n[…]"
    examples = [(rubric.good, " Yes"), (rubric.bad, " No")]
    shown = [*(reversed(examples) if is_bad_first else examples), (scenario, "")]
    cases = [f"Scenario to review:\n{one}\n{rubric.question}{answer}" for one, answer in shown]
    text = "\n\n".join([f"{_LEAD}\n{rubric.meaning}", *cases])
    if api == "chat":
        text += "\n\nAnswer with the one word Yes or No."
    return Prompt(text, stop=("\n\n",), grammar=lambda: YES_OR_NO, max_tokens=_ANSWER_TOKENS)


def read_verdict(answer: str, is_truncated: bool = False) -> bool | None:
    """The Yes or No at the beginning of an answer; None if there is neither.

    Args:
        is_truncated: whether the answer was cut off: a "No" at its very end may be the beginning
            of another word.
    """
    found = _VERDICT.match(answer)
    if found is None or (is_truncated and found.end() == len(answer)):
        return None
    return found[1].lower() == "yes"

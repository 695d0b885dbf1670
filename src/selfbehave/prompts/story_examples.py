"""The stories that the prompts show as turns of a chat, each with a scenario of one of its rules.

In each the outcome follows from the values, so that a copied form can be proven.
"""

from __future__ import annotations

from ..stories.kinds import StoryKind, StoryRequest
from ..stories.story import Story
from .solved_examples import CellExample

__all__ = ["STORY_EXAMPLES"]


def _story(title: str, text: str, *criteria: str) -> Story:
    return Story("", "line", 1, "", title, text, criteria)


_TOOLS = _story(
    "Borrow tools",
    "As a neighbour, I want to borrow tools, so that I need not buy them.",
    "A neighbour borrows at most 3 tools at a time.",
    "A tool costs 2 euros a day.",
)
_BOTTLES = _story(
    "Return bottles",
    "As a customer, I want to return bottles, so that I get my deposit back.",
    "The machine takes at most 30 bottles in one go.",
)
_BOOKS = _story(
    "Late books",
    "As a librarian, I want late books to cost a fine, so that readers bring them back.",
    "A book is kept for at most 21 days.",
    "Each further day costs 1 euro.",
)

STORY_EXAMPLES = (
    CellExample(
        StoryRequest(_TOOLS, StoryKind.HAPPY, _TOOLS.criteria[1]).text,
        """\
Scenario: A neighbour borrows a drill for some days
  Given a tool costs 2 euros a day
  When Ana borrows a drill for 4 days
  Then she pays 8 euros""",
    ),
    CellExample(
        StoryRequest(_BOTTLES, StoryKind.REFUSED, _BOTTLES.criteria[0]).text,
        """\
Scenario: The machine refuses too many bottles
  Given the machine takes at most 30 bottles in one go
  When Ben puts in 34 bottles
  Then the machine shows "4 bottles too many\"""",
    ),
    CellExample(
        StoryRequest(_BOOKS, StoryKind.BOUNDARY, _BOOKS.criteria[0]).text,
        """\
Scenario: A book comes back on the last day
  Given a book is kept for at most 21 days
  And each further day costs 1 euro
  When Cleo brings the book back after 21 days
  Then the fine is 0 euros""",
    ),
)

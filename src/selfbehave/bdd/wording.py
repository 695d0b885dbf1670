"""Classify steps by their words: a person's action, an ability, an appearance, a vague outcome.

English only. In other languages nothing is recognized, so no evidence is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = [
    "acts",
    "acts_on_looks",
    "expects",
    "follows_action",
    "is_action_of",
    "is_vague",
    "lists_fields",
    "tells_ability",
]

# Verbs for what people do with a user interface.
_INTERACTIONS = (
    r"(?:click|press|tap|touch|type|enter|fill|select|submit|choose|pick|navigate|go|visit|scroll|"
    r"swipe|drag|hover|tick|untick|upload|put|open|log|sign)(?:s|es)?"
)
_ACTION = re.compile(rf"(?P<who>(?:[\w']+ ){{1,3}}?){_INTERACTIONS}\b", re.I)
_INTERACTION = re.compile(rf"\b{_INTERACTIONS}\b", re.I)
# "By clicking", "after submitting".
_AFTER_ACTION = re.compile(
    r"\b(?:by|after|before) (?:click|press|tapp|touch|typ|enter|fill|select|submitt|choos|pick|"
    r"navigat|go|visit|scroll|swip|dragg|hover|upload|putt|open|logg|sign)ing\b",
    re.I,
)
_DETERMINERS = frozenset("the a an my your his her its our their this that".split())
_PRONOUNS = frozenset("i we you he she they".split())
_ABILITY = re.compile(r"\b(?:able to|can|allowed to)\b(?!not\b| not\b| no\b)", re.I)
_OBSERVES = re.compile(r"\b(?:see|sees|with|form)\b", re.I)
_FIELDS = re.compile(r"\bfields?\b", re.I)
_LOOKS = re.compile(
    r"\b(?:corner|icon|checkbox|pop-up|button labelled|column|row|menu|arrow|handle|plus sign|"
    r"cross|figure|picture|box|field|edge|left|right|upper|lower|"
    r"red|green|blue|grey|gray|orange|yellow|purple|white|black|dark|pale)\b",
    re.I,
)
# "Must" is left out: it states business rules, which are context.
_EXPECTATION = re.compile(r"\b(?:should|ought to)\b", re.I)
# Words that leave the outcome open (requirement smells: subjective and vague language).
_VAGUE = re.compile(
    r"\b(?:as expected|what it should be|appropriate(?:ly)?|properly|suitabl[ey]|sensibl[ey]|"
    r"reasonabl[ey]|quickly enough|handled|everything works|"
    r"(?:is|are|be|looks?|works?|gets?) (?:the )?(?:all )?"
    r"(?:correct(?:ly)?|right|fine|ok|well|in order|usual))\b",
    re.I,
)
_QUOTED = re.compile(r"\"[^\"]*\"")


def acts(text: str) -> bool:
    """Whether a step describes an interaction, of a person or of anything else."""
    return _ACTION.match(text) is not None


def is_action_of(text: str, actors: Iterable[str]) -> bool:
    """Whether a step describes an interaction of a person, or of an actor of another step.

    Args:
        actors: the texts of the other steps; each begins with its actor.
    """
    action = _ACTION.match(text)
    if action is None:
        return False
    who = action["who"].lower()
    if not who or who.split()[-1] in _DETERMINERS:
        return False  # "her visit"
    return who.strip() in _PRONOUNS or any(one.lower().startswith(who) for one in actors)


def acts_on_looks(text: str) -> bool:
    """Whether a step describes the target of an interaction by its look or its screen position."""
    words = _QUOTED.sub("", text)
    return _INTERACTION.search(words) is not None and _LOOKS.search(words) is not None


def follows_action(text: str) -> bool:
    """Whether a step refers to an interaction: by, after or before it."""
    return _AFTER_ACTION.search(text) is not None


def tells_ability(text: str) -> bool:
    """Whether a step states what somebody can do next, rather than a fact."""
    return _ABILITY.search(text) is not None


def lists_fields(text: str) -> bool:
    """Whether a step checks which fields a page has."""
    observes = _OBSERVES.search(text)
    return observes is not None and _FIELDS.search(text, observes.end()) is not None


def expects(text: str) -> bool:
    """Whether a step states what should be, rather than a fact or an action."""
    return _EXPECTATION.search(_QUOTED.sub("", text)) is not None


def is_vague(text: str) -> bool:
    """Whether a step leaves the observable outcome open."""
    return _VAGUE.search(text) is not None

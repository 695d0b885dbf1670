"""Extract a scenario's deed: the actor, the verb and the object of its first When step.

Self-Instruct analyses the root verb and its direct noun (Wang et al., section 3.1). This module
does the same without an English parser: its rules match the fixed form of a step, "When ACTOR VERBs
OBJECT". A step that the rules cannot read has no deed. It is counted, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..bdd.scenario import Step

__all__ = ["A_NAME", "A_PERSON", "A_VALUE", "NOBODY", "NOTHING", "Deed", "deed"]

A_NAME = "a name"
A_PERSON = "she, he, they"
A_VALUE = "a value"
NOBODY = "(passive)"
NOTHING = "(none)"

_MOST_READ = 300  # the maximum number of characters read from a step
_LONGEST = 24  # the maximum length of a word, in characters
_MOST_WORDS = 8  # the maximum number of words before the verb

_TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'(?!\w)|<[^>]*>|[^\W\d_][\w'\u2019-]*|\d[\w.,:/%-]*|[^\w\s]")
_ROLE = re.compile(r"\b[Aa]s an? (?P<role>[a-z][\w -]{1,40}?)(?=,|\.|$| I\b)", re.M)
_DETERMINERS = frozenset(
    "the a an my your his her its our their this that these those another each every all any both "
    "some no one two three first second third next last same other new".split()
)
_PRONOUNS = frozenset("i we you he she they it".split())
_BASE_AFTER = frozenset("i we you they".split())
_BE = frozenset("is are was were gets get got being be been".split())
_MODALS = frozenset(
    "will would shall should can could may might must does do did has have had".split()
)
_HAVE = frozenset("has have had".split())
_LIGHT = frozenset("tries try attempts attempt wants want decides decide goes chooses asks".split())
_ADVERBS = frozenset("then now also again later just still only not never both".split())
_PARTICLES = frozenset("up out off down away back in over".split())
# Words that end a noun phrase.
_STOPS = frozenset(
    "of to for from at in on with without by into onto as and or but than after before until since "
    "during within over under against between through about via per near is are was were be been "
    "that which who whose when while where if because so using across towards toward around "
    "behind out up off down away back".split()
)
_NOT_VERBS = frozenset("is us this his its has was as always perhaps plus yes".split())
_IRREGULAR = {
    "goes": "go",
    "does": "do",
    "has": "have",
    "dies": "die",
    "ties": "tie",
    "lies": "lie",
}
_PARTICIPLES = frozenset(
    "sent made paid sold bought lost found left kept held put set cut read told taken given "
    "written chosen broken stolen drawn shown run begun won met led built fed hit shut".split()
)


@dataclass(frozen=True, slots=True)
class Deed:
    """An action: `actor` is `NOBODY` for a passive, `object` is `NOTHING` if there is no object."""

    actor: str
    verb: str
    object: str


def deed(scenario_text: str, steps: Sequence[Step]) -> Deed | None:
    """Return the deed of a scenario's first When step, or None if the rules cannot read it.

    Args:
        scenario_text: the scenario; its "As a ROLE" line says who "I" is.
        steps: the scenario's steps.
    """
    when = next((step.text for step in steps if step.kind == "when"), None)
    if when is None:
        return None
    words = _words(when)
    found = _actor_and_verb(words)
    if found is None:
        return None
    actor, at = found
    word = words[at].lower()
    if word in _BE:
        return _passive(words, actor, at)
    if word in _LIGHT and at + 2 < len(words) and words[at + 1].lower() == "to":
        at += 2
        word = words[at].lower()
    verb, after = _verb(words, at)
    if not verb.isascii() or not verb.replace(" ", "").replace("-", "").isalpha():
        return None
    who = _who(actor, scenario_text, steps)
    return Deed(who, verb[:_LONGEST], _object(words[after:]))


def _words(text: str) -> list[str]:
    found: list[str] = _TOKEN.findall(text[:_MOST_READ])
    return found


def _actor_and_verb(words: Sequence[str]) -> tuple[list[str], int] | None:
    """Return the actor's words and the position of the verb after them."""
    if not words:
        return None
    first = words[0].lower()
    if first in _PRONOUNS:
        at = _past_fillers(words, 1)
        return ([words[0]], at) if at < len(words) else None
    for at, word in enumerate(words[:_MOST_WORDS]):
        lower = word.lower()
        if at == 0:
            continue
        if lower in _HAVE and _opens_noun(words, at + 1):
            return list(words[:at]), at
        if lower in _MODALS:
            after = _past_fillers(words, at + 1)
            return (list(words[:at]), after) if after < len(words) else None
        if lower in _BE or _is_third_person(words, at):
            return list(words[:at]), at
    return None


def _opens_noun(words: Sequence[str], at: int) -> bool:
    return at < len(words) and (words[at].lower() in _DETERMINERS or not words[at][0].isalpha())


def _past_fillers(words: Sequence[str], at: int) -> int:
    """Return the position of the next word that is neither a modal nor an adverb."""
    while at < len(words) and (words[at].lower() in _MODALS | _ADVERBS or _is_adverb(words[at])):
        at += 1
    return at


def _is_adverb(word: str) -> bool:
    return len(word) > 4 and word.islower() and word.endswith("ly")


def _is_third_person(words: Sequence[str], at: int) -> bool:
    """Whether a word is a third-person verb such as "sends", not a plural noun after "the"."""
    word, before = words[at], words[at - 1].lower()
    if not re.fullmatch(r"[a-z]{2,}(?:[a-z-])*s", word) or word in _NOT_VERBS:
        return False
    if word.endswith(("ss", "us", "'s", "ous")):
        return False
    # Nouns, not verbs: "the nurses", "2 bags of", "the customer's orders".
    return not (
        before in _DETERMINERS or before[0].isdigit() or before.endswith(("'s", "\u2019s", "of"))
    )


def _verb(words: Sequence[str], at: int) -> tuple[str, int]:
    """Return the verb's base form with its particle, and the position after it."""
    word = words[at].lower()
    verb = _base(word) if words[at - 1].lower() not in _BASE_AFTER | _MODALS | {"to"} else word
    after = at + 1
    if after < len(words) and words[after].lower() in _PARTICLES:
        return f"{verb} {words[after].lower()}", after + 1
    if after < len(words) and words[after].lower() in ("on", "for"):
        after += 1  # "clicks on the button", "asks for help"
    return verb, after


def _base(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zzes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _passive(words: Sequence[str], subject: Sequence[str], at: int) -> Deed | None:
    """ "The order is cancelled": nobody cancels an order."""
    after = _past_fillers(words, at + 1)
    if after < len(words) and words[after].lower() in _BE:
        after = _past_fillers(words, after + 1)
    if after >= len(words):
        return None
    participle = words[after].lower()
    if not (participle.isalpha() and (participle.endswith("ed") or participle in _PARTICIPLES)):
        return None
    return Deed(NOBODY, f"be {participle}"[:_LONGEST], _object(subject))


def _who(actor: Sequence[str], scenario_text: str, steps: Sequence[Step]) -> str:
    first = actor[0].lower()
    if first in ("i", "we"):
        role = _ROLE.search(scenario_text)
        return role["role"].strip().lower()[:_LONGEST] if role else first
    if first in ("he", "she", "they"):
        return _antecedent(steps)
    return first if first in _PRONOUNS else _noun(actor)


def _antecedent(steps: Sequence[Step]) -> str:
    """Resolve a pronoun such as "she": the first Given that starts with a name or "a customer"."""
    for step in steps:
        words = _words(step.text)
        if step.kind != "given" or len(words) < 2:
            continue
        if words[0][0].isupper() and words[0].lower() not in _DETERMINERS | _PRONOUNS:
            return A_NAME
        if words[0].lower() in ("a", "an"):
            found = _actor_and_verb(words)
            return _noun(found[0] if found else words)
    return A_PERSON


def _object(words: Sequence[str]) -> str:
    """Return the head noun of the words after a verb."""
    start = 0
    while start < len(words) and (
        words[start].lower() in _DETERMINERS
        or words[start][0].isdigit()
        or _is_adverb(words[start])
    ):
        start += 1
    if start == len(words) or words[start].lower() in _STOPS:
        return NOTHING
    if words[start].lower() in _PRONOUNS | {"him", "them", "me", "us"}:
        return words[start].lower()
    return _noun(words[start:])


def _noun(words: Sequence[str]) -> str:
    """Return the head of a noun phrase: its last word before a preposition, in the singular."""
    words = [word for word in words if word.lower() not in _DETERMINERS and not word[0].isdigit()]
    if not words:
        return NOTHING
    if words[0][0] in "\"'<":
        return A_VALUE
    phrase = words[: next((at for at, word in enumerate(words) if at and _ends_noun(word)), None)]
    while len(phrase) > 1 and (phrase[-1][0] in "\"'<" or re.search(r"\d", phrase[-1])):
        phrase = phrase[:-1]  # client "acme-bot", cell A1
    # "Priya's account" is an account, "nurse Ama" is a nurse.
    if len(phrase) > 1 and phrase[-1][0].isupper() and phrase[0][0].islower():
        phrase = [word for word in phrase if word[0].islower()]
    head = phrase[-1]
    if head[0].isupper() and not head.isupper():
        return A_NAME
    head = re.sub("['\u2019]s$", "", head).lower()
    return _singular(head)[:_LONGEST]


def _ends_noun(word: str) -> bool:
    return word.lower() in _STOPS | _MODALS or not (word[0].isalnum() or word[0] in "\"'<")


def _singular(noun: str) -> str:
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("ches", "shes", "sses", "xes")):
        return noun[:-2]
    if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) and len(noun) > 3:
        return noun[:-1]
    return noun

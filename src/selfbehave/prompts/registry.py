"""The prompt families by name, and the choice of a family for instructions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..core.errors import SelfBehaveError
from ..core.extensions import PROMPTS, Registry
from .base import Api, Family

__all__ = ["FAMILIES", "families_for", "family_metadata", "family_of_answer"]

_NEEDS = (
    "name",
    "bootstrap_prompt",
    "candidates",
    "certain_class",
    "classify_prompt",
    "instances_prompt",
    "instances",
)

_FIELD = "prompts"  # the field of an answer's metadata that names the family

FAMILIES: Registry[Family] = Registry(
    PROMPTS,
    {
        "bdd": "selfbehave.prompts.bdd:BddFamily",
        "bdd_glue": "selfbehave.prompts.bdd_glue:BddGlueFamily",
        "bdd_turns": "selfbehave.prompts.bdd_turns:BddTurnsFamily",
        "classic": "selfbehave.prompts.classic:ClassicFamily",
        "classic_turns": "selfbehave.prompts.classic_turns:ClassicTurnsFamily",
    },
    _NEEDS,
)


class _Takes(Protocol):
    """What a family's choice depends on; an engine has it."""

    @property
    def api(self) -> Api: ...
    @property
    def takes_begun(self) -> bool: ...


@dataclass(frozen=True)
class Families:
    """The family for each kind of engine.

    Attributes:
        completions: for a completions endpoint.
        chat: for a chat endpoint.
        begun: for a chat endpoint that goes on from a begun answer.
    """

    completions: Family
    chat: Family
    begun: Family

    def of(self, engine: _Takes) -> Family:
        """The family for an engine."""
        if engine.api == "completions":
            return self.completions
        return self.begun if engine.takes_begun else self.chat


_FOR_SCENARIOS = ("bdd", "bdd_turns", "bdd_glue")  # for the fields of `Families`
_FOR_ANY_TASKS = ("classic", "classic_turns", "classic_turns")


def families_for(choice: str | None, instructions: Iterable[str], where: str) -> Families:
    """The family for each kind of engine: the chosen one for all, or else the defaults.

    The defaults are those for scenarios if every instruction contains one. The families of all
    kinds come together, so that the instructions are checked before an engine is opened.

    Raises:
        SelfBehaveError: there is no such family, or the choice is one for scenarios and an
            instruction has none.
    """
    from .bdd import has_scenario  # slow to import; the options only need the names of families

    if choice in FAMILIES.added():
        return _families(choice)
    without = next((text for text in instructions if not has_scenario(text)), None)
    if choice is None:
        return _families(*(_FOR_SCENARIOS if without is None else _FOR_ANY_TASKS))
    if choice in _FOR_SCENARIOS and without is not None:
        raise SelfBehaveError(
            f"no ```gherkin block in the instruction {without[:60]!r}",
            where=where,
            mend="use --prompts classic, or give every task a fenced scenario",
        )
    return _families(choice)


def family_metadata(family: Family) -> dict[str, str]:
    """The metadata that records which family asked for an answer.

    Empty for bdd and classic: `family_of_answer` recognizes their answers without it.
    """
    return {_FIELD: family.name} if family.name in FAMILIES.added() else {}


def family_of_answer(instruction: str, metadata: Mapping[str, Any]) -> Family:
    """The family that parses the answer to an instruction.

    Args:
        metadata: the answer's metadata; files of other tools may have none.

    Raises:
        SelfBehaveError: the package that provides the family is not installed, or is broken.
    """
    from .bdd import has_scenario

    name = metadata.get(_FIELD)
    if isinstance(name, str):
        return _family(name)
    return FAMILIES["bdd" if has_scenario(instruction) else "classic"]


def _families(completions: str, chat: str | None = None, begun: str | None = None) -> Families:
    of_chat = chat or completions
    return Families(_family(completions), _family(of_chat), _family(begun or of_chat))


def _family(name: str) -> Family:
    if name not in FAMILIES:
        raise SelfBehaveError(
            f"there is no prompt family {name!r}",
            mend=f"install the package that provides it, or use one of {', '.join(FAMILIES)}",
        )
    return FAMILIES[name]

"""The prompt families by name, and the one that suits some instructions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.errors import SelfBehaveError
from ..core.extensions import PROMPTS, Registry
from .base import Family

__all__ = ["FAMILIES", "family_for", "family_metadata", "family_of_answer"]

_NEEDS = (
    "name",
    "bootstrap_prompt",
    "candidates",
    "certain_class",
    "classify_prompt",
    "instances_prompt",
    "instances",
)

_FIELD = "prompts"  # of an answer's metadata

FAMILIES: Registry[Family] = Registry(
    PROMPTS,
    {
        "bdd": "selfbehave.prompts.bdd:BddFamily",
        "classic": "selfbehave.prompts.classic:ClassicFamily",
    },
    _NEEDS,
)


def family_for(choice: str | None, instructions: Iterable[str], where: str) -> Family:
    """The family asked for, or by default bdd when every instruction holds a scenario.

    Raises:
        SelfBehaveError: there is no such family, or bdd is asked for and an instruction holds no
            scenario.
    """
    from .bdd import has_scenario  # heavier than the names of families, which the options show

    if choice in FAMILIES.added():
        return FAMILIES[choice]
    without = next((text for text in instructions if not has_scenario(text)), None)
    if choice is None:
        choice = "bdd" if without is None else "classic"
    if choice == "bdd" and without is not None:
        raise SelfBehaveError(
            f"no ```gherkin block in the instruction {without[:60]!r}",
            where=where,
            mend="use --prompts classic, or give every task a fenced scenario",
        )
    return _family(choice)


def family_metadata(family: Family) -> dict[str, str]:
    """What an answer's metadata says of the family that asked for it.

    Nothing for bdd and classic, whose answers `family_of_answer` tells apart.
    """
    return {_FIELD: family.name} if family.name in FAMILIES.added() else {}


def family_of_answer(instruction: str, metadata: Mapping[str, Any]) -> Family:
    """The family that reads the answer to an instruction.

    Args:
        metadata: of the answer; files of other tools may have none.

    Raises:
        SelfBehaveError: the package that adds the family is not installed, or broken.
    """
    from .bdd import has_scenario

    name = metadata.get(_FIELD)
    if isinstance(name, str):
        return _family(name)
    return FAMILIES["bdd" if has_scenario(instruction) else "classic"]


def _family(name: str) -> Family:
    if name not in FAMILIES:
        raise SelfBehaveError(
            f"there is no prompt family {name!r}",
            mend=f"install the package that adds it, or use one of {', '.join(FAMILIES)}",
        )
    return FAMILIES[name]

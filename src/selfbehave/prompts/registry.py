"""The prompt families by name, and the one that suits some instructions."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.errors import SelfBehaveError
from . import bdd, classic
from .base import Family

__all__ = ["FAMILIES", "family_for"]

FAMILIES: dict[str, Family] = {"bdd": bdd.BddFamily(), "classic": classic.ClassicFamily()}


def family_for(choice: str | None, instructions: Iterable[str], where: str) -> Family:
    """The family asked for, or by default bdd when every instruction holds a scenario.

    Raises:
        SelfBehaveError: bdd is asked for and an instruction holds no scenario.
    """
    without = next((text for text in instructions if not bdd.has_scenario(text)), None)
    if choice is None:
        choice = "bdd" if without is None else "classic"
    if choice == "bdd" and without is not None:
        raise SelfBehaveError(
            f"no ```gherkin block in the instruction {without[:60]!r}",
            where=where,
            mend="use --prompts classic, or give every task a fenced scenario",
        )
    return FAMILIES[choice]

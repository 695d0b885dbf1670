"""Prompt families: the prompts of each stage, and the parsers of the answers.

`classic` is the general Self-Instruct method for any seed tasks; `bdd` keeps Gherkin scenarios
and Python step functions intact. Names that end in `_turns` are for chat models. Other packages
can add families. All implement `Family`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import loading_on_use

if TYPE_CHECKING:
    from .base import Answer, Candidate, Family, Parsed, Prompt
    from .bdd import BddFamily
    from .classic import ClassicFamily
    from .registry import FAMILIES, families_for, family_metadata, family_of_answer

__all__ = [
    "FAMILIES",
    "Answer",
    "BddFamily",
    "Candidate",
    "ClassicFamily",
    "Family",
    "Parsed",
    "Prompt",
    "families_for",
    "family_metadata",
    "family_of_answer",
]

__getattr__ = loading_on_use(
    __name__,
    {
        "FAMILIES": ".registry",
        "Answer": ".base",
        "BddFamily": ".bdd",
        "Candidate": ".base",
        "ClassicFamily": ".classic",
        "Family": ".base",
        "Parsed": ".base",
        "Prompt": ".base",
        "families_for": ".registry",
        "family_metadata": ".registry",
        "family_of_answer": ".registry",
    },
)

"""Prompt families: the prompts of each stage, and the parsers of the answers.

`classic` is the general Self-Instruct method for any seed tasks; `bdd` keeps Gherkin scenarios
and Python step functions intact. Names that end in `_turns` are for chat models, `bdd_glue` is for
those that go on from a begun answer. Other packages can add families. All implement `Family`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import loading_on_use

if TYPE_CHECKING:
    from .base import Answer, Candidate, Family, Known, Parsed, Prompt, WritesTogether, Writing
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
    "Known",
    "Parsed",
    "Prompt",
    "WritesTogether",
    "Writing",
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
        "Known": ".base",
        "Parsed": ".base",
        "Prompt": ".base",
        "WritesTogether": ".base",
        "Writing": ".base",
        "families_for": ".registry",
        "family_metadata": ".registry",
        "family_of_answer": ".registry",
    },
)

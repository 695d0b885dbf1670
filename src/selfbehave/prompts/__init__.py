"""Prompt families: what each stage asks, and how its answer is read.

`classic` is the general Self-Instruct method for any seed tasks; `bdd` keeps Gherkin scenarios
and Python step functions intact. Both offer the same functions (see `Family`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import loading_on_use

if TYPE_CHECKING:
    from .base import Answer, Candidate, Family, Prompt
    from .registry import FAMILIES, family_for

__all__ = ["FAMILIES", "Answer", "Candidate", "Family", "Prompt", "family_for"]

__getattr__ = loading_on_use(
    __name__,
    {
        "Answer": ".base",
        "Candidate": ".base",
        "Family": ".base",
        "Prompt": ".base",
        "FAMILIES": ".registry",
        "family_for": ".registry",
    },
)

"""The title of a scenario, even if its line breaks are lost."""

from __future__ import annotations

import re

from .extract import find_block
from .fences import GHERKIN

__all__ = ["scenario_title"]

_TITLE = re.compile(r"\bScenario(?: Outline| Template)?[ \t]*:[ \t]*(?P<title>[^\n]*)", re.I)
_FIRST_STEP = re.compile(r"(?<!\s)\s+given\s", re.I)
_LONGEST = 120  # characters


def scenario_title(text: str) -> str:
    """The title of the scenario in a text, on one line; "" if there is none."""
    found = find_block(text, GHERKIN)
    match = _TITLE.search(found.body if found else text)
    if match is None:
        return ""
    # In a folded scenario the steps follow on the line of the title.
    words = " ".join(_FIRST_STEP.split(match["title"], maxsplit=1)[0].split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"

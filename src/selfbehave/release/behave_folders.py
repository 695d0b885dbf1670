"""Rows as folders that `behave` can run: a `.feature` file and `steps/steps.py` in each.

Each scenario has its own folder, because step functions of different scenarios conflict. The code
is only written, never run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..bdd.ladder import Rung
from ..bdd.scenario import ScenarioError, parse_scenario
from ..core.errors import SelfBehaveError
from ..core.file_names import FileNames
from ..runs.finished import FinishedRow

__all__ = ["behave_files", "can_run"]

_LONGEST_NAME = 48  # characters
_ID_SHOWN = 8


def can_run(row: FinishedRow) -> bool:
    """Whether `behave` can run a row: all its steps are bound."""
    return row.scenario is not None and row.rung is not None and Rung.named(row.rung) >= Rung.BOUND


def behave_files(row: FinishedRow) -> Iterator[tuple[str, str]]:
    """The files of a row that `behave` can run, as paths and texts.

    Paths contain only letters, digits, `_`, `-` and `.`, whatever the scenario's title contains.

    Raises:
        SelfBehaveError: the scenario does not parse, despite its recorded rung.
    """
    try:
        scenario = parse_scenario(row.scenario or "")
    except ScenarioError as error:
        raise SelfBehaveError(
            f"row {row.id} of run {row.run} is recorded as {row.rung}, but: {error}",
            mend="run selfbehave prepare again",
        ) from error
    name = re.sub(r"[^a-z0-9]+", "_", scenario.name.lower())[:_LONGEST_NAME].strip("_")
    name = FileNames().of(name or "scenario")
    folder = f"{name}-{row.id[:_ID_SHOWN]}"
    yield f"{folder}/{name}.feature", _ending_in_line_break(scenario.feature_text)
    yield f"{folder}/steps/steps.py", _ending_in_line_break(row.step_functions or "")


def _ending_in_line_break(text: str) -> str:
    return text.rstrip("\n") + "\n"

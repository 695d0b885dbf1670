"""The protocol of an audit's checks, and the rows that they examine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Protocol

from ..bdd.extract import Found, compiles, find_block, find_leak
from ..bdd.faults import Fault
from ..bdd.fences import GHERKIN, PYTHON
from ..bdd.ladder import Ladder
from ..bdd.scenario import ScenarioError, parse_scenario
from .rows import Row

__all__ = ["MAX_ROW_CHARACTERS", "TOO_LONG", "AuditedRow", "Check"]

MAX_ROW_CHARACTERS = 1_000_000  # longer rows are only counted, not examined
TOO_LONG = "too_long"

_DECORATED = re.compile(r"^@\w+\(", re.M)


class AuditedRow:
    """A row with the parts found in it.

    Attributes:
        row: the row as read: its instruction, input and output.
        ladder: the rung it reached, and its faults.
    """

    def __init__(self, row: Row, ladder: Ladder) -> None:
        self.row = row
        self.ladder = ladder

    @cached_property
    def scenario(self) -> Found | None:
        """The block of Gherkin in the task; its `body` is the text."""
        return find_block(f"{self.row.instruction}\n\n{self.row.input}", GHERKIN)

    @cached_property
    def scenario_error(self) -> ScenarioError | None:
        """The error if there is a scenario that does not parse, else None."""
        try:
            if self.scenario is not None:
                parse_scenario(self.scenario.body)
        except ScenarioError as error:
            return error
        return None

    @cached_property
    def answer(self) -> Found | None:
        """The block of Python in the answer; its `body` is the text."""
        return find_block(self.row.output, PYTHON)

    @cached_property
    def leak(self) -> int | None:
        """The offset of another task's text: after a closed block, else in the block or answer."""
        if self.answer is None:
            return find_leak(self.row.output)
        return find_leak(self.answer.after if self.answer.is_closed else self.answer.body)

    @cached_property
    def code(self) -> str | None:
        """The Python of the answer, without leaked text; None if there is none.

        Python without a fence counts if it is valid; other text without a fence is ignored.
        """
        if self.answer is None:
            text = self.row.output[: self.leak].partition("```")[0]
            return text.strip() if _DECORATED.search(text) else None
        body = self.answer.body
        return (body if self.answer.is_closed else body[: self.leak]).strip()

    @cached_property
    def compiles(self) -> bool:
        """Whether the answer contains Python that compiles."""
        return self.code is not None and compiles(self.code)


class Check(Protocol):
    """A check of an audit. Each audit creates a new instance and passes it the rows in order.

    Attributes:
        faults: the codes of the faults that it can find, each with its meaning.
    """

    faults: Mapping[str, str]

    def find(self, row: AuditedRow) -> Iterable[Fault]:
        """The faults of a row; a repeated code counts once for each row."""
        ...

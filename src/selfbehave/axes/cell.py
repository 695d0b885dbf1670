"""A cell: what one scenario is asked for with, its outcome worked out by the program.

The model only puts a cell into words. That its outcome follows from its values is certain before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .formulas import Value
from .table import Feature

__all__ = ["Cell"]

_FORMS = {
    Feature.PLAIN: "",
    Feature.TABLE: "Given holds this table",
    Feature.OUTLINE: "Scenario Outline with these Examples",
    # The program gives these their form: see `forming`.
    Feature.BACKGROUND: "",
    Feature.RULE: "",
    Feature.DOC_STRING: 'the {} stands between """ lines below its step',
}


@dataclass(frozen=True)
class Cell:
    """What one scenario is asked for with.

    Attributes:
        number: of the cell, from 0.
        kind: name of the rule's kind.
        system: where it takes place.
        rule: as a sentence.
        given, when, then: values by the names of their quantities. Of an outline, When and
            Then have those of the first row.
        sum: how the outcome follows from the values, such as "30 + (5 - 2) * 8 = 54", or a Python
            expression, or words; None where no line says it.
        sum_in_names: the same with the names of quantities in place of values.
        group: of the system.
        outcome_kind: on which side of the rule the values fall, such as "boundary".
        feature: the part of Gherkin to use.
        difficulty: of the step functions.
        table: head and rows of a data table in Given; empty for other features.
        rows: of an outline's Examples, values by the heads of columns; empty for other features.
        doc_string: name of the quantity that stands in a doc string; "" for other features.
        says: of each, one of the parts that "|" separates must stand in Given.
        other_outcomes: texts that this kind of rule gives for other values.
    """

    number: int
    kind: str
    system: str
    rule: str
    given: Mapping[str, Value]
    when: Mapping[str, Value]
    then: Mapping[str, Value]
    sum: str | None
    sum_in_names: str = ""
    group: str = ""
    outcome_kind: str = ""
    feature: Feature = Feature.PLAIN
    difficulty: str = ""
    table: tuple[tuple[str, ...], ...] = ()
    rows: tuple[Mapping[str, Value], ...] = ()
    doc_string: str = ""
    says: tuple[str, ...] = ()
    other_outcomes: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """What Then states first, a text without quotes."""
        return str(next(iter(self.then.values())))

    @property
    def axes(self) -> dict[str, str]:
        """The value of each axis."""
        return {
            "group": self.group,
            "system": self.system,
            "kind": self.kind,
            "outcome": self.outcome_kind,
            "feature": str(self.feature),
            "difficulty": self.difficulty,
        }

    @property
    def metadata(self) -> dict[str, Any]:
        """The axes, the values and the sum, ready for JSON."""
        made: dict[str, Any] = {
            **self.axes,
            "given": dict(self.given),
            "when": dict(self.when),
            "then": dict(self.then),
            "sum": self.sum,
            "sum_in_names": self.sum_in_names,
        }
        return made | ({"rows": [dict(row) for row in self.rows]} if self.rows else {})

    @property
    def request(self) -> str:
        """The cell as the model reads it."""
        lines = [f"System: {self.system}", f"Rule: {self.rule}", *self._form_lines()]
        given = self.given
        if self.table:
            given = {name: value for name, value in given.items() if '"' not in name}
        if given:
            lines.append(f"Given: {_listed(given)}")
        if self.rows:
            columns = iter(self.rows[0])
            when = [f"{name} <{column}>" for name, column in zip(self.when, columns, strict=False)]
            then = [f"{name} <{column}>" for name, column in zip(self.then, columns, strict=False)]
            return "\n".join([*lines, f"When: {', '.join(when)}", f"Then: {', '.join(then)}"])
        return "\n".join([*lines, f"When: {_listed(self.when)}", f"Then: {_listed(self.then)}"])

    def _form_lines(self) -> list[str]:
        form = _FORMS[self.feature].format(self.doc_string)
        lines = [f"Form: {form}"] if form else []
        rows: Sequence[Sequence[str]] = self.table
        if self.rows:
            rows = [[*self.rows[0]], *([*map(str, row.values())] for row in self.rows)]
        return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def _listed(values: Mapping[str, Value]) -> str:
    return ", ".join(
        f'{name} "{value}"' if isinstance(value, str) else f"{name} {value}"
        for name, value in values.items()
    )

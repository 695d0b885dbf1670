"""Values of a cell: drawn until they differ, are positive, and fall on the outcome's side."""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from .formulas import Formula, FormulaError, Value
from .table import Kind, Outcome, Setting

__all__ = ["NoValuesError", "draw_rows", "draw_values", "outcomes_stated"]

SEVERAL = "several"  # the outcome that states all of a kind's outcomes
_DRAWS = 80  # until the values are as they must be
_FEWEST_ROWS, _MOST_ROWS = 2, 4
_TRIES_FOR_ROWS = 12  # for each
_DRAWS_FOR_MORE = 12  # of these, until the outcome is none of the values either


class NoValuesError(ValueError):
    """No values of a kind fall on an outcome's side; the message says what was wrong last."""


def draw_values(
    kind: Kind,
    outcome: Outcome,
    setting: Setting,
    seed: str,
    fixed: Mapping[str, Value] | None = None,
) -> dict[str, Value]:
    """All values of a kind by their names in formulas, the settings' words among them.

    The stated values of Given and When differ from each other and from the numbers in the
    outcome's formula, and are positive. Numbers are whole. Where it can be, the outcome differs
    from them too.

    Args:
        fixed: values that are not drawn.

    Raises:
        NoValuesError: none were found.
    """
    fault = ""
    spare: dict[str, Value] | None = None
    # Where a word and a quantity have the same name, formulas mean the quantity.
    words = {
        name: word
        for name, word in setting.words.items()
        if name not in kind.values and name not in outcome.values
    }
    for again in range(_DRAWS):
        if spare is not None and again >= _DRAWS_FOR_MORE:
            return spare
        chance = random.Random(f"{seed} {again}")
        try:
            values = _Draw(kind, outcome, {**words, **(fixed or {})}, chance).values()
        except FormulaError as error:
            fault = str(error)
            continue
        fault = _fault(kind, outcome, values, chance)
        if fault:
            continue
        stated = {values[name] for name in (*kind.given, *kind.when)}
        if not any(values[name] in stated for name in kind.then):
            return values
        spare = spare or values
    if spare is not None:
        return spare
    raise NoValuesError(f"no values for the outcome {outcome.name!r}: {fault}")


def draw_rows(
    kind: Kind, outcome: Outcome, setting: Setting, values: Mapping[str, Value], seed: str
) -> tuple[dict[str, Value], ...]:
    """Rows of Examples: the values of When, and the outcomes, by the heads of their columns.

    What is given stays the same. The first row has the values of the outcome asked for, and then
    all outcomes of the kind take turns. The rows have at least two outcomes.

    Args:
        values: of the first row, and all that is given.

    Raises:
        NoValuesError: there are no two such rows.
    """
    chance = random.Random(f"rows {seed}")
    wanted = chance.randint(_FEWEST_ROWS, _MOST_ROWS)
    stated = outcomes_stated(kind, outcome)
    fixed = {name: values[name] for name in kind.given}
    sides = [one for one in kind.outcomes if one is not outcome and one.name != SEVERAL]
    sides.append(outcome)
    rows = [values]
    for again in range(wanted * _TRIES_FOR_ROWS):
        if len(rows) == wanted:
            break
        try:
            side = sides[again % len(sides)]
            row = draw_values(kind, side, setting, f"{seed} row {again}", fixed)
        except NoValuesError:
            continue
        if any(row[name] == other[name] for other in rows for name in kind.when):
            continue
        # Rows that all have one outcome would say that nothing depends on what differs in them.
        outcomes = {tuple(one[name] for name in stated) for one in (*rows, row)}
        if len(rows) + 1 < wanted or len(outcomes) > 1:
            rows.append(row)
    if len({tuple(row[name] for name in stated) for row in rows}) < _FEWEST_ROWS:
        raise NoValuesError("no two rows with different outcomes and the same Given")
    columns = (*kind.when, *stated)
    return tuple({name.replace("_", " "): row[name] for name in columns} for row in rows)


def outcomes_stated(kind: Kind, outcome: Outcome) -> tuple[str, ...]:
    """The quantities that Then states, by their names in formulas."""
    return tuple(kind.then) if outcome.name == SEVERAL else tuple(kind.then)[:1]


class _Draw:
    """Values as they are worked out, each once, in the order in which formulas need them."""

    def __init__(
        self, kind: Kind, outcome: Outcome, known: dict[str, Any], chance: random.Random
    ) -> None:
        self._formulas: dict[str, Formula] = {**kind.values, **outcome.values}
        self._known = known
        self._chance = chance
        self._open: set[str] = set()

    def values(self) -> dict[str, Value]:
        for name in self._formulas:
            self._value(name)
        return self._known

    def _value(self, name: str) -> Any:
        if name in self._known:
            return self._known[name]
        if name in self._open:
            raise FormulaError(f"{name!r} follows from itself")
        self._open.add(name)
        value = self._formulas[name].value(self._value, self._chance)
        if isinstance(value, Fraction):
            if value.denominator != 1:
                raise FormulaError(f"{name!r} is no whole number: {value}")
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise FormulaError(f"{name!r} is neither a number nor a text")
        self._known[name] = value
        return value


def _fault(kind: Kind, outcome: Outcome, values: Mapping[str, Value], chance: random.Random) -> str:
    stated = [values[name] for name in (*kind.given, *kind.when)]
    if not all(stated) or any(isinstance(value, int) and value < 0 for value in stated):
        return "a value is not positive"
    if len({*map(str, stated)}) < len(stated):
        return "two values are equal"
    for name in outcomes_stated(kind, outcome):
        value = values[name]
        if value == "" or (isinstance(value, int) and value < 0):
            return f"the outcome {name!r} is {value!r}"
        # Else a number of the formula reads as if it were the quantity.
        if kind.values[name].numbers & {*stated}:
            return "a value is a number of the formula"
    if outcome.holds is not None and not outcome.holds.value(values.__getitem__, chance):
        return f"{outcome.holds.text!r} does not hold"
    return ""

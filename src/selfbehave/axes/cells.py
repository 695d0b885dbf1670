"""Cells: what one scenario is asked for with, its outcome worked out by the program.

The model only puts a cell into words. That its outcome follows from its values is certain before.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .kinds import KINDS, Kind, Value
from .sums import value_of

__all__ = ["Cell", "draw_cell", "settings_of"]

_SETTINGS_FILE = Path(__file__).with_name("settings.toml")
_DRAWS = 50  # until all values of a cell differ


@dataclass(frozen=True)
class Cell:
    """What one scenario is asked for with.

    Attributes:
        number: of the cell, from 0.
        kind: name of the rule's kind.
        system: where it takes place, and what is counted there.
        rule: in general words.
        given, when, then: values by the names of their quantities.
        sum: how the outcome follows from the values, such as "30 + (5 - 2) * 8 = 54"; None where no
            line says it.
    """

    number: int
    kind: str
    system: str
    rule: str
    given: Mapping[str, Value]
    when: Mapping[str, Value]
    then: Mapping[str, Value]
    sum: str | None

    @property
    def outcome(self) -> str:
        """What Then states, a text without quotes."""
        (value,) = self.then.values()
        return str(value)

    @property
    def request(self) -> str:
        """The cell as the model reads it."""
        return (
            f"System: {self.system}\nRule: {self.rule}\nGiven: {_listed(self.given)}\n"
            f"When: {_listed(self.when)}\nThen: {_listed(self.then)}"
        )


def draw_cell(number: int, seed: int = 1) -> Cell:
    """The cell of a number: in each round every kind comes once, in a setting new for it.

    A function of its arguments alone.
    """
    round_, at = divmod(number, len(KINDS))
    kinds = [*KINDS]
    random.Random(f"kinds {seed} {round_}").shuffle(kinds)
    kind = kinds[at]
    settings = [*settings_of(kind.name)]
    random.Random(f"settings {seed} {kind.name} {round_ // len(settings)}").shuffle(settings)
    system, _, counted = settings[round_ % len(settings)].rstrip(")").partition(" (")
    given, when = _distinct_values(kind, f"values {seed} {number}")
    outcome = _outcome(kind, given, when)
    return Cell(
        number,
        kind.name,
        f"{system} ({counted})",
        kind.rule,
        _in_words_of(counted, given),
        _in_words_of(counted, when),
        _in_words_of(counted, {kind.outcome: outcome}),
        _shown_sum(kind, given, when, outcome),
    )


@cache
def settings_of(kind: str) -> tuple[str, ...]:
    """The settings of a kind, such as "parcel post (kilograms)"."""
    settings = tomllib.loads(_SETTINGS_FILE.read_text(encoding="utf-8"))
    return tuple(settings[kind])


def _distinct_values(kind: Kind, seed: str) -> tuple[dict[str, int], dict[str, int]]:
    # Equal values in two places confuse the model, and hide which of them the code uses.
    given: dict[str, int] = {}
    when: dict[str, int] = {}
    for again in range(_DRAWS):
        given, when = kind.draw(random.Random(seed + " " * again))
        values = [*given.values(), *when.values()]
        if len(set(values)) == len(values):
            break
    return given, when


def _filled(kind: Kind, given: Mapping[str, int], when: Mapping[str, int]) -> str:
    places = {f"g{at}": value for at, value in enumerate(given.values())}
    places |= {f"w{at}": value for at, value in enumerate(when.values())}
    return kind.sum.format(**places)


def _outcome(kind: Kind, given: Mapping[str, int], when: Mapping[str, int]) -> Value:
    if kind.answer is not None:
        return kind.answer(given, [*when.values()])
    value = value_of(_filled(kind, given, when))
    if value is None:
        raise ValueError(f"the sum of {kind.name} is no arithmetic: {kind.sum}")
    return int(value) if value.denominator == 1 else str(float(value))


def _shown_sum(
    kind: Kind, given: Mapping[str, int], when: Mapping[str, int], outcome: Value
) -> str | None:
    if not kind.sum:
        return None
    filled = _filled(kind, given, when)
    return f"{filled} = {outcome}" if kind.answer is None else filled


def _listed(values: Mapping[str, Value]) -> str:
    return ", ".join(
        f'{name} "{value}"' if isinstance(value, str) else f"{name} {value}"
        for name, value in values.items()
    )


def _in_words_of(counted: str, values: Mapping[str, Value]) -> dict[str, Value]:
    return {_named(counted, name): value for name, value in values.items()}


def _named(counted: str, quantity: str) -> str:
    """A quantity's name with what is counted in place of units, pieces and parts."""
    if counted.count(", ") == 2:
        parts = counted.split(", ")
        for general, word in zip(("part1", "part2", "products"), parts, strict=True):
            quantity = quantity.replace(general, word)
        return quantity.replace("product", _singular(parts[2]))
    noun = counted.split(" in ")[0].split(" that ")[0]
    if noun.startswith(("a ", "an ", "the ")) or not noun.endswith("s"):
        return quantity
    noun = noun.split(" of ")[0] if noun.startswith(("grams", "litres")) else noun
    for plural, single in (("units", "unit"), ("pieces", "piece"), ("servers", "server")):
        quantity = re.sub(rf"\b{plural}\b", noun, quantity)
        quantity = re.sub(rf"\b{single}\b", _singular(noun), quantity)
    return quantity


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun[:-2] if noun.endswith(("sses", "xes", "shes")) else noun.removesuffix("s")

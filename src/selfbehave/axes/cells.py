"""Draw cells: least covered first, and less of what never yields."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from ..core.errors import SelfBehaveError
from .axes_file import packaged_axes
from .cell import Cell
from .formulas import Value
from .table import Axes, Feature, Kind, Outcome, Setting
from .tally import Tally
from .values import NoValuesError, draw_rows, draw_values, outcomes_stated

__all__ = ["Cell", "cell_of", "draw_cell", "draw_from"]

_TRIES = 5  # for values, each of many draws
_BRACES = re.compile(r"(\b[Aa] )?\{(\w+)\}")
_VOWELS = re.compile(r"(?i)[aeio]|u(?!n[ai]|ser|se)")

Choice = TypeVar("Choice")


def draw_cell(number: int, seed: int = 1) -> Cell:
    """The cell of a number from the packaged table, where all before it were drawn too.

    A function of its arguments alone.
    """
    return _packaged_cells(seed).cell(number)


def draw_from(axes: Axes, number: int, seed: int, tally: Tally) -> Cell:
    """The next cell: of each axis the value that was drawn least in relation to its weight.

    The feature of Gherkin comes first, then a kind of rule that suits it, an outcome of this kind,
    and a system in which it makes sense. Chance decides between equals. A function of its
    arguments alone.

    Args:
        number: of the cell; its values are drawn from it and the seed.
        tally: of the cells drawn before.

    Raises:
        SelfBehaveError: a kind of the table has values for its outcome too seldom.
    """
    chance = random.Random(f"cell {seed} {number}")

    def least(choices: Sequence[Choice], load: Callable[[Choice], tuple[float, ...]]) -> Choice:
        ranked = [(*load(choice), chance.random()) for choice in choices]
        return choices[ranked.index(min(ranked))]

    def load(axis: str, value: str, share: float = 1.0) -> float:
        return (tally.covered(axis, value) + 1) / (axes.weight(axis, value) * share)

    def share_of(kind: Kind) -> float:
        pair = tally.share("kind", kind.name, "feature", feature)
        return min(pair, tally.share("kind", kind.name))

    feature = Feature(
        least(
            axes.values_of("feature"),
            lambda one: (load("feature", one, tally.share("feature", one)),),
        )
    )
    kind = least(
        [one for one in axes.kinds if feature in one.features],
        lambda one: (
            load("kind", one.name, share_of(one)) / axes.weight("difficulty", one.difficulty),
            tally.covered("kind", one.name, "feature", feature),
        ),
    )
    outcome = least(
        kind.outcomes,
        lambda one: (
            (tally.covered("kind", kind.name, "outcome", one.name) + 1)
            / axes.weight("outcome", one.name)
            / tally.share("kind", kind.name, "outcome", one.name),
            load("outcome", one.name),
        ),
    )
    setting = least(
        kind.settings,
        lambda one: (
            tally.covered("kind", kind.name, "system", one.system)
            / axes.weight("system", one.system)
            / axes.weight("group", axes.group_of[one.system]),
            load("group", axes.group_of[one.system]),
            load("system", one.system),
        ),
    )
    for again in range(_TRIES):
        try:
            return cell_of(
                axes, kind, outcome, setting, feature, number, f"{seed} {number} {again}"
            )
        except NoValuesError as error:
            fault = error
    raise SelfBehaveError(
        f"kind {kind.name!r}, outcome {outcome.name!r}, feature {feature.value!r}: {fault}",
        mend="let its formulas allow more values",
    )


def cell_of(
    axes: Axes,
    kind: Kind,
    outcome: Outcome,
    setting: Setting,
    feature: Feature,
    number: int,
    seed: str,
) -> Cell:
    """The cell of chosen values of all axes, its own values drawn.

    Raises:
        NoValuesError: none fall on the outcome's side. A table that was read has values for each.
    """
    values = draw_values(kind, outcome, setting, seed)
    stated = outcomes_stated(kind, outcome)
    then_names = {name: kind.then[name] for name in stated}

    def filled(text: str) -> str:
        return _filled(text, {**values, **setting.words})

    def named(names: Mapping[str, str]) -> dict[str, Value]:
        return {filled(full): values[name] for name, full in names.items()}

    rows: tuple[Mapping[str, Value], ...] = ()
    if feature is Feature.OUTLINE:
        rows = draw_rows(kind, outcome, setting, values, seed)
    formulas = [kind.values[name] for name in stated]
    names = {n: filled(full) for n, full in (*kind.given.items(), *kind.when.items())}
    in_words = filled(kind.in_words)
    return Cell(
        number=number,
        kind=kind.name,
        system=setting.system,
        rule=filled(kind.rule),
        given=named(kind.given),
        when=named(kind.when),
        then=named(then_names),
        sum=in_words
        or "; ".join(
            _shown(one.with_names(_in_numbers(values)), values[name])
            for name, one in zip(stated, formulas, strict=True)
        ),
        sum_in_names=in_words or "; ".join(one.with_names(names) for one in formulas),
        group=axes.group_of[setting.system],
        outcome_kind=outcome.name,
        feature=feature,
        difficulty=kind.difficulty,
        table=_table([*map(filled, kind.table)], named(kind.given))
        if feature is Feature.TABLE
        else (),
        rows=rows,
        doc_string=filled({**kind.given, **kind.when, **kind.then}[kind.doc_string])
        if feature is Feature.DOC_STRING
        else "",
        says=tuple(filled(one) for one in kind.says),
        other_outcomes=tuple(
            sorted({text for one in formulas for text in one.texts} - {str(values[stated[0]])})
        ),
    )


@dataclass
class _CellsInTurn:
    """The cells of the packaged table, each drawn after all before it."""

    seed: int
    tally: Tally = field(default_factory=Tally)
    cells: list[Cell] = field(default_factory=list)

    def cell(self, number: int) -> Cell:
        while len(self.cells) <= number:
            cell = draw_from(packaged_axes(), len(self.cells), self.seed, self.tally)
            self.tally.note_drawn(cell.axes)
            self.cells.append(cell)
        return self.cells[number]


@cache
def _packaged_cells(seed: int) -> _CellsInTurn:
    return _CellsInTurn(seed)


def _table(head: Sequence[str], given: Mapping[str, Value]) -> tuple[tuple[str, ...], ...]:
    """Head and rows; what is named by a text in quotes stands in the text's row."""
    rows: dict[str, list[str]] = {}
    for name, value in given.items():
        if found := re.search(r'"([^"]+)"', name):
            rows.setdefault(found[1], []).append(str(value))
    return (tuple(head), *((name, *cells) for name, cells in rows.items()))


def _filled(text: str, values: Mapping[str, Value]) -> str:
    def word(found: re.Match[str]) -> str:
        value = str(values[found[2]])
        article = found[1] or ""
        if article and _VOWELS.match(value):
            article = article.rstrip() + "n "
        return article + value

    return _BRACES.sub(word, text)


def _in_numbers(values: Mapping[str, Value]) -> dict[str, str]:
    return {
        n: f'"{value}"' if isinstance(value, str) else str(value) for n, value in values.items()
    }


def _shown(sum_text: str, outcome: Value) -> str:
    """A sum with its outcome, where it is arithmetic: a condition says it without."""
    return sum_text if isinstance(outcome, str) or " if " in sum_text else f"{sum_text} = {outcome}"

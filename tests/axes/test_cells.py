"""Cells are drawn alike every time, and their outcomes follow from their values."""

from __future__ import annotations

import re

import pytest

from selfbehave.axes.cells import Cell, draw_cell, settings_of
from selfbehave.axes.kinds import KINDS
from selfbehave.axes.sums import is_right_sum
from selfbehave.prompts.solved_examples import EXAMPLES

CELLS = [draw_cell(number) for number in range(8 * len(KINDS))]


def of_kind(kind: str) -> list[Cell]:
    return [cell for cell in CELLS if cell.kind == kind]


def test_the_same_number_and_seed_draw_the_same_cell() -> None:
    assert draw_cell(7, seed=3) == draw_cell(7, seed=3)
    assert draw_cell(7, seed=3) != draw_cell(7, seed=4)


def test_a_cell_reads_as_the_model_gets_it() -> None:
    assert draw_cell(1).request == (
        "System: festival (drink coupons)\n"
        "Rule: money is exchanged for tokens after a fee is taken off\n"
        "Given: price of a token 7, fee 9\n"
        "When: money 149\n"
        "Then: tokens 20"
    )
    assert draw_cell(1).sum == "(149 - 9) / 7 = 20"


def test_each_round_has_every_kind_once() -> None:
    for first in range(0, len(CELLS), len(KINDS)):
        kinds = [cell.kind for cell in CELLS[first : first + len(KINDS)]]
        assert sorted(kinds) == sorted(kind.name for kind in KINDS)


def test_a_kind_takes_each_of_its_settings_before_one_comes_again() -> None:
    for kind in KINDS:
        assert {cell.system for cell in of_kind(kind.name)} == {*settings_of(kind.name)}


def test_no_setting_is_that_of_an_example() -> None:
    systems = {re.sub(r" \(.*", "", cell.system) for cell in CELLS}
    shown = {re.findall(r"System: (.*?) \(", one.request)[0] for one in EXAMPLES}
    assert shown == {"ferry", "pottery class", "cold store", "seed catalogue"}
    assert not shown & systems


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.answer is None])
def test_the_outcome_is_what_the_sum_gives(kind: str) -> None:
    for cell in of_kind(kind):
        assert cell.sum is not None
        assert is_right_sum(cell.sum, cell.outcome), cell
        assert int(cell.outcome) > 0 or kind in ("stamps", "remainder"), cell


def test_a_request_within_the_limit_is_accepted_and_any_other_refused() -> None:
    answers = set()
    for cell in of_kind("decision"):
        limit, used = map(int, cell.given.values())
        (requested,) = map(int, cell.when.values())
        assert cell.outcome == ("accepted" if used + requested <= limit else "refused")
        answers.add(cell.outcome)
    assert answers == {"accepted", "refused"}


def test_the_level_is_the_highest_whose_limit_is_reached() -> None:
    for cell in of_kind("levels"):
        (measured,) = map(int, cell.when.values())
        (_, middle), (_, high) = list(cell.given.items())[1:]
        assert int(middle) <= measured < int(high)
        assert f'"{cell.outcome}" from' == list(cell.given)[1]


def test_the_values_of_a_cell_differ_from_each_other() -> None:
    for cell in CELLS:
        values = [*cell.given.values(), *cell.when.values()]
        assert len({*values}) == len(values), cell


def test_quantities_are_named_by_what_is_counted() -> None:
    (cell,) = (c for c in of_kind("tiered_price") if c.system == "parcel post (kilograms)")
    assert [*cell.given] == ["kilograms covered", "base price", "price of each further kilogram"]
    (cell,) = (c for c in of_kind("scarcer_part") if c.system.startswith("carpenter"))
    assert [*cell.given] == ["legs in stock", "legs for each table", "table tops in stock"]
    assert [*cell.when] == ["tables ordered"]

"""Formulas of a table are worked out, shown in numbers and in names, and nothing else runs."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from selfbehave.axes.formulas import FormulaError, parse_formula

VALUES = {"limit": 40, "used": 12, "name": "Ana", "text": "Fresh bread every morning"}


def value(text: str) -> object:
    return parse_formula(text).value(VALUES.__getitem__, random.Random(1))


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("limit - used * 2", 16),
        ("used / 5", Fraction(12, 5)),
        ("ceil(used / 5) + max(1, used % 5)", 5),
        ("'refused' if used + 30 > limit else 'accepted'", "refused"),
        ("10 < used <= 12 and not name == 'Ben'", True),
        ("used > 50 or limit != 40", False),
        ("time(9 * 60 + 5)", "09:05"),
        ("clock_minutes('14:30') - 14 * 60", 30),
        ("word_count(text)", 4),
        ("has_word(text, 'BREAD')", True),
        ("has_word(text, 'read')", False),
        ("listed('', name, 'Ben')", "Ana, Ben"),
        ("joined('to ', name)", "to Ana"),
        ("abs(used - limit)", 28),
        ("one_of(name, name)", "Ana"),
        ("between(3, 3)", 3),
    ],
)
def test_a_formula_has_its_value(formula: str, wanted: object) -> None:
    assert value(formula) == wanted


def test_what_is_drawn_follows_from_the_chance_alone() -> None:
    formula = parse_formula("between(2, 9) * one_of(10, 20, 30)")
    assert formula.draws
    first = [formula.value(VALUES.__getitem__, random.Random(seed)) for seed in range(50)]
    again = [formula.value(VALUES.__getitem__, random.Random(seed)) for seed in range(50)]
    assert first == again
    assert len({*first}) > 5
    steps = {parse_formula("between(0, 60, 15)").value({}.get, random.Random(n)) for n in range(99)}
    assert steps == {0, 15, 30, 45, 60}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "limit -",
        "__import__('os')",
        "limit.real",
        "[1, 2]",
        "limit ** 2",
        "'a' 'b' % 3 if",
        "lambda: 1",
        "min(limit, key=abs)",
        "True",
        "1.5",
        "open('x')",
        "9999999999",
        "x := 3",
        "1 + " * 200 + "1",
        "'" + "a" * 320 + "'",
    ],
)
def test_anything_else_is_no_formula(text: str) -> None:
    with pytest.raises(FormulaError):
        parse_formula(text)


@pytest.mark.parametrize(
    "text",
    [
        "limit / 0",
        "limit + name",
        "name * 99",
        "name < limit",
        "time(99999)",
        "between(9, 2)",
        "min()",
        "clock_minutes('soon')",
        "word_count(limit)",
    ],
)
def test_what_cannot_be_worked_out_is_said_with_the_formula(text: str) -> None:
    with pytest.raises(FormulaError, match="cannot be worked out"):
        value(text)


def test_a_formula_is_shown_with_numbers_and_with_full_names() -> None:
    formula = parse_formula("(limit - used) // 2 if name == 'Ana' else 0")
    assert formula.with_names({"limit": "40", "used": "12", "name": '"Ana"'}) == (
        '(40 - 12) // 2 if "Ana" == "Ana" else 0'
    )
    names = {"limit": "most places", "used": "places taken", "name": "guest"}
    assert formula.with_names(names) == (
        '(most places - places taken) // 2 if guest == "Ana" else 0'
    )
    assert formula.names == {"limit", "used", "name"}
    assert formula.numbers == {2, 0}
    assert formula.texts == {"Ana"}

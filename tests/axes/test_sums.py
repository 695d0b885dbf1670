"""Sums that a model writes are evaluated, and nothing but arithmetic is."""

from __future__ import annotations

from fractions import Fraction

import pytest

from selfbehave.axes.sums import is_right_sum, value_of


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("30 + (5 - 2) * 8", 54),
        ("80 - 80 * 10 / 100", 72),
        ("min(42 // 6, 5, 15)", 5),
        ("max(3 * 4, 20)", 20),
        ("ceil(84 / 17) - 3", 2),
        ("floor(7 / 2)", 3),
        ("17 % 5", 2),
        ("-3 + 5", 2),
        ("0.1 + 0.2", Fraction(3, 10)),
    ],
)
def test_arithmetic_has_its_exact_value(expression: str, value: Fraction | int) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "five",
        "2 ** 999999",
        "9 / 0",
        "min()",
        "min(1, key=abs)",
        "__import__('os')",
        "(1).real",
        "True + 1",
        "'a' * 3",
        "1" * 40,
        "(" * 60 + "1" + ")" * 60,
        "1 + " * 60 + "1",
    ],
)
def test_anything_else_has_none(text: str) -> None:
    assert value_of(text) is None


def test_a_sum_is_right_when_it_holds_and_ends_in_the_outcome() -> None:
    assert is_right_sum("(16 - 16 // 9) * 2 = 30", "30")
    assert not is_right_sum("(16 - 16 // 9) * 2 = 32", "32"), "it does not hold"
    assert not is_right_sum("10 + 20 = 30", "31"), "another outcome"
    assert not is_right_sum("10 + 20", "30"), "no outcome"


def test_a_number_alone_is_no_sum() -> None:
    assert not is_right_sum("30 = 30", "30")


def test_of_an_outcome_in_words_only_the_end_is_compared() -> None:
    assert is_right_sum('23 + 58 > 80 = "refused"', "refused")
    assert not is_right_sum('23 + 58 > 80 = "accepted"', "refused")

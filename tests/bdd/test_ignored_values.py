"""A number that a Given or When step states and its function never reads is an ignored value."""

import pytest

from selfbehave.bdd.faults import FaultCode, sentence
from selfbehave.bdd.ladder import climb, climb_row
from selfbehave.seeds.load import load_seeds

SCENARIO = "Scenario: A till\n  Given 3 coins of Ann\n  When 2 more come\n  Then Ann has 5 coins"
CODE = """\
from behave import given, when, then

@given("{coins:d} coins of {name}")
def have(context, coins, name):
    context.coins = coins

@when("{more:d} more come")
def add(context, more):
    context.coins += more

@then("{name} has {coins:d} coins")
def count(context, name, coins):
    assert context.coins == coins
"""


def ignored(code: str) -> list[str]:
    found = climb(SCENARIO, code)
    return [sentence(one) for one in found.faults if one.code == FaultCode.IGNORED_VALUE]


@pytest.mark.parametrize(
    ("line", "instead", "fault"),
    [
        ("context.coins = coins", "context.coins = 3",
         """coins is not used by @given('{coins:d} coins of {name}') have, line 4"""),
        ("context.coins += more", "context.coins = 5",
         """more is not used by @when('{more:d} more come') add, line 8"""),
        ("context.coins += more", "more = 2; context.coins = 5", None),
    ],
)  # fmt: skip
def test_a_number_that_is_never_read_is_told(line: str, instead: str, fault: str | None) -> None:
    assert ignored(CODE.replace(line, instead)) == ([f"ignored value: {fault}"] if fault else [])


@pytest.mark.parametrize(
    "changed",
    [
        CODE,  # the name of a person is ignored in two functions
        CODE.replace("context.coins = coins", "context.state = dict(locals()); context.coins = 3"),
        CODE.replace("{more:d} more", "{more} more").replace("+= more", "+= 2"),  # no number
        CODE.replace("assert context.coins == coins", "assert context.coins"),  # of a Then
        CODE.replace(
            "context.coins += more", "def later(): return more\n    context.later = later"
        ),
    ],
)
def test_names_texts_and_outcomes_may_be_ignored(changed: str) -> None:
    assert ignored(changed) == []


def test_no_high_quality_seed_ignores_a_value() -> None:
    for task in load_seeds("high_quality").tasks:
        one = task.instances[0]
        faults = climb_row(task.instruction, one.input, one.output).faults
        assert FaultCode.IGNORED_VALUE not in {fault.code for fault in faults}, task.instruction

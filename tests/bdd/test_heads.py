"""The heads of a scenario's step functions are worked out from its steps."""

from __future__ import annotations

from selfbehave.bdd.heads import Head, heads_of, imports_of
from selfbehave.bdd.ladder import Rung, climb
from selfbehave.bdd.scenario import parse_scenario

SCENARIO = """\
Scenario: A warm cold store
  Given the store has these levels:
    | level  | from |
    | normal | 0    |
    | alarm  | 9    |
  And each check costs $2.50
  And a price of 4 euros and 5 euros
  When the sensor measures 8 degrees
  Then the store shows "normal"
"""


def heads(text: str) -> tuple[Head, ...]:
    found = heads_of(parse_scenario(text))
    assert found is not None
    return found


def test_a_number_is_named_by_what_it_counts_and_a_text_by_what_it_names() -> None:
    table, check, prices, action, outcome = heads(SCENARIO)
    assert table.columns == ("level", "from")
    assert table.parameters == ()
    assert check.parameters == ("dollars",)
    assert check.pattern == "each check costs ${dollars:g}"
    assert prices.parameters == ("euros", "euros_2")
    assert prices.values == ("4", "5")
    assert action.code == (
        "@when('the sensor measures {degrees:d} degrees')\n"
        "def step_sensor_measures_degrees(context, degrees):\n"
    )
    assert outcome.pattern == 'the store shows "{name}"'


def test_functions_with_these_heads_bind_their_scenario() -> None:
    found = heads(SCENARIO)
    code = imports_of(found) + "".join(f"{one.code}    pass\n" for one in found)
    assert climb(SCENARIO, code).rung == Rung.BOUND


def test_braces_and_quotes_in_a_step_are_taken_literally() -> None:
    text = "Scenario: a\n  Given the owner's {box} of 3 eggs\n  When it's opened\n  Then 3 eggs\n"
    given, *_ = heads(text)
    assert given.code.startswith('@given("the owner\'s {{box}} of {eggs:d} eggs")')


def test_steps_of_one_pattern_share_a_head() -> None:
    text = "Scenario: a\n  Given a coin of 2 euros\n  And a coin of 5 euros\n  When x\n  Then y\n"
    assert [one.pattern for one in heads(text)] == ["a coin of {euros:d} euros", "x", "y"]


def test_steps_that_two_patterns_match_have_no_heads() -> None:
    text = 'Scenario: a\n  Given a box of "x"\n  And a box of "x" and "y"\n  When b\n  Then c\n'
    assert heads_of(parse_scenario(text)) is None


def test_a_placeholder_has_the_type_of_its_column() -> None:
    text = (
        "Scenario Outline: a\n  Given <n> eggs at <price> euros\n  When b\n  Then it is <state>\n\n"
        "  Examples:\n    | n | price | state |\n    | 1 | 2.50  | 4 |\n    | 2 | 3 | late |\n"
    )
    given, _, then = heads(text)
    assert given.pattern == "{n:d} eggs at {price:g} euros"
    assert given.values == ("<n>", "<price>")
    assert then.pattern == "it is {state}"


def test_a_number_is_not_named_after_a_text_before_it() -> None:
    text = 'Scenario: a\n  Given b\n  When c\n  Then the stock of the "pedal" part is 4\n'
    *_, then = heads(text)
    assert then.parameters == ("part", "number")

"""The screen lets a scenario through that holds its cell, and says why not."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from selfbehave.axes.axes_file import packaged_axes
from selfbehave.axes.cells import Cell, cell_of
from selfbehave.axes.screen import ScreenCode, ScreenFault, screen
from selfbehave.axes.table import Feature
from selfbehave.prompts.solved_examples import EXAMPLES

from ..helpers.paths import DATA

FINE = Cell(
    number=0,
    kind="late_fine",
    system="tool hire (drills)",
    rule="each day beyond the allowed ones costs a fine",
    given={"days allowed": 7, "fine for each day": 3},
    when={"days until return": 9},
    then={"fine": 6},
    sum="(9 - 7) * 3 = 6",
)
LEVELS = Cell(
    number=0,
    kind="levels",
    system="cold store (temperature)",
    rule="two limits divide a measured value into three levels",
    given={'"normal" from': 2, '"warning" from': 6, '"alarm" from': 9},
    when={"measured": 8},
    then={"level": "warning"},
    sum=None,
)
SCENARIO = """\
Scenario: A late drill costs a fine
  Given a drill may be kept for 7 days
  And each day after that costs 3 euros
  When Ana brings it back after 9 days
  Then she pays 6 euros"""


AXES = packaged_axes()
WRITTEN = {
    tuple(one["cell"]): one["text"]
    for one in tomllib.loads((DATA / "axes" / "scenarios.toml").read_text())["scenarios"]
}


def the_cell(kind_name: str, outcome: str, system: str, feature: str) -> Cell:
    """The cell that a scenario of the data was written from."""
    kind = next(one for one in AXES.kinds if one.name == kind_name)
    side = next(one for one in kind.outcomes if one.name == outcome)
    setting = next(one for one in kind.settings if one.system == system)
    return cell_of(AXES, kind, side, setting, Feature(feature), 0, "twelve")


@pytest.mark.parametrize("cell", WRITTEN, ids=" ".join)
def test_a_scenario_written_from_a_cells_request_passes(cell: tuple[str, str, str, str]) -> None:
    assert screen(WRITTEN[cell], the_cell(*cell)) is None


@pytest.mark.parametrize(
    ("kind", "old", "new", "fault"),
    [
        ("auction", "| 140 |", "| 130 |", ScreenFault(ScreenCode.EXAMPLES_DIFFER)),
        ("auction", "bids <bid>", "bids", ScreenFault(ScreenCode.EXAMPLES_DIFFER, "when", "bid")),
        (
            "auction",
            "at least 25 euros higher",
            "25 euros more",
            ScreenFault(ScreenCode.RULE_NOT_SAID, "given", "least"),
        ),
        ("leader", "| 48 ", "| 47 ", ScreenFault(ScreenCode.FORM_LACKING, value="table")),
        (
            "next_state",
            'And the order is "ordered"',
            "And the order is there",
            ScreenFault(ScreenCode.VALUE_LACKING, "given", "ordered"),
        ),
        ("tiered_price", "Background:", "Scenario: a", ScreenFault(ScreenCode.NOT_ONE_SCENARIO)),
        (
            "majority",
            "few friends fails",
            "many friends passed",
            ScreenFault(ScreenCode.TITLE_CONTRADICTS, value="passed"),
        ),
        ("price_by_word", "near the", "at the", ScreenFault(ScreenCode.VALUE_LACKING, "when", "*")),
        (
            "pass_list",
            '"Emil" has swum 34',
            '"Emil" and "Emil" have swum 34',
            ScreenFault(ScreenCode.VALUE_TWICE, "given", "Emil"),
        ),
        (
            "pass_list",
            '"Emil" has swum 34',
            '"Emil" has swum 34 and once 12',
            ScreenFault(ScreenCode.NUMBER_ADDED, "given", "12"),
        ),
        ("deadline", '"13:50"', "13:50", ScreenFault(ScreenCode.VALUE_LACKING, "when", "13:50")),
    ],
)
def test_what_does_not_hold_its_cell_is_refused_with_its_reason(
    kind: str, old: str, new: str, fault: ScreenFault
) -> None:
    cell, text = next((cell, text) for cell, text in WRITTEN.items() if cell[0] == kind)
    assert old in text
    found = screen(text.replace(old, new), the_cell(*cell))
    assert found is not None
    assert (found.code, found.kind) == (fault.code, fault.kind)
    assert fault.value in ("*", found.value)


def test_names_and_their_numbers_stand_together() -> None:
    cell = ("pass_list", "applies", "swimming club", "plain")
    swapped = WRITTEN[cell].replace("45", "?").replace("34", "45").replace("?", "34")
    found = screen(swapped, the_cell(*cell))
    assert found == ScreenFault(ScreenCode.VALUE_LACKING, "given", "45")


def test_given_and_then_may_not_mean_the_same_field_unless_the_cell_says_so() -> None:
    text = SCENARIO.replace("each day after that costs 3", "she owes 3")
    text = text.replace("she pays 6", "she owes 6")
    assert screen(text, replace(FINE, says=())) == ScreenFault(
        ScreenCode.THEN_REPEATS_GIVEN, "then"
    )
    cell = ("next_state", "applies", "online shop", "table")
    changes = WRITTEN[cell].replace("order is now", "order is")
    assert screen(changes, the_cell(*cell)) is None, "a state that changes"


def test_a_title_may_say_that_something_is_not_so() -> None:
    cell = ("majority", "refused", "city council", "rule")
    title = "A motion that has not passed"
    text = WRITTEN[cell].replace("A motion with few friends fails", title)
    assert screen(text, the_cell(*cell)) is None


def test_a_scenario_with_all_values_and_no_others_passes() -> None:
    assert screen(SCENARIO, FINE) is None


def test_values_may_stand_in_a_table() -> None:
    (cold_store,) = (one for one in EXAMPLES if "|" in one.scenario)
    assert screen(cold_store.scenario, LEVELS) is None
    fault = screen(cold_store.scenario.replace("| alarm   |", "| danger  |"), LEVELS)
    assert fault == ScreenFault(ScreenCode.VALUE_LACKING, "given", "alarm")


def test_a_table_written_as_in_markdown_does_not_pass() -> None:
    (cold_store,) = (one for one in EXAMPLES if "|" in one.scenario)
    head = "| level   | from |\n"
    markdown = cold_store.scenario.replace(head, f"{head}    |---------|-----:|\n")
    assert screen(markdown, LEVELS) == ScreenFault(ScreenCode.MARKDOWN_TABLE)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("3 euros", "some euros", ScreenFault(ScreenCode.VALUE_LACKING, "given", "3")),
        ("after 9 days", "too late", ScreenFault(ScreenCode.VALUE_LACKING, "when", "9")),
        ("pays 6", "pays 7", ScreenFault(ScreenCode.VALUE_LACKING, "then", "6")),
        ("a drill", "1 drill", ScreenFault(ScreenCode.NUMBER_ADDED, "given", "1")),
        ("7 days", "7 days and 7 nights", ScreenFault(ScreenCode.VALUE_TWICE, "given", "7")),
        ("3 euros", "3 euros for 7", ScreenFault(ScreenCode.NUMBER_ADDED, "given", "7")),
        ("When", "And", ScreenFault(ScreenCode.NOT_ONE_WHEN)),
        ("And each", "When each", ScreenFault(ScreenCode.NOT_ONE_WHEN)),
        ("Given a", "Then a", ScreenFault(ScreenCode.STEPS_OUT_OF_ORDER)),
        ("  Given", "  Perhaps", ScreenFault(ScreenCode.NOT_PARSED)),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, fault: ScreenFault) -> None:
    found = screen(SCENARIO.replace(old, new, 1), FINE)
    if fault.code == ScreenCode.NOT_PARSED:
        assert found is not None
    else:
        assert found == fault


def test_two_scenarios_are_one_too_many() -> None:
    found = screen(f"{SCENARIO}\n\n{SCENARIO}", FINE)
    assert found == ScreenFault(ScreenCode.NOT_ONE_SCENARIO)


def test_a_given_step_without_a_value_is_not_solved() -> None:
    idle = SCENARIO.replace("  And each day", "  And the shop is open\n  And each day")
    assert screen(idle, FINE) == ScreenFault(ScreenCode.GIVEN_WITHOUT_VALUE, "given")
    said = replace(FINE, says=("shop|store",))
    assert screen(idle, said) is None, "the rule needs it"

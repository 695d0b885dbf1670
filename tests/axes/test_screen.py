"""The screen lets a scenario through that holds its cell, and says why not."""

from __future__ import annotations

import pytest

from selfbehave.axes.cells import Cell
from selfbehave.axes.screen import ScreenCode, ScreenFault, scenario_text_in, screen
from selfbehave.prompts.solved_examples import EXAMPLES

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


def test_a_scenario_is_found_in_a_fence_and_without_one() -> None:
    assert scenario_text_in(f"Here it is:\n\n```gherkin\n{SCENARIO}\n```\n") == SCENARIO
    assert scenario_text_in(f"Sure!\n{SCENARIO}\n") == SCENARIO

"""The form of a cell is given to a scenario where this needs no model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfbehave.axes.cells import draw_cell
from selfbehave.axes.forming import formed
from selfbehave.axes.screen import screen
from selfbehave.axes.table import Feature
from selfbehave.bdd.scenario import parse_scenario

PLAIN = """\
Scenario: A long row of cars waits
  Given the ferry has 59 places
  And 57 of its places are taken
  When 3 cars arrive
  Then 1 car is put on the waiting list"""

CELL = replace(draw_cell(0), system="river ferry", rule="cars without a place wait")


@pytest.mark.parametrize("feature", [Feature.BACKGROUND, Feature.RULE])
def test_a_plain_scenario_gets_the_form_of_its_cell_with_the_same_steps(feature: Feature) -> None:
    text = formed(PLAIN, replace(CELL, feature=feature))
    scenario = parse_scenario(text)
    assert [step.text for step in scenario.steps] == [s.text for s in parse_scenario(PLAIN).steps]
    assert scenario.name == "A long row of cars waits"
    assert "Feature: River ferry" in text
    assert formed(text, replace(CELL, feature=feature)) == text, "it is formed only once"


def test_a_rule_is_the_sentence_of_the_cell() -> None:
    assert "  Rule: Cars without a place wait\n" in formed(
        PLAIN, replace(CELL, feature=Feature.RULE)
    )


def test_an_outline_without_examples_gets_the_rows_of_its_cell() -> None:
    cell = next(
        cell for number in range(100) if (cell := draw_cell(number)).feature is Feature.OUTLINE
    )
    columns = [*cell.rows[0]]
    whens = " and ".join(f"<{one}>" for one in columns[: len(cell.when)])
    thens = " and ".join(f"<{one}>" for one in columns[len(cell.when) :])
    text = formed(f"Scenario: Rows\n  Given x\n  When it is {whens}\n  Then it is {thens}", cell)
    scenario = parse_scenario(text)
    assert scenario.scenario_count == 1
    assert len(scenario.steps) == 3 * len(cell.rows)
    for row in cell.rows:
        assert any(str(value) in step.text for step in scenario.steps for value in row.values())


def test_what_is_no_single_scenario_stays_as_it_is_and_the_screen_says_so() -> None:
    cell = replace(CELL, feature=Feature.BACKGROUND)
    for text in ("", "Given nothing", f"{PLAIN}\n\n{PLAIN}", "Scenario: x\n  Given y\n  Then z"):
        assert formed(text, cell) == text
        assert screen(text, cell) is not None


def test_tables_and_doc_strings_keep_their_place_below_their_step() -> None:
    text = """\
Scenario: Stock
  Given the shop has:
    | item | stock |
    | pen  | 3     |
  When one "pen" is sold
  Then 2 are left"""
    scenario = parse_scenario(formed(text, replace(CELL, feature=Feature.BACKGROUND)))
    (background,) = (
        child["background"]
        for child in scenario.document["feature"]["children"]
        if "background" in child
    )
    assert len(background["steps"][0]["dataTable"]["rows"]) == 2

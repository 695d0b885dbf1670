"""Scenarios are read by the official parser; what only looks like one is refused."""

from pathlib import Path

import pytest
from behave.parser import parse_file

from selfbehave.bdd import ScenarioError, ladder, parse_scenario, sentence
from selfbehave.bdd.ladder import Rung, climb, climb_row


def complaint(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text)
    return str(caught.value)


def test_a_bare_scenario_is_wrapped_in_a_feature() -> None:
    scenario = parse_scenario("Scenario: A title\n  Given a\n  And b\n  When c\n  Then d\n")
    assert scenario.name == "A title"
    assert [(step.kind, step.text) for step in scenario.steps] == [
        ("given", "a"),
        ("given", "b"),
        ("when", "c"),
        ("then", "d"),
    ]
    assert [step.line for step in scenario.steps] == [2, 3, 4, 5]
    assert scenario.feature_text.startswith("Feature:")


def test_a_feature_is_left_as_it_is() -> None:
    text = "Feature: f\n\n  Background:\n    Given a\n\n  Scenario: s\n    When b\n"
    scenario = parse_scenario(text)
    assert scenario.feature_text == text
    assert [step.kind for step in scenario.steps] == ["given", "when"]


def test_outline_rows_are_run_one_by_one_and_written_once() -> None:
    scenario = parse_scenario(
        "Scenario Outline: s\n  Given <n> cats\n\n  Examples:\n    | n |\n    | 1 |\n    | 2 |\n"
    )
    assert [step.text for step in scenario.steps] == ["1 cats", "2 cats"]
    assert [step.text for step in scenario.written_steps] == ["<n> cats"]


def test_headings_of_outlines_are_no_regular_expressions(tmp_path: Path) -> None:
    text = (
        "Scenario Outline: s\n  Given <price ($)> for <a)> and <x.y> and <xzy>\n\n"
        "  Examples:\n    | price ($) | a) | x.y |\n    | 20\\1     | \\g | 3   |\n"
    )
    scenario = parse_scenario(text)
    assert [step.text for step in scenario.steps] == ["20\\1 for \\g and 3 and <xzy>"]
    path = tmp_path / "a.feature"
    path.write_text(scenario.feature_text)
    run = [step.name for one in parse_file(str(path)).walk_scenarios() for step in one.steps]
    assert [step.text for step in scenario.steps] == run


def test_a_rule_its_background_and_two_scenarios() -> None:
    scenario = parse_scenario(
        "Feature: f\n  Rule: r\n    Background:\n      Given a\n"
        "    Example: one\n      When b\n    Example: two\n      When c\n"
    )
    assert scenario.scenario_count == 2
    assert [step.text for step in scenario.steps] == ["a", "b", "a", "c"]


def test_other_spoken_languages_of_gherkin() -> None:
    scenario = parse_scenario(
        "# language: de\nSzenario: Ein Titel\n  Angenommen a\n  Wenn b\n  Dann c\n"
    )
    assert [step.kind for step in scenario.steps] == ["given", "when", "then"]
    assert scenario.feature_text.splitlines()[1].startswith("Funktionalität:")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no step in it"),
        ("Scenario: all on one line Given a When b Then c", "no step in it"),
        ("scenario: lower case\n  given a\n  when b", "no step in it"),
        ("Feature: only a description\n  Given a\n  When b\n", "no step in it"),
        ("Scenario: x\n  Given a\n  Whenever b\n", "line 3: "),
        ("Scenario: x\n  Given a\n  | a | b |\n  | 1 |\n", "inconsistent cell count"),
        ('Scenario: x\n  Given a\n  """\n  open', "unexpected end of file"),
        ("# language: xx\nScenario: x\n  Given a\n", "unknown spoken language 'xx'"),
        ("Scenario: x\n" + "  Given a\n" * 10_000, "longer than"),
        ("\x00\x1b[2J", "no step in it"),
    ],
)
def test_what_is_no_scenario_is_refused_with_the_reason(text: str, reason: str) -> None:
    told = complaint(text)
    assert reason in told
    assert "\n" not in told


GOOD = "Scenario: x\n  Given a\n"
CODE = "from behave import given\n\n\n@given('a')\ndef f(context):\n    pass\n"


@pytest.mark.parametrize(
    ("scenario", "code", "rung", "fault"),
    [
        (GOOD, CODE, Rung.BOUND, None),
        (GOOD, CODE.replace("'a'", "'b'"), Rung.PARSED, "undefined step"),
        (GOOD, "def f(:", Rung.TEXT, "python: line 1"),
        (GOOD, CODE.replace("    pass", "pass"), Rung.TEXT, "expected an indented block"),
        ("Given a", CODE, Rung.TEXT, "scenario: "),
    ],
)
def test_a_pair_climbs_until_something_keeps_it(
    scenario: str, code: str, rung: Rung, fault: str | None
) -> None:
    ladder = climb(scenario, code)
    assert ladder.rung == rung
    assert (fault is None and not ladder.faults) or (fault and fault in sentence(ladder.faults[0]))


def test_a_row_without_a_closed_block_is_below_the_ladder() -> None:
    ladder = climb_row(f"Do:\n```gherkin\n{GOOD}```", "", f"```python\n{CODE}")
    assert ladder.rung == Rung.NONE
    assert [sentence(fault) for fault in ladder.faults] == ["python: cut off"]


def test_a_row_is_told_before_the_next_one_is_climbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that fifty thousand rows show their progress, and not all at the end."""
    climbed = []

    def noted(scenario_text: str, code: str) -> ladder.Ladder:
        climbed.append(code)
        return climb(scenario_text, code)

    monkeypatch.setattr(ladder, "climb", noted)
    row = (f"Do:\n```gherkin\n{GOOD}```", "", f"```python\n{CODE}```")
    for told, one in enumerate(ladder.climb_each([row] * 3, Rung.BOUND), start=1):
        assert (one.rung, len(climbed)) == (Rung.BOUND, told)

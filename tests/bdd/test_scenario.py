"""Scenarios are read by behave's own parser; what only looks like one is refused."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from behave.parser import parse_file
from hypothesis import given, settings
from hypothesis import strategies as st

from selfbehave.bdd import FaultCode, ScenarioError, ladder, parse_scenario, sentence
from selfbehave.bdd.document import parts_of
from selfbehave.bdd.ladder import Rung, climb, climb_row
from selfbehave.bdd.official_parser import parse_officially
from selfbehave.bdd.portability import portability_fault


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
        ("Scenario: x\n  Given a\n  | a | b |\n  | 1 |\n", "line 4: Malformed table"),
        ("Scenario: x\n  Given a\n  ```\n  b\n  ```\n", "line 3: "),
        ("Scenario: x\n  And a\n  When b\n", "line 2: no Given, When or Then before 'a'"),
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


NOT_PORTABLE = {
    "keywords in lower case": "Scenario: x\n  Given a\n    when b\n  then c\n",
    "a doc string between apostrophes": "Scenario: x\n  Given a\n    '''\n    b\n    '''\n",
    "a doc string without an end": 'Scenario: x\n  Given a\n    """\n    b\n',
    "an escape in a cell": "Scenario: x\n  Given a\n    | b\\nc |\n",
    "an escaped quotation mark": 'Scenario: x\n  Given a\n    """\n    \\"\\"\\"\n    """\n',
    "a row that is not closed": "Scenario: x\n  Given a\n    | b | c\n    | d | e\n",
    "an id of its own": "Scenario Outline: x\n  Given <row.id>\n"
    "  Examples:\n    | n |\n    | 1 |\n",
    "Examples filled into the background": "Feature: f\n  Background:\n    Given <n>\n"
    "  Scenario Outline: x\n    When <n>\n    Examples:\n      | n |\n      | 1 |\n",
    "words of a description that are a step": "Scenario: x\n  when it rains\n  Given a\n",
}


@pytest.mark.parametrize("text", NOT_PORTABLE.values(), ids=NOT_PORTABLE)
def test_what_only_behave_reads_so_is_not_portable_and_climbs_all_the_same(text: str) -> None:
    bound = dict.fromkeys((step.kind, step.text) for step in parse_scenario(text).steps)
    code = "from behave import given, when, then\n" + "".join(
        f"\n\n@{kind}({step!r})\ndef f{number}(context):\n    pass\n"
        for number, (kind, step) in enumerate(bound)
    )
    ladder = climb(text, code)
    assert ladder.rung == Rung.BOUND
    assert FaultCode.NOT_PORTABLE in [fault.code for fault in ladder.faults]
    assert not ladder.blocking


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "Scenario: x\n  * a\n  When b\n",
        "Scenario: x\n  Given a\n    | b | c \\| d |\n    | 1 |   |\n",
        'Scenario: x\n  Given a\n    """json\n    {  \n    }\n    """\n',
        "# language: fr\n@tag\nScénario: x\n  Soit a\n",
        "Scenario Outline: x\n  Given <n>\n  @slow\n  Examples: y\n    | n |\n    | 1 |\n",
        "Feature: f\n  Background:\n    Given a\n  Rule: r\n    Background:\n      Given b\n"
        "    Example: x\n      * c\n      Then d\n",
    ],
)
def test_what_both_parsers_read_alike_is_portable(text: str) -> None:
    assert portability_fault(parse_scenario(text)) is None


def test_a_fault_of_portability_has_the_line_of_the_text_as_it_was_given() -> None:
    faults = [
        portability_fault(parse_scenario(text))
        for text in ("Scenario: x\n  Given a\n  when b\n", "Scenario: x\n  Given a\n  | b\\nc |\n")
    ]
    assert [fault and fault.line for fault in faults] == [3, 2]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Here it is:\n\nFeature: f\n  Scenario: x\n    Given a\n", "No feature found"),
        ("invalid line here\n\nFeature: f\n  Scenario: x\n    Given a\n", "No feature found"),
        ("Scenario: x\n  Given a\n  Examples:\n    | n |\n    | 1 |\n", "inside scenario outline"),
        ('Scenario: x\n  Given a\n    """\n  b\n    """\n', "line 4: BAD-INDENT"),
        ("Feature: f\n  Scenario: x\n    Given a\nFeature: g\n", "Multiple features"),
        ("# language: ru\nСтруктура сценария: x\n  Дано a\n  Значения:\n", "line 4: "),  # noqa: RUF001
        ("Scenario: x\n  Given a\u2028b\n", "line 3: "),
        ("Scenario Outline: x\n  Given a\n", "no step in it"),
        ("@a b\nScenario: x\n  Given a\n", "line 1: tag: b"),
    ],
)
def test_what_behave_does_not_read_is_refused_in_its_own_words(text: str, reason: str) -> None:
    assert reason in complaint(text)


def test_prose_before_a_bare_scenario_is_the_description_of_its_feature() -> None:
    scenario = parse_scenario("Here it is:\n\nScenario: x\n  Given a\n")
    assert scenario.feature_text.startswith("Feature: A scenario\n\nHere it is:")
    assert [step.line for step in scenario.steps] == [4]


def test_behave_fills_in_parameters_of_its_own() -> None:
    scenario = parse_scenario(
        "Scenario Outline: s\n  Given <row.id> <examples.name>, <n>\n"
        "  Examples: E <n> <row.index>\n    | n |\n    | 1 |\n    | 2 |\n"
    )
    assert [step.text for step in scenario.steps] == ["1.1 E 1 1, 1", "1.2 E 2 2, 2"]


def test_the_document_has_each_part_at_its_line_and_column() -> None:
    scenario = parse_scenario(
        "Feature: f\n  @t\n  Scenario Outline: x\n    given a <n>\n      | b \\| c |  d |\n"
        "    '''\n    e\n    '''\n\n    Examples: y\n      |  n  |\n      |  1  |\n"
    )
    (part,) = scenario.document["feature"]["children"]
    outline = part["scenario"]
    (step,) = outline["steps"]
    (row,) = step["dataTable"]["rows"]
    assert outline["tags"] == [{"name": "@t", "location": {"line": 2, "column": 3}}]
    assert (step["location"], step["keyword"]) == ({"line": 4, "column": 5}, "given ")
    assert [
        (cell["value"], cell["written"], cell["location"]["column"]) for cell in row["cells"]
    ] == [
        ("b | c", "b \\| c", 9),
        ("d", "d", 19),
    ]
    assert outline["examples"][0]["tableBody"][0]["cells"][0]["location"] == {
        "line": 12,
        "column": 10,
    }


def test_reading_prints_nothing_and_keeps_nothing(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    texts = [
        "# language: fr\nScénario: x\n  Soit a\n",
        "Scenario: x\n  Given a\n  | b | c\n",
        "Scenario Outline: x\n  Given a\n  Examples: y\n",
    ]
    for text in texts:
        with suppress(ScenarioError):
            parse_scenario(text)
    assert (*capsys.readouterr(), caplog.text) == ("", "", "")
    assert parse_scenario(GOOD).steps[0].kind == "given"
    with pytest.raises(ScenarioError):
        parse_scenario("Scénario: x\n  Soit a\n")


LINES = [
    "Scenario: x", "Scenario:", " Scenario: Given a", "Given a", "  When b # c", "Then  d  ",
    "And e", "But f", "Feature: g", "", "   ", "And Given", "Given | a |", "Given @t", 'Given """',
    "Given", "  | a |", "# h", "* i", "given j", "@k", "Rule: l", "Examples:", '"""',
    "Scenario Outline: m",
]  # fmt: skip


@given(st.lists(st.sampled_from(LINES[:16]) | st.sampled_from(LINES), max_size=8), st.booleans())
@settings(max_examples=1_500)
def test_what_is_called_portable_at_once_is_read_alike(lines: list[str], is_whole: bool) -> None:
    """Most scenarios are of letters that spare asking the official parser."""
    text = "\n".join(["Feature: f"] * is_whole + lines) + "\n"
    try:
        scenario = parse_scenario(text)
    except ScenarioError:
        return
    if portability_fault(scenario) is None:
        official = parse_officially(scenario.feature_text)
        assert [step["text"] for step in steps_of(official)] == [
            step["text"] for step in steps_of(scenario.document)
        ]


def steps_of(document: Any) -> list[Any]:
    return [step for part in parts_of(document) for step in part["steps"]]

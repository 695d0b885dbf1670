"""A scenario without some of its steps still reads as Gherkin, and means what is left of it."""

from selfbehave.bdd import parse_scenario
from selfbehave.bdd.omissions import each_scenario_alone, without_actions, without_each_given
from selfbehave.prompts.bdd import scenario_of
from selfbehave.seeds.load import load_seeds

ALL_KINDS = """Scenario: Lending
  Given a shelf
  And a member
  When the member borrows a book:
    | title |
    | Dune  |
  And the librarian stamps it
  Then the shelf is empty
  But the card is full
"""


def kinds_and_texts(text: str) -> list[tuple[str | None, str]]:
    return [(step.kind, step.text) for step in parse_scenario(text).steps]


def test_the_actions_are_left_out_with_their_tables_and_what_goes_on_with_them() -> None:
    omission = without_actions(ALL_KINDS)
    assert [(step.text, step.line) for step in omission.omitted] == [
        ("the member borrows a book:", 4),
        ("the librarian stamps it", 7),
    ]
    assert kinds_and_texts(omission.text) == [
        ("given", "a shelf"),
        ("given", "a member"),
        ("then", "the shelf is empty"),
        ("then", "the card is full"),
    ]
    assert "Dune" not in omission.text


def test_what_is_left_keeps_its_lines() -> None:
    before = {step.text: step.line for step in parse_scenario(ALL_KINDS).steps}
    added = 2  # the feature's heading
    after = {step.text: step.line for step in parse_scenario(without_actions(ALL_KINDS).text).steps}
    assert after == {text: line + added for text, line in before.items() if text in after}


def test_a_step_that_went_on_with_an_omitted_one_keeps_its_kind() -> None:
    first, second = without_each_given(ALL_KINDS)
    assert first.omitted[0].text == "a shelf"
    assert "  Given a member\n" in first.text
    assert kinds_and_texts(first.text)[0] == ("given", "a member")
    assert second.omitted[0].text == "a member"
    assert [text for _, text in kinds_and_texts(second.text)][:2] == [
        "a shelf",
        "the member borrows a book:",
    ]


def test_a_star_after_an_omitted_step_keeps_its_kind() -> None:
    text = "Scenario: s\n  Given a\n  * b\n  When c\n  * d\n  Then e\n"
    first, _ = without_each_given(text)
    assert kinds_and_texts(first.text)[0] == ("given", "b")
    assert kinds_and_texts(without_actions(text).text) == [
        ("given", "a"),
        ("given", "b"),
        ("then", "e"),
    ]


def test_a_keyword_is_written_out_in_the_scenarios_own_language() -> None:
    text = (
        "# language: de\nSzenario: Kasse\n  Angenommen ein Korb\n  Und ein Kunde\n"
        "  Wenn er zahlt\n  Dann ist der Korb leer\n"
    )
    first, _ = without_each_given(text)
    assert "  Angenommen ein Kunde\n" in first.text
    assert kinds_and_texts(first.text)[0] == ("given", "ein Kunde")


def test_several_whens_are_all_left_out() -> None:
    text = "Scenario: s\n  Given a\n  When b\n  Then c\n  When d\n  And e\n  Then f\n"
    omission = without_actions(text)
    assert [step.text for step in omission.omitted] == ["b", "d", "e"]
    assert kinds_and_texts(omission.text) == [("given", "a"), ("then", "c"), ("then", "f")]


def test_an_outline_keeps_its_examples() -> None:
    text = (
        "Scenario Outline: s\n  Given <a>\n  When <b>\n    '''\n    | x |\n    '''\n  Then <c>\n\n"
        "  @slow\n  Examples:\n    | a | b | c |\n    | 1 | 2 | 3 |\n    | 4 | 5 | 6 |\n"
    ).replace("'''", '"""')
    assert kinds_and_texts(without_actions(text).text) == [
        ("given", "1"),
        ("then", "3"),
        ("given", "4"),
        ("then", "6"),
    ]


def test_steps_of_a_background_are_left_out_too() -> None:
    text = (
        "Feature: f\n  Background:\n    Given a\n    And b\n    When c\n\n"
        "  Scenario: s\n    When d\n    Then e\n"
    )
    assert kinds_and_texts(without_actions(text).text) == [
        ("given", "a"),
        ("given", "b"),
        ("then", "e"),
    ]
    assert [one.omitted[0].text for one in without_each_given(text)] == ["a", "b"]


def test_a_step_that_went_on_with_a_background_keeps_its_kind() -> None:
    text = (
        "Feature: f\n  Background:\n    Given a\n  Scenario: s\n    And b\n    When c\n"
        "    Then d\n  Scenario: t\n    * e\n    Then f\n"
    )
    without_a = next(without_each_given(text))
    assert kinds_and_texts(without_a.text) == [
        ("given", "b"),
        ("when", "c"),
        ("then", "d"),
        ("given", "e"),
        ("then", "f"),
    ]


def test_stars_alone_keep_their_kind() -> None:
    first, second = without_each_given("Scenario: s\n  * a\n  And b\n  When c\n  Then d\n")
    assert kinds_and_texts(first.text)[0] == ("given", "b")
    assert kinds_and_texts(second.text)[0] == ("given", "a")


def test_a_doc_string_that_looks_like_steps_goes_with_its_step() -> None:
    text = (
        "Scenario: s\n  Given a page:\n    '''\n    When it is read\n\n    Then it ends\n    '''\n"
        "  When b\n  Then c\n"
    ).replace("'''", '"""')
    (omission,) = without_each_given(text)
    assert kinds_and_texts(omission.text) == [("when", "b"), ("then", "c")]


def test_each_scenario_stands_alone_with_its_backgrounds() -> None:
    text = (
        "Feature: f\n  Background:\n    Given a\n\n  @one\n  Scenario: s\n    When b\n"
        "  @two\n  # about it\n  Scenario Outline: t\n    When <n>\n    Examples:\n"
        "      | n |\n      | 1 |\n  Rule: r\n    Background:\n      Given z\n"
        "    Scenario: u\n      Then c\n"
    )
    assert [
        [step.text for step in parse_scenario(one).steps] for one in each_scenario_alone(text)
    ] == [
        ["a", "b"],
        ["a", "1"],
        ["a", "z", "c"],
    ]


def test_a_scenario_alone_keeps_the_lines_of_the_text_that_was_given() -> None:
    text = "Scenario: s\n  When a\n\nScenario: t\n  When b\n"
    _, second = each_scenario_alone(text)
    assert [step.line for step in parse_scenario(second).steps] == [5]


def test_every_seed_without_its_actions_or_a_given_is_still_a_scenario() -> None:
    for name in ("high_quality", "mixed_quality"):
        for task in load_seeds(name).tasks:
            text = scenario_of(task.instruction)
            before = parse_scenario(text)
            without = without_actions(text)
            if any(step.kind != "when" for step in before.steps):
                left = parse_scenario(without.text).steps
                expected = [(s.kind, s.text) for s in before.steps if s.kind != "when"]
                assert [(step.kind, step.text) for step in left] == expected, task.name
            for omission in without_each_given(text):
                written = [(s.kind, s.text) for s in before.written_steps]
                (omitted,) = omission.omitted
                written.remove((omitted.kind, omitted.text))
                left = parse_scenario(omission.text).written_steps
                assert [(s.kind, s.text) for s in left] == written, task.name

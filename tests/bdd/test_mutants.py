"""Mutants change one expected value of a scenario and nothing else; no sandbox is needed here."""

from selfbehave.bdd import Scenario, input_mutants, mutants, parse_scenario
from selfbehave.prompts.bdd import scenario_of
from selfbehave.seeds.load import load_seeds

HIGH = load_seeds("high_quality").tasks
EVERY = {task.id: task for task in HIGH + load_seeds("mixed_quality").tasks}


def contexts(scenario: Scenario) -> list[str]:
    return [step.text for step in scenario.steps if step.kind != "then"]


def test_mutants_of_every_seed_change_one_expected_value_and_parse() -> None:
    for task in EVERY.values():
        text = scenario_of(task.instruction)
        before = parse_scenario(text)
        lines = before.feature_text.split("\n")
        found = list(mutants(text))
        assert found or task not in HIGH, task.name
        for mutant in found:
            after = parse_scenario(mutant.text)
            assert after.name == before.name
            changed = [
                number
                for number, (one, other) in enumerate(
                    zip(lines, mutant.text.split("\n"), strict=True)
                )
                if one != other
            ]
            assert len(changed) == 1, (task.name, mutant.description)
            # Given and When steps keep their words; only an example's row may reach into them.
            if "Examples" not in text:
                assert contexts(after) == contexts(before)


def test_mutants_come_in_the_documented_order() -> None:
    text = """Scenario Outline: Prices of <kind>
  Given 3 items of "<kind>"
  When 2 are bought at 10:00
  Then the price is 12.50 for "gold" and <total>
  And the bill of 2024-12-31 reads:
    | item | paid |
    | ring | yes  |
  But the note is:
    \"\"\"
    Thanks, 2 items
    \"\"\"

  Examples:
    | kind | total |
    | ring | 7     |
    | pin  | 9     |
"""
    assert [mutant.description for mutant in mutants(text)] == [
        "line 4: '12.50' became '12.49'",
        "line 4: 'gold' became 'goldx'",
        "line 5: '2024-12-31' became '2024-12-30'",
        "line 7: 'ring' became 'ringx'",
        "line 7: 'yes' became 'no'",
        "line 10: '2' became '3'",
        "line 15: '7' became '8'",
        "line 16: '9' became '10'",
        "line 15: 'ring' became 'pin'",
        "line 16: 'pin' became 'ring'",
    ]


def test_a_mutant_leaves_escapes_and_other_lines_alone() -> None:
    text = (
        "# language: fr\nFonctionnalité: été 1\n  Scénario: a 2\n    Soit 3\n"
        "    Alors la table est\n      | a | b |\n      | x \\| y | \\n |\n"
    )
    found = list(mutants(text))
    assert [mutant.description for mutant in found] == [
        "line 7: 'x \\| y' became 'x \\| yx'",
        "line 7: '\\n' became '\\nx'",
    ]
    assert found[0].text == text.replace("x \\| y", "x \\| yx")


def test_mutants_are_bounded() -> None:
    steps = "\n".join(f"  Then {number} of them" for number in range(100))
    assert len(list(mutants(f"Scenario: a\n{steps}\n"))) == 16


# Inputs


def descriptions(text: str) -> list[str]:
    return [mutant.description for mutant in input_mutants(text)]


def test_inputs_are_changed_in_the_documented_order_the_smallest_changes_first() -> None:
    text = """Scenario Outline: Loans
  Given a shelf of 3 books for "adults"
  And these readers:
    | name | age |
    | Ana  | 12  |
  When "Bo" borrows <count> books at 9:30
  Then <left> books are left

  Examples:
    | count | left |
    | 2     | 1    |
"""
    assert descriptions(text) == [
        "line 6: 'Bo' became 'Box'",
        "line 6: '9:30' became '9:29'",
        "line 2: '3' became '4'",
        "line 2: 'adults' became 'adultsx'",
        "line 5: 'Ana' became 'Anax'",
        "line 5: '12' became '13'",
        "line 11: '2' became '3'",
        "line 6: 'Bo' became 'adults'",
        "line 6: '9:30' became '10:30'",
        "line 2: '3' became '30'",
        "line 2: 'adults' became 'Bo'",
        "line 5: '12' became '120'",
        "line 11: '2' became '20'",
        "line 2: '3' became '2'",
        "line 5: '12' became '11'",
        "line 11: '2' became '1'",
    ]


def test_an_example_value_that_a_then_uses_too_is_no_input() -> None:
    text = (
        "Scenario Outline: s\n  When <n> of <m>\n  Then <n>\n  Examples:\n"
        "    | n | m |\n    | 1 | 5 |\n"
    )
    assert descriptions(text)[0] == "line 6: '5' became '6'"
    assert not any("'1'" in one for one in descriptions(text))


def test_inputs_of_every_seed_change_in_one_line_and_no_then_is_touched() -> None:
    for task in HIGH:
        text = scenario_of(task.instruction)
        before = parse_scenario(text)
        lines = before.feature_text.split("\n")
        found = list(input_mutants(text))
        assert found, task.name
        for mutant in found:
            changed = mutant.text.split("\n")
            assert sum(one != other for one, other in zip(lines, changed, strict=True)) == 1
            after = parse_scenario(mutant.text)
            assert outcomes(after) == outcomes(before), (task.name, mutant.description)


def outcomes(scenario: Scenario) -> list[str]:
    return [step.text for step in scenario.steps if step.kind == "then"]


def test_lines_of_a_doc_string_take_each_others_place() -> None:
    lines = ["Scenario: s", "  Given a script:", '    """', "    open(", "    close)", '    """']
    assert descriptions("\n".join([*lines, "  When a", "  Then b"])) == [
        "line 4: 'open(' became 'open(x'",
        "line 5: 'close)' became 'close)x'",
        "line 4: 'open(' became 'close)'",
        "line 5: 'close)' became 'open('",
    ]


def test_changes_of_inputs_are_bounded() -> None:
    steps = "\n".join(f"  Given {number} of them" for number in range(100))
    assert len(descriptions(f"Scenario: a\n{steps}\n  When a\n  Then b\n")) == 32

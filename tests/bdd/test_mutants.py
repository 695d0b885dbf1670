"""Mutants change one expected value of a scenario and nothing else; no sandbox is needed here."""

from selfbehave.bdd import Scenario, mutants, parse_scenario
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

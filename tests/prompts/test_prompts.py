"""Prompts keep scenarios intact, and answers yield only what is whole."""

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.jsonl import read_records
from selfbehave.core.records import SeedTask
from selfbehave.prompts import FAMILIES, Answer, families_for
from selfbehave.prompts.bdd import instruction_for, scenario_of
from selfbehave.seeds.load import load_seeds

from ..helpers.paths import CLASSIC_SEEDS

BDD, CLASSIC = FAMILIES["bdd"], FAMILIES["classic"]
SCENARIO = 'Scenario: Example of "Tea"\n  Given an Example 1\n    | a |\n\n  Then Task: done'


def whole(text: str) -> Answer:
    return Answer(text, is_truncated=False)


def cut(text: str) -> Answer:
    return Answer(text, is_truncated=True)


class TestBdd:
    def test_a_scenario_is_shown_with_its_lines_case_and_indentation(self) -> None:
        prompt = BDD.bootstrap_prompt([instruction_for(SCENARIO)], "completions")
        assert SCENARIO in prompt.text
        assert prompt.text.endswith("Scenario 2\n```gherkin\n")

    def test_whole_scenarios_are_candidates_and_the_cut_one_is_not(self) -> None:
        scenario = "Scenario: A b\n  Given c d e\n  Then f g"
        text = f"```gherkin\n{scenario}\n```\n\nScenario 10\n```gherkin\nSc"
        first, second = BDD.candidates(cut(text))
        assert scenario_of(first.instruction) == scenario
        assert (first.fault, second.fault) == (None, "truncated")
        assert BDD.candidates(whole(text))[1].fault == "unclosed_fence"

    @pytest.mark.parametrize(
        ("scenario", "fault"),
        [
            ("Scenario: A b c Given d When e Then f", "not_parsed"),
            ("Scenario: A\n  Given b", "too_short"),
            ("Scenario:\n  Given a b c d\n  When e f g h", "too_short"),
            ("Scenario: A\n  Given " + "b " * 400, "too_long"),
            ("Scenario: *A b c*\n  Given d e f g h", "starts_with_punctuation"),
            ("Scenario: Été a b c\n  Given d e f g h", "starts_with_non_ascii"),
            (
                "Feature: A\n  Scenario: b\n    Given c d\n  Scenario: e\n    Given f g",
                "unwanted_kind",
            ),
        ],
    )
    def test_a_scenario_of_bad_form_is_dropped(self, scenario: str, fault: str) -> None:
        (candidate,) = BDD.candidates(whole(f"```gherkin\n{scenario}\n```"))
        assert candidate.fault == fault

    def test_prose_and_other_languages_are_no_candidates(self) -> None:
        assert BDD.candidates(whole("Sure!\n```python\nx = 1\n```\nScenario: x")) == []

    def test_step_functions_are_never_a_classification_task_by_rule(self) -> None:
        assert BDD.certain_class(instruction_for(SCENARIO)) is False
        assert BDD.certain_class("Is this spam or not?") is None

    def test_python_keeps_its_indentation_and_the_next_task_stays_out(self) -> None:
        code = "from behave import given\n\n\n@given('a')\ndef f(c):\n    c.x = {\n        1}"
        answer = whole(f"```python\n{code}\n```\n\nTask: Write a program")
        (parsed,) = BDD.instances(instruction_for(SCENARIO), answer, False)
        assert parsed.instance is not None
        assert parsed.instance.output == f"```python\n{code}\n```"

    def test_code_cut_off_by_the_token_limit_is_no_instance(self) -> None:
        (parsed,) = BDD.instances(instruction_for(SCENARIO), cut("```python\nimport x\ndef"), False)
        assert (parsed.instance, parsed.fault) == (None, "truncated")

    def test_a_grammar_and_stop_texts_are_both_offered(self) -> None:
        for api in ("chat", "completions"):
            prompt = BDD.instances_prompt(
                instruction_for(SCENARIO.replace("  Then", "  When x\n  Then")),
                False, load_seeds("high_quality").tasks[:2], 5, api,  # type: ignore[arg-type]
            )  # fmt: skip
            assert prompt.grammar
            assert prompt.text.count("```gherkin") == 3


class TestClassic:
    def test_a_numbered_list_is_split_into_candidates(self) -> None:
        text = (
            "9. Name the capital of each country.\n10. Sort the words\nby their length.\n11. Tell"
        )
        candidates = CLASSIC.candidates(cut(text))
        assert [one.instruction for one in candidates] == [
            "Name the capital of each country.",
            "Sort the words\nby their length.",
            "Tell",
        ]
        assert [one.fault for one in candidates] == [None, None, "truncated"]

    def test_an_answer_without_a_list_has_no_candidates(self) -> None:
        assert CLASSIC.candidates(whole("I would rather not.")) == []

    @pytest.mark.parametrize(
        ("instruction", "fault"),
        [
            ("Sort these words.", "too_short"),
            ("word " * 151, "too_long"),
            ("(Sort) these words by length.", "starts_with_punctuation"),
            ("Übersetze den Satz ins Englische.", "starts_with_non_ascii"),
            ("Describe what the picture shows here.", "unwanted_kind"),
            ("Write a program that sorts words.", "unwanted_kind"),
            ("Describe the profile of a good nurse.", None),
        ],
    )
    def test_an_instruction_of_bad_form_is_dropped(
        self, instruction: str, fault: str | None
    ) -> None:
        (candidate,) = CLASSIC.candidates(whole(f"9. {instruction}"))
        assert candidate.fault == fault

    def test_instances_input_first(self) -> None:
        text = (
            "Example 1\nInput: an Example 2\nof Output\nOutput: a\nb\nExample 2\nOutput: alone\n"
            "Example 3\nInput: no answer\n\nTask: the next one\nExample 1\nOutput: leaked"
        )
        first, second, third = CLASSIC.instances("x", whole(text), False)
        assert first.instance is not None
        assert (first.instance.input, first.instance.output) == (
            "an Example 2\nof Output",
            "a\nb",
        )
        assert second.instance is not None
        assert (second.instance.input, second.instance.output) == ("", "alone")
        assert (third.instance, third.fault) == (None, "no_output")

    def test_instances_label_first(self) -> None:
        text = "Label: yes\nInput: 27\nLabel: no\nInput: 40\nLabel: perhaps"
        parsed = CLASSIC.instances("x", whole(text), True)
        assert [(one.instance.input, one.instance.output) for one in parsed if one.instance] == [
            ("27", "yes"),
            ("40", "no"),
        ]
        assert parsed[2].fault == "no_input"

    def test_the_last_instance_of_a_cut_answer_is_dropped(self) -> None:
        text = "Example 1\nOutput: whole\nExample 2\nOutput: cu"
        first, second = CLASSIC.instances("x", cut(text), False)
        assert first.instance is not None
        assert second.fault == "truncated"

    def test_a_cut_in_the_next_task_leaves_this_one_whole(self) -> None:
        text = "Example 1\nOutput: whole\n\nTask: another one that is cu"
        (only,) = CLASSIC.instances("x", cut(text), False)
        assert only.instance is not None
        assert only.instance.output == "whole"


def test_the_family_follows_the_seeds() -> None:
    bdd = [task.instruction for task in load_seeds("high_quality").tasks]
    classic = [task.instruction for task in read_records(CLASSIC_SEEDS, SeedTask.from_dict)]
    scenarios = families_for(None, bdd, "")
    names = [one.name for one in (scenarios.completions, scenarios.chat, scenarios.begun)]
    assert names == ["bdd", "bdd_turns", "bdd_glue"]
    general = families_for(None, bdd + classic, "")
    assert (general.completions.name, general.chat.name) == ("classic", "classic_turns")
    chosen = families_for("classic", bdd, "")
    assert {chosen.completions.name, chosen.chat.name, chosen.begun.name} == {"classic"}
    with pytest.raises(SelfBehaveError, match="no ```gherkin block"):
        families_for("bdd", bdd + classic, "")

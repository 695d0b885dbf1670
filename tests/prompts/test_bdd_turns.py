"""The prompts whose examples are turns of a chat, and what is taken from the answers."""

import pytest

from selfbehave.prompts import FAMILIES, Answer
from selfbehave.prompts.bdd import instruction_for
from selfbehave.prompts.bdd_turns import scenario_in
from selfbehave.seeds.load import load_seeds

TURNS = FAMILIES["bdd_turns"]
SEEDS = load_seeds("high_quality").tasks
SCENARIO = "Scenario: A till\n  Given 3 coins\n  When 2 more come\n  Then there are 5 coins"


@pytest.mark.parametrize(
    "answer",
    [
        SCENARIO,
        f"Here it is:\n\n{SCENARIO}\n",
        f"```gherkin\n{SCENARIO}\n```\nIt is short.",
        f"```\n{SCENARIO}\n```",
        f"```python\nx = 1\n```\n```gherkin\n{SCENARIO}\n```",
    ],
)
def test_a_scenario_is_taken_with_and_without_a_fence(answer: str) -> None:
    assert scenario_in(answer) == SCENARIO
    assert [
        one.instruction for one in TURNS.candidates(Answer(answer, False)) if not one.fault
    ] == [instruction_for(SCENARIO)]


def test_an_answer_without_a_scenario_has_no_candidate_and_a_cut_one_is_told() -> None:
    assert TURNS.candidates(Answer("I cannot.", False)) == []
    (cut,) = TURNS.candidates(Answer(SCENARIO[:-10], True))
    assert cut.fault == "truncated"


def test_step_functions_are_asked_for_with_the_heads_in_each_turn_and_no_grammar() -> None:
    prompt = TURNS.instances_prompt(instruction_for(SCENARIO), False, SEEDS[:2], 5, "chat")
    roles = [one.role for one in prompt.before]
    assert roles == ["system", *["user", "assistant"] * (len(roles) // 2)]
    asked = [one.content for one in prompt.before if one.role == "user"]
    assert len(asked) >= 2 + 4, "two solved seeds, and the plain examples"
    for text in [*asked, prompt.text]:
        assert text.startswith("```gherkin\n")
        assert "Heads:\n\n```python\nfrom behave import " in text
        assert "\n    ...\n" in text.partition("Heads:")[2], "no bodies"
    for answered in (one.content for one in prompt.before if one.role == "assistant"):
        assert answered.startswith("```python\n")
    assert "@when(" in prompt.text
    assert prompt.text.count("@") == 3, "a head for each step"
    assert prompt.grammar is None
    assert prompt.temperatures[0] < prompt.temperatures[1]


def test_a_cell_is_asked_for_after_examples_and_the_runs_own_proven_scenarios() -> None:
    own = ("System: a till\nRule: coins add up", instruction_for(SCENARIO))
    plain = TURNS.cell_prompt("System: x", [])  # type: ignore[attr-defined]
    prompt = TURNS.cell_prompt("System: x", [own])  # type: ignore[attr-defined]
    assert prompt.text == "System: x"
    assert prompt.before[: len(plain.before)] == plain.before, "the engine's cache keeps these"
    asked, answered = prompt.before[len(plain.before) :]
    assert (asked.content, answered.content) == (own[0], SCENARIO)


def test_a_completions_engine_gets_the_prompts_of_bdd() -> None:
    for family in (TURNS, FAMILIES["bdd"]):
        made = family.instances_prompt(
            instruction_for(SCENARIO), False, SEEDS[:2], 5, "completions"
        )
        assert (made.before, bool(made.prefix)) == ((), True)

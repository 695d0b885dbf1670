"""A candidate is compared by its words, whole or its scenario alone, and if asked its meaning."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from selfbehave.cli.main import main
from selfbehave.core.errors import SelfBehaveError
from selfbehave.novelty.rule import rouge_l
from selfbehave.prompts.bdd import instruction_for
from selfbehave.stages.novelty_rules import NoveltyRules, check_paraphrases

from ..conftest import ScriptedServer

POINTS = (
    "Scenario: Loyalty points\n  Given a member with 90 points\n  When she spends 30 euros\n"
    "  Then she has 120 points"
)
OTHER_WORDS = (
    "Scenario: Points for shopping\n  Given the customer starts with 90 bonus points\n"
    "  When a purchase of 30 euros is rung up\n  Then 30 points join the 90"
)
OTHER_RULE = (
    "Scenario: Points expire\n  Given a member with 90 points from last year\n"
    "  When the new year begins\n  Then she has 0 points"
)
OTHER = "Scenario: Heat\n  Given a cold room\n  When an hour passes\n  Then the heating is on"


def test_the_common_lead_makes_the_rule_stricter_on_the_whole_instruction() -> None:
    seeds, candidate = [instruction_for(POINTS)], instruction_for(OTHER_RULE)
    assert rouge_l(POINTS, OTHER_RULE) <= 0.7 < rouge_l(seeds[0], candidate)
    refusal = NoveltyRules(seeds).admit(candidate)
    assert refusal is not None
    assert refusal.reason == "not_novel"
    assert NoveltyRules(seeds, "scenario").admit(candidate) is None


def test_a_paraphrase_is_refused_with_the_scenario_that_it_is_like() -> None:
    rules = NoveltyRules([instruction_for(POINTS)], paraphrases="0.7")
    refusal = rules.admit(instruction_for(OTHER_WORDS))
    assert refusal is not None
    assert refusal.reason == "paraphrase"
    assert refusal.detail.startswith("cosine 0.")
    assert refusal.detail.endswith(f" to: {POINTS}")
    assert rules.admit(instruction_for(OTHER)) is None
    assert [near.text for near in rules.nearest_meanings() if near] == [POINTS]


def test_a_scenario_may_be_like_its_kin() -> None:
    rules = NoveltyRules([instruction_for(POINTS)], paraphrases="0.7")
    assert rules.admit(instruction_for(OTHER_WORDS), [instruction_for(POINTS)]) is None


def test_paraphrases_are_only_reported_without_a_limit() -> None:
    rules = NoveltyRules([instruction_for(POINTS)], paraphrases="report")
    assert rules.admit(instruction_for(OTHER_WORDS)) is None
    (by_words,), (by_meaning,) = rules.comparisons(), rules.nearest_meanings()
    assert by_meaning is not None
    assert by_words.highest < by_meaning.cosine


@pytest.mark.parametrize("given", ["on", "1.5", "-0.1", "nan", ""])
def test_a_limit_out_of_range_is_refused(given: str) -> None:
    with pytest.raises(SelfBehaveError, match="--paraphrases must be off, report or a limit"):
        check_paraphrases(given)


def test_a_run_reports_what_is_near_in_meaning_and_drops_what_is_above_a_limit(
    scripted_server: Callable[..., ScriptedServer],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["bootstrap", "--engine", scripted_server().url, "--model", "scripted"]
    command += ["--prompts", "bdd", "--num_instructions_to_generate", "3", "--batch_dir"]
    assert main([*command, str(tmp_path / "one"), "--paraphrases", "report"]) == 0
    assert "of 3 are like an earlier scenario in meaning" in capsys.readouterr().out
    lines = (tmp_path / "one/machine_generated_instructions.jsonl").read_text().splitlines()
    found = [json.loads(line)["metadata"]["nearest_meaning"] for line in lines]
    lowest = min(one["cosine"] for one in found)
    assert all(one["text"].startswith("Scenario") for one in found)

    # Nothing is accepted, so the run stops and says so.
    assert main([*command, str(tmp_path / "two"), "--paraphrases", f"{lowest / 4:.2f}"]) == 1
    assert "no novel instruction in the last 100 requests" in capsys.readouterr().err

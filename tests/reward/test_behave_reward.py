"""The reward: an honest solution earns the most, and no known cheat comes near."""

from __future__ import annotations

import pytest

from selfbehave.bdd import sandbox
from selfbehave.bdd.faults import FaultCode
from selfbehave.bdd.ladder import Rung, climb_pairs
from selfbehave.core.errors import SelfBehaveError
from selfbehave.evaluation.benchmark import load_benchmark
from selfbehave.prompts.bdd import instruction_for
from selfbehave.reward import BehaveReward, Evidence, Scored, Weights, rewards, score
from selfbehave.reward.memorised import memorised
from selfbehave.reward.screen import tampering

from ..helpers.till import HONEST, SCENARIO
from .cheats import ANSWERS, CODES, HASHED, LUCKY, answer

pytestmark = pytest.mark.skipif(sandbox.missing() is not None, reason="no sandbox")

LIMITS = sandbox.Limits(seconds=4, cpu_seconds=1)
WRONG = HONEST.replace("coins += more", "coins -= more")
OTHER_VALUES = SCENARIO.replace("Given 3", "Given 4").replace("are 5", "are 6")
# But for chance, which may be lucky if it climbs only once.
NOT_RUN = [name for name in CODES if tampering(CODES[name]) and name != "chance"]


@pytest.fixture(scope="module")
def reward() -> BehaveReward:
    return BehaveReward(limits=LIMITS)


@pytest.fixture(scope="module")
def of_cheats(reward: BehaveReward) -> dict[str, Scored]:
    found = reward.scored([SCENARIO] * len(ANSWERS), list(ANSWERS.values()))
    return dict(zip(ANSWERS, found, strict=True))


def of_codes(*codes: str, checks: bool = False, reward: BehaveReward) -> list[float]:
    hidden = [[OTHER_VALUES]] * len(codes) if checks else None
    scored = reward.scored([SCENARIO] * len(codes), [answer(one) for one in codes], hidden)
    return [one.score for one in scored]


def test_the_further_code_climbs_the_more_it_earns(reward: BehaveReward) -> None:
    undefined = HONEST.replace("{more:d} more come", "more come")
    earned = of_codes("x =", undefined, WRONG, HONEST, reward=reward)
    assert earned == [0.0, 0.1, 0.2, 1.0]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_cheat_earns_no_more_than_an_honest_answer_that_fails(
    name: str, of_cheats: dict[str, Scored]
) -> None:
    assert of_cheats[name].score <= 0.2 < 1.0, of_cheats[name]


def test_cheats_that_the_screen_keeps_out_would_not_pay_in_the_sandbox_either() -> None:
    assert len(NOT_RUN) > 15
    ladders = climb_pairs([(SCENARIO, CODES[name]) for name in NOT_RUN], limits=LIMITS)
    for name, ladder in zip(NOT_RUN, ladders, strict=True):
        assert ladder.rung < Rung.DISCRIMINATING, name


def test_luck_does_not_pay(reward: BehaveReward) -> None:
    earned = of_codes(*LUCKY, reward=reward)
    assert sum(earned) / len(LUCKY) < 0.35, earned


def test_a_forged_result_earns_nothing() -> None:
    forged = Evidence(rung=Rung.BOUND, fault_codes=[FaultCode.RUN_FORGED_RESULT])
    assert score(forged) == 0.0 < score(Evidence(rung=Rung.BOUND))


def test_an_example_known_by_its_hash_is_found_by_a_hidden_check(reward: BehaveReward) -> None:
    assert of_codes(HASHED, HONEST, checks=True, reward=reward) == [0.1, 1.0]


def test_the_screen_lets_every_reference_of_the_benchmark_through() -> None:
    problems = load_benchmark().problems
    assert {
        one.task.id: tampering(one.reference) for one in problems if tampering(one.reference)
    } == {}
    taken_for_memorised = [one for one in problems if memorised(one.scenario, one.reference)]
    assert len(taken_for_memorised) <= 3, "numbers of a rule that are the outcome by coincidence"


@pytest.mark.parametrize(
    "line",
    [
        "import sys",
        "from os import _exit",
        "import dataclasses\ndataclasses.sys.exit(0)",
        "from dataclasses import sys",
        "import random as r\nr._os._exit(0)",
        "import behave\nbehave.runner",
        "from behave.model import Step",
        "from math import *",
        "look = getattr",
        "getattr(1, 'a' + 'b')",
        "getattr(1, '__class__'[::-1])",
        "x = '__subclasses__'",
        "().__class__.__base__",
        "eval('1')",
        "__import__('os')",
        "match 1:\n    case object(__globals__=found):\n        pass",
        "(one for one in ()).gi_frame",
    ],
)
def test_code_that_reaches_for_more_than_a_step_needs_is_not_run(line: str) -> None:
    assert tampering(f"{HONEST}\n{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "from dataclasses import dataclass, field",
        "import datetime as dt\ndt.datetime(2024, 1, 1)",
        "class Gate:\n    def inspect(self):\n        return self._open\nGate().inspect()",
        "getattr(Gate, 'height', None)",
        "class Door(Exception):\n    def __init__(self):\n        super().__init__('shut')",
        "if __name__ == '__main__':\n    pass",
    ],
)
def test_code_that_only_computes_is(line: str) -> None:
    assert tampering(f"{HONEST}\n{line}\n") is None


def test_an_answer_that_was_given_before_does_not_climb_again() -> None:
    reward = BehaveReward(most_kept=2)
    of_codes(HONEST, HONEST, WRONG, reward=reward)
    of_codes(HONEST, WRONG, HONEST, reward=reward)
    assert (reward.asked, reward.climbed) == (6, 2)
    of_codes("x = 1", reward=reward)
    of_codes(HONEST, reward=reward)  # the oldest of three verdicts was not kept
    assert reward.climbed == 4


def test_messages_and_plain_texts_earn_the_same(reward: BehaveReward) -> None:
    asked = instruction_for(SCENARIO)
    example = f"{instruction_for('Scenario: b' + chr(10) + '  Given a')}\n\n{asked}"
    said = answer(HONEST)
    thought = f"<think>\n{answer(WRONG)}</think>\n{said}"
    parts = [{"type": "text", "text": said}]
    of_texts = reward(prompts=[asked, example, asked], completions=[said, said, thought])
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": asked}]
    of_messages = reward(
        prompts=[prompt] * 2,
        completions=[[{"role": "assistant", "content": content}] for content in (said, parts)],
        completion_ids=[[1], [2]],
        trainer_state=None,
    )
    assert of_texts == [1.0] * 3
    assert of_messages == [1.0] * 2


def test_plain_texts_are_scored_by_a_function() -> None:
    assert rewards([SCENARIO, SCENARIO], [answer(HONEST), answer("x =")]) == [1.0, 0.0]


def test_weights_are_settings() -> None:
    halves = Weights(rungs=dict.fromkeys(Rung, 0.5), suspect=1.0)
    assert score(Evidence(rung=Rung.NONE), halves) == 0.5
    idle = Evidence(rung=Rung.CAUSAL, fault_codes=["idle_step"])
    assert score(idle) == pytest.approx(0.95)
    assert score(idle, Weights(causal_evidence=0)) == 1.0
    cheat = Evidence(rung=Rung.DISCRIMINATING, fault_codes=["hard_coded_outcome"])
    assert score(cheat) == 0.1
    assert score(cheat, Weights(suspect=1.0)) == 0.5
    long = Evidence(rung=Rung.CAUSAL, characters=6_000)
    assert score(long) == 1.0
    assert score(long, Weights(length=0.1)) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ({"rungs": {Rung.CAUSAL: 1.0}}, "no weight for the rung none, text"),
        ({"rungs": {rung: -rung / 9 for rung in Rung}}, "weighs less than the one below"),
        ({"suspect": 1.5}, "suspect must be from 0 to 1, not 1.5"),
        ({"free_length": -1}, "free_length must be at least 0"),
    ],
)
def test_weights_out_of_range_are_refused(weights: dict[str, object], told: str) -> None:
    with pytest.raises(SelfBehaveError, match=told):
        Weights(**weights)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prompts", "scenario", "checks", "told"),
    [
        (["What is BDD?"], None, None, "prompt 0: no ```gherkin block in it"),
        (None, ["Given a\n"], None, "scenario 0: not a scenario"),
        (None, [SCENARIO, SCENARIO], None, "2 scenarios and 1 completions"),
        (None, [SCENARIO], [["nothing"]], "check 0 of completion 0: not a scenario"),
    ],
)
def test_what_is_no_scenario_is_told(
    prompts: list[str] | None,
    scenario: list[str] | None,
    checks: list[list[str]] | None,
    told: str,
    reward: BehaveReward,
) -> None:
    with pytest.raises(SelfBehaveError, match=told):
        reward(prompts, [""], scenario, checks)

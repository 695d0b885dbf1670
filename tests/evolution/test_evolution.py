"""Operations on scenarios, and who descends from whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfbehave.bdd.screening import ScreenCode
from selfbehave.evolution.family import Descent, descent_of, scenario_id
from selfbehave.evolution.operations import EvolutionRequest, Operation, fault_of_change, suits
from selfbehave.novelty import Pool
from selfbehave.prompts.evolution_examples import EVOLUTION_EXAMPLES
from selfbehave.prompts.solved_examples import OUTLINE
from selfbehave.release.splits import split

from ..release.test_splits import row

PLAIN = """\
Scenario: Late
  Given a book is kept for at most 21 days
  And each further day costs 2 euros
  When Cleo brings the book back after 24 days
  Then the fine is 6 euros"""


def test_each_shown_change_holds_what_it_asks_for() -> None:
    for one in EVOLUTION_EXAMPLES:
        scenario, _, _ = one.request.partition("\n\nChange:")
        (operation,) = (
            each for each in Operation if EvolutionRequest(scenario, each).text == one.request
        )
        assert fault_of_change(one.scenario, EvolutionRequest(scenario, operation)) is None


def test_an_outline_that_is_none_is_not_what_was_asked_for() -> None:
    fault = fault_of_change(PLAIN, EvolutionRequest(PLAIN, Operation.OUTLINE))
    assert fault is not None
    assert fault.code is ScreenCode.FORM_LACKING


def test_operations_that_would_make_nothing_new_do_not_suit() -> None:
    assert all(suits(one, PLAIN, "") for one in Operation)
    assert not suits(Operation.BOUNDARY, PLAIN, "boundary")
    assert suits(Operation.REFUSAL, PLAIN, "boundary")
    assert [one for one in Operation if suits(one, OUTLINE.scenario, "")] == [Operation.RULE_MORE]
    assert suits(Operation.RULE_MORE, PLAIN, "rule_more")


def test_an_instruction_without_a_parent_begins_a_family() -> None:
    assert descent_of("a", {}) == Descent(scenario_id("a"))
    child = Descent(scenario_id("a"), scenario_id("b"), "refusal", 2)
    assert descent_of("c", child.metadata) == child
    with pytest.raises(ValueError, match="must have the texts"):
        descent_of("c", {"evolution": {"family": 1}})


def test_a_text_may_be_like_its_kin_but_not_the_same_and_not_like_others() -> None:
    pool = Pool(["a book is kept for 21 days", "a tool is kept for 21 days"])
    kin = ["a book is kept for 21 days"]
    assert pool.nearest_too_similar("a book is kept for 25 days") is not None
    other = pool.admit("a book is kept for 25 days", kin)
    assert other is not None
    assert other.text == "a tool is kept for 21 days"
    assert pool.admit("a book is kept for 25 days", [*kin, other.text]) is None
    same = pool.admit("A book is kept, for 21 days!", [*kin, other.text])
    assert same is not None
    assert (same.text, same.score) == (kin[0], 1)


def test_the_rows_of_a_family_are_in_one_split() -> None:
    alone = [row(f"unlike{number} {number} words{number} of{number}") for number in range(12)]
    assert split(alone, 0.5).groups == 0
    by_two = [replace(one, family=str(at % 6)) for at, one in enumerate(alone)]
    found = split(by_two, 0.5)
    assert (found.groups, found.grouped) == (6, 12)
    for at in range(6):
        names = {name for name, part in found.rows.items() for one in part if one.family == str(at)}
        assert len(names) == 1

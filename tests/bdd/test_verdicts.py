"""Verdicts that change from run to run are told, and verdicts survive being stored."""

import json
from collections.abc import Iterable, Iterator

import pytest

from selfbehave.bdd import Rung, sandbox
from selfbehave.bdd.faults import FaultCode, sentence
from selfbehave.bdd.ladder import Climbing, Ladder, climb_rows
from selfbehave.bdd.verdicts import Row, climb_settled, ladder_from, ladder_to, verdict_key
from selfbehave.prompts.bdd import instruction_for
from selfbehave.stages.aim import Aim

from ..helpers.till import HONEST, SCENARIO


def row(code: str) -> tuple[str, str, str]:
    return instruction_for(SCENARIO), "", f"```python\n{code}```"


needs_sandbox = pytest.mark.skipif(sandbox.missing() is not None, reason="no sandbox")


def in_turn(*verdicts: str) -> Climbing:
    """Stands for code that behaves differently each time it climbs."""
    left = list(verdicts)

    def climb(rows: Iterable[Row], _top: Rung, *_how: object) -> Iterator[Ladder]:
        for _ in rows:
            yield Ladder(Rung.named(left.pop(0)), True, True, ())

    return climb


@pytest.mark.parametrize(
    ("first", "again", "words"),
    [
        ("causal", "bound", "unstable: causal, then bound"),
        ("passing", "causal", "unstable: passing, then causal"),
    ],
)
def test_a_pair_whose_verdict_flips_has_the_lower_rung_and_is_dropped(
    monkeypatch: pytest.MonkeyPatch, first: str, again: str, words: str
) -> None:
    monkeypatch.setattr("selfbehave.bdd.verdicts.climb_each", in_turn(first, again))
    (ladder,) = climb_settled([row(HONEST)], Rung.CAUSAL)
    assert ladder.rung == min(Rung.named(first), Rung.named(again))
    assert sentence(ladder.faults[-1]) == words
    assert Aim(Rung.BOUND).lack(ladder) == "unstable"


def test_only_what_passes_climbs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(HONEST), row(f"{HONEST}\n# another"), row(f"{HONEST}\n# a third")]
    verdicts = in_turn("bound", "causal", "passing", "causal", "bound")
    monkeypatch.setattr("selfbehave.bdd.verdicts.climb_each", verdicts)
    ladders = list(climb_settled(rows, Rung.CAUSAL))
    assert [str(ladder.rung) for ladder in ladders] == ["bound", "causal", "bound"]
    assert [len(ladder.faults) for ladder in ladders] == [0, 0, 1], (
        "each has its own second verdict"
    )


@needs_sandbox
def test_code_that_follows_the_clock_is_unstable_and_honest_code_is_not() -> None:
    # An odd or even microsecond is as good as a coin: of 40 pairs, some turn red the second time.
    flipping = HONEST.replace(
        "    assert context.coins == coins",
        "    import time\n    assert time.time_ns() // 1000 % 2 == {}",
    )
    rows = [row(f"{flipping.replace('{}', str(n % 2))}# {n}\n") for n in range(40)]
    ladders = list(climb_settled([row(HONEST), *rows], Rung.PASSING))
    assert ladders[0].rung == Rung.PASSING
    assert not ladders[0].faults
    codes = [{fault.code for fault in ladder.faults} for ladder in ladders[1:]]
    assert any(FaultCode.UNSTABLE in found for found in codes)


@needs_sandbox
def test_a_verdict_is_the_same_after_it_was_stored() -> None:
    wrong = HONEST.replace("coins += more", "coins -= more")
    for ladder in climb_rows([row(HONEST), row(wrong), row("x = 1\n")], Rung.CAUSAL):
        assert ladder_from(json.loads(json.dumps(ladder_to(ladder)))) == ladder


def test_the_key_of_a_verdict_changes_with_the_row_the_rung_and_the_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = row(HONEST)
    keys = {verdict_key(one, Rung.CAUSAL), verdict_key(one, Rung.PASSING)}
    keys.add(verdict_key(row(f"{HONEST}#"), Rung.CAUSAL))
    monkeypatch.setattr("selfbehave.bdd.verdicts.judges", lambda: ("ladder rules 99",))
    keys.add(verdict_key(one, Rung.CAUSAL))
    assert len(keys) == 4

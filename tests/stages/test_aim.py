"""What a row must be is decided by its rung and by faults that make it teach something wrong."""

import pytest

from selfbehave.bdd import Rung
from selfbehave.bdd.faults import Fault, FaultCode
from selfbehave.bdd.ladder import Ladder
from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines.base import Api
from selfbehave.prompts.bdd import instruction_for
from selfbehave.stages.aim import RUNG_BY_API, Aim, aim_of, check_sandbox, checking_for
from selfbehave.stages.instances import InstancesSettings

from ..helpers.till import SCENARIO

HOLLOW = ("hard_coded_outcome", "idle_action", "idle_step", "ignored_value")


def ladder(rung: Rung, *codes: str) -> Ladder:
    return Ladder(rung, True, True, tuple(Fault(FaultCode(code)) for code in codes))


@pytest.mark.parametrize("code", HOLLOW)
def test_a_causal_row_with_a_hollow_part_is_dropped_under_its_name(code: str) -> None:
    assert Aim(Rung.CAUSAL).lack(ladder(Rung.CAUSAL, code)) == code
    assert Aim(Rung.CAUSAL, takes_idle=True).lack(ladder(Rung.CAUSAL, code)) is None
    assert Aim(Rung.PASSING).lack(ladder(Rung.CAUSAL, code)) is None


def test_a_row_below_the_aim_is_told_by_the_aim_whatever_else_it_has() -> None:
    assert Aim(Rung.CAUSAL).lack(ladder(Rung.PASSING, "idle_step")) == "below_causal"
    assert Aim(Rung.PASSING).lack(ladder(Rung.BOUND, "unstable")) == "below_passing"


@pytest.mark.parametrize("aim", [Aim(Rung.BOUND), Aim(Rung.CAUSAL), Aim(Rung.CAUSAL, True)])
def test_an_unstable_row_is_never_kept(aim: Aim) -> None:
    assert aim.lack(ladder(Rung.CAUSAL, "unstable")) == "unstable"


def test_a_row_that_is_only_not_portable_is_kept() -> None:
    assert Aim(Rung.CAUSAL).lack(ladder(Rung.CAUSAL, "not_portable")) is None


def test_a_higher_rung_ranks_before_fewer_faults() -> None:
    rank = Aim(Rung.CAUSAL).rank
    best = ladder(Rung.CAUSAL)
    middle = ladder(Rung.CAUSAL, "idle_step", "ignored_value")
    worst = ladder(Rung.PASSING)
    assert rank(best) > rank(middle) > rank(worst)


def test_rows_are_checked_to_the_aim_even_if_the_top_is_below() -> None:
    assert checking_for(Aim(Rung.BOUND), Rung.BOUND).unchecked == (
        "passing", "discriminating", "causal",
    )  # fmt: skip
    high = checking_for(Aim(Rung.CAUSAL), Rung.BOUND)
    assert (high.top, high.unchecked) == (Rung.CAUSAL, ())


def test_without_a_sandbox_rows_are_checked_as_far_as_they_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("selfbehave.bdd.sandbox.missing", lambda: "bubblewrap is not installed")
    low = checking_for(Aim(Rung.BOUND), Rung.CAUSAL)
    assert (low.top, low.reason) == (Rung.BOUND, "not available (bubblewrap is not installed)")
    assert checking_for(Aim(Rung.PASSING), Rung.PASSING).top == Rung.PASSING, "climbing tells it"


@pytest.mark.parametrize(
    ("api", "settings", "rung"),
    [
        ("chat", {}, Rung.CAUSAL),
        ("completions", {}, Rung.BOUND),
        ("chat", {"min_rung": "passing"}, Rung.PASSING),
        ("completions", {"min_rung": "causal"}, Rung.CAUSAL),
        ("chat", {"top_rung": "bound"}, Rung.BOUND),
        ("chat", {"top_rung": "text"}, Rung.BOUND),
        ("chat", {"top_rung": "passing"}, Rung.PASSING),
        ("chat", {"top_rung": "bound", "min_rung": "causal"}, Rung.CAUSAL),
    ],
)
def test_a_model_that_chats_must_prove_its_rows_and_a_base_model_need_not(
    api: Api, settings: dict[str, str], rung: Rung
) -> None:
    assert aim_of(InstancesSettings(**settings), RUNG_BY_API[api]) == Aim(rung)  # type: ignore[arg-type]


def test_without_a_sandbox_an_aim_above_bound_is_refused_for_scenarios_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("selfbehave.bdd.sandbox.missing", lambda: "apt install bubblewrap")
    tasks = ["Sort these words.", instruction_for(SCENARIO)]
    with pytest.raises(SelfBehaveError) as caught:
        check_sandbox(Aim(Rung.CAUSAL), tasks)
    told = str(caught.value)
    assert "apt install bubblewrap" in told
    assert "or give --min_rung bound" in told
    check_sandbox(Aim(Rung.CAUSAL), tasks[:1])
    check_sandbox(Aim(Rung.BOUND), tasks)

"""A bootstrap that is steered by axes asks for one cell a request, and screens the answers."""

import pytest

from selfbehave.axes.axes_file import packaged_axes
from selfbehave.engines import Completion
from selfbehave.prompts import FAMILIES
from selfbehave.prompts.bdd import instruction_for
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.bootstrap import BootstrapSettings
from selfbehave.stages.new_instructions import NewInstructions

from ..axes.test_screen import FINE, SCENARIO


class Chat:
    identity, api, takes_grammar, notice = "chat", "chat", False, None


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> NewInstructions:
    """A bootstrap whose cells are all the same one."""
    monkeypatch.setattr("selfbehave.axes.cells.draw_from", lambda *_: FINE)
    settings = BootstrapSettings(axes="packaged", num_instructions_to_generate=3)
    tasks = load_seeds("high_quality").tasks
    return NewInstructions(settings, tasks, FAMILIES["bdd_turns"], Chat(), axes=packaged_axes())  # type: ignore[arg-type]


def answer(bootstrap: NewInstructions, index: int, text: str, finish_reason: str = "stop") -> None:
    request = bootstrap.draw(index)
    assert request is not None
    assert request.prompt == FINE.request
    bootstrap.commit(request, Completion(text, finish_reason, 10, 5))


def test_a_scenario_that_holds_its_cell_is_accepted_with_axes_values_and_sum(
    bootstrap: NewInstructions,
) -> None:
    answer(bootstrap, 0, f"```gherkin\n{SCENARIO}\n```")
    (one,) = bootstrap.instructions()
    assert one.instruction == instruction_for(SCENARIO)
    assert one.metadata["axes"] == FINE.metadata
    assert one.metadata["axes"]["sum"] == "(9 - 7) * 3 = 6"


@pytest.mark.parametrize(
    ("text", "finish_reason", "reason", "detail"),
    [
        (SCENARIO.replace("7 days", "8 days"), "stop", "value_lacking", "7"),
        (SCENARIO.replace("she pays", "she and 2 others pay"), "stop", "number_added", "2"),
        (SCENARIO.replace("And each", "When each"), "stop", "not_one_when", ""),
        (SCENARIO, "length", "truncated", ""),
        ("I cannot.", "stop", "no_candidate", ""),
        (" ", "stop", "no_text", "stop"),
    ],
)
def test_what_does_not_hold_its_cell_is_dropped_with_the_screens_reason(
    bootstrap: NewInstructions, text: str, finish_reason: str, reason: str, detail: str
) -> None:
    answer(bootstrap, 0, text, finish_reason)
    assert list(bootstrap.instructions()) == []
    (dropped,) = bootstrap.dropped
    assert dropped.reason == reason
    assert detail in (dropped.detail or "")


def test_the_same_scenario_again_is_not_novel(bootstrap: NewInstructions) -> None:
    answer(bootstrap, 0, SCENARIO)
    answer(bootstrap, 1, SCENARIO)
    assert [one.reason for one in bootstrap.dropped] == ["not_novel"]
    assert len(bootstrap.accepted) == 1

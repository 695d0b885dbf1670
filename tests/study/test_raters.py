"""The raters that are no people: the rules with their evidence, and a model asked by a rubric."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from selfbehave.bdd import sandbox
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.run_files import JOURNAL_FILE
from selfbehave.engines.settings import EngineSettings
from selfbehave.prompts.rubric import CRITERIA_ASKED, read_verdict, rubric_prompt
from selfbehave.seeds.load import load_seeds
from selfbehave.study import automatic_rater, model_rater
from selfbehave.study.items import StudyItem
from selfbehave.study.layout import lay_out
from selfbehave.study.ratings import CRITERIA, Rating
from selfbehave.views.display import Display
from selfbehave.views.lines import Lines
from tests.conftest import ScriptedServer

Start = Callable[..., ScriptedServer]


def items(count: int) -> list[StudyItem]:
    tasks = load_seeds("high_quality").tasks[:count]
    return [
        StudyItem("seeds", task.id, task.name, task.instruction, one.input, one.output)
        for task in tasks
        for one in task.instances
    ]


def asked(journal_folder: Path) -> list[str]:
    with sqlite3.connect(journal_folder / JOURNAL_FILE) as journal:
        return [stage for (stage,) in journal.execute("SELECT stage FROM answers ORDER BY stage")]


def test_rules_rate_every_item_in_order_with_their_evidence_in_the_note() -> None:
    scenario = "Scenario: x\n  Given a\n  When b\n  Then c\n  When d\n  Then e"
    broken = StudyItem("mine", "7", "x", f"Do:\n```gherkin\n{scenario}\n```", "", "print(")
    good, bad = automatic_rater.rate([items(1)[0], broken])
    assert good == Rating("seeds", "hq_001", "auto", True, True, True, True)
    assert (bad.dataset, bad.scenario_id, bad.singular, bad.complete) == ("mine", "7", False, True)
    assert bad.ill_formed
    assert bad.note.splitlines() == [
        "singular: another When: 'd' (line 5)",
        "integrous: When after a later kind of step: 'd' (line 5)",
    ]


def test_a_long_note_tells_how_much_more_there_is() -> None:
    scenario = "Scenario: x\n  Given a\n" + "  When b\n  Then c\n" * 6
    (rating,) = automatic_rater.rate(
        [StudyItem("mine", "1", "x", f"```gherkin\n{scenario}```", "", "")]
    )
    singular = next(line for line in rating.note.splitlines() if line.startswith("singular"))
    assert singular.count("another When") == 3
    assert singular.endswith("and 2 more")


@pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))
def test_the_rules_rate_by_running_too_under_a_name_of_their_own() -> None:
    (good,) = items(1)
    idle = replace(
        good,
        instruction=good.instruction.replace("  When", "  And a quiet day on the ward\n  When"),
        output=good.output.replace(
            "@when", "@given('a quiet day on the ward')\ndef quiet(context): print()\n\n@when", 1
        ),
    )
    first, second = automatic_rater.rate_by_running([good, idle])
    assert first == Rating("seeds", "hq_001", "auto-run", True, True, True, True)
    assert (second.rater, second.essential) == ("auto-run", False)
    assert (
        second.note == "essential: all stays green without it: 'a quiet day on the ward' (line 8)"
    )
    assert automatic_rater.rate([idle])[0].essential


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (" Yes", True),
        ("no.", False),
        ("**No**, since", False),
        ("The answer is: Yes", True),
        ("Verdict: no", False),
        ("Nothing is missing", None),
        ("It is essential, yes", None),
        ("", None),
    ],
)
def test_an_answer_is_read_by_the_word_it_begins_with(answer: str, verdict: bool | None) -> None:
    assert read_verdict(answer) is verdict


def test_an_answer_cut_off_within_its_first_word_is_none() -> None:
    assert read_verdict("No", is_truncated=True) is None
    assert read_verdict("No, because", is_truncated=True) is False


def test_prompts_of_a_criterion_share_all_but_the_scenario_and_bound_it() -> None:
    assert set(CRITERIA_ASKED) == set(CRITERIA)
    for criterion in CRITERIA_ASKED:
        one = rubric_prompt(criterion, "Scenario: one", "completions").text
        other = rubric_prompt(criterion, "Given " * 10_000, "completions").text
        shared = one.index("Scenario: one")
        assert one[:shared] == other[:shared]
        assert len(other) < 10_000
        assert one.endswith("?")
        assert rubric_prompt(criterion, "x", "chat").text.endswith("the one word Yes or No.")


def test_a_model_is_asked_once_for_each_criterion_and_nothing_twice(
    scripted_server: Start, tmp_path: Path
) -> None:
    server = scripted_server(faults=0.3)
    engine = EngineSettings(engine=server.url, request_batch_size=4)
    first = model_rater.rate(items(3), engine, tmp_path)
    assert len(server.answered) == len(asked(tmp_path)) == 3 * 4
    # The same answers in another order of items, and a new item beside them.
    again = model_rater.rate(items(4)[::-1], engine, tmp_path)
    assert len(server.answered) == 4 * 4
    assert again[::-1][:3] == first
    assert asked(tmp_path)[:4] == [
        f"rate seeds hq_001 {name}" for name in ("complete", "essential", "integrous", "singular")
    ]


def test_a_model_reads_the_scenario_as_people_do(scripted_server: Start, tmp_path: Path) -> None:
    folded = 'scenario: macros given a distgit when i prepend: """ lib """ then i see {x'
    folded = f"Do:\n```gherkin\n{folded}\n```"
    item = StudyItem("mine", "1", "x", folded, "", "none")
    model_rater.rate([item], EngineSettings(engine=scripted_server().url), tmp_path)
    with sqlite3.connect(tmp_path / JOURNAL_FILE) as journal:
        prompts = [prompt for (prompt,) in journal.execute("SELECT prompt FROM answers")]
    shown = lay_out(item).scenario
    assert "\n  When i prepend:" in shown
    assert len(prompts) == 4
    assert all(shown in prompt for prompt in prompts)


def test_an_unreadable_answer_leaves_its_criterion_open_and_is_told(
    scripted_server: Start, tmp_path: Path
) -> None:
    told = StringIO()
    server = scripted_server()
    ratings = model_rater.rate(
        items(6), EngineSettings(engine=server.url), tmp_path, Display(Lines(Console(file=told)))
    )
    unread = [(one, name) for one in ratings for name in CRITERIA if getattr(one, name) is None]
    assert 0 < len(unread) < 24
    assert all(f"{name}: neither Yes nor No: ' Perhaps'" in one.note for one, name in unread)
    assert f"unreadable {len(unread)}" in told.getvalue()
    assert {one.rater for one in ratings} == {"llm"}
    assert all(one.note.startswith("by scripted") for one in ratings)


def test_a_refusing_engine_ends_the_rating_with_its_words(tmp_path: Path) -> None:
    engine = EngineSettings(engine="http://127.0.0.1:9/v1", model="none", max_wait=0.1)
    with pytest.raises(SelfBehaveError):
        model_rater.rate(items(1), engine, tmp_path)


@pytest.mark.model
def test_an_embedded_model_answers_yes_or_no_and_the_same_again(tmp_path: Path) -> None:
    engine = EngineSettings(engine="embedded-small")
    (first,) = model_rater.rate(items(1), engine, tmp_path)
    assert all(getattr(first, name) is not None for name in CRITERIA)
    assert model_rater.rate(items(1), engine, tmp_path) == [first]
    assert len(asked(tmp_path)) == 4


def test_a_rating_that_its_budget_does_not_hold_for_keeps_its_answers_and_goes_on(
    scripted_server: Start, tmp_path: Path
) -> None:
    server = scripted_server()
    settings = EngineSettings(engine=server.url, model="scripted", max_requests=5)
    with pytest.raises(SelfBehaveError, match="--max_requests 5 allows no further request"):
        model_rater.rate(items(3), settings, tmp_path, Display(Lines(Console(file=StringIO()))))
    assert len(server.answered) == len(asked(tmp_path)) == 5
    larger = replace(settings, max_requests=100)
    rated = model_rater.rate(items(3), larger, tmp_path, Display(Lines(Console(file=StringIO()))))
    assert len(rated) == 3
    assert len(server.answered) == len(set(server.answered)) == 3 * len(CRITERIA_ASKED)

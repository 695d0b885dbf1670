"""Seed tasks from a pytest-bdd project, translated to behave where that is safe."""

import contextlib
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from selfbehave.bdd import sandbox
from selfbehave.bdd.fences import PYTHON, first_block
from selfbehave.bdd.ladder import Rung
from selfbehave.seeds.importing import import_features

from ..helpers.paths import DATA

LIBRARY = DATA / "pytest_bdd_project"

needs_sandbox = pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))

FEATURE = """\
Feature: Tea
  Scenario: Tea cools
    Given a cup
    When {when}
    Then it is cold
"""
STEPS = """\
import pytest
from pytest_bdd import given, when, then, parsers, scenarios
scenarios("tea.feature")

@given("a cup", target_fixture="cup")
def _():
    return ["hot"]

@then("it is cold")
def _(cup):
    assert cup == ["cold"]
"""


def outcome(folder: Path, when: str, more: str, steps: str = STEPS) -> str:
    """The code that a project becomes, or the reason and detail of why it is left out."""
    (folder / "tea.feature").write_text(FEATURE.format(when=when))
    (folder / "test_tea.py").write_text(steps + "\n" + textwrap.dedent(more))
    with contextlib.chdir(folder):  # paths in messages begin at the working folder
        report = import_features([Path()], Rung.BOUND, Rung.BOUND)
    if report.left_out:
        return f"{report.left_out[0].reason}: {report.left_out[0].detail}"
    block = first_block(report.tasks[0].instances[0].output, PYTHON)
    assert block is not None
    return block.body


def test_the_project_of_these_tests_passes_under_pytest_bdd(tmp_path: Path) -> None:
    # A copy, since pytest takes the settings of the folders above, such as what it ignores.
    copy = shutil.copytree(LIBRARY, tmp_path / "library")
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=copy, capture_output=True, text=True,
    )  # fmt: skip
    assert "6 passed" in done.stdout, done.stdout


def test_each_scenario_is_translated_or_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(LIBRARY)
    report = import_features([Path()], Rung.BOUND, Rung.BOUND)
    assert [task.name for task in report.tasks] == [
        "a_book_is_lent", "a_fine_grows_by_the_day", "books_are_shelved_by_their_letters"
    ]  # fmt: skip
    assert [(one.reason, one.detail) for one in report.left_out] == [
        (
            "needs_fixture",
            "_ in lending_steps.py:52 asks for tmp_path, a fixture that no module of yours "
            "defines: it is pytest's or a plugin's",
        ),
        ("not_translated", "_ in lending_steps.py:62 returns before its end"),
    ]


@needs_sandbox
def test_what_is_translated_runs_green_and_can_turn_red() -> None:
    report = import_features([LIBRARY], Rung.DISCRIMINATING, Rung.DISCRIMINATING)
    assert report.rungs == {Rung.DISCRIMINATING: 3}


def test_a_fixture_is_kept_on_the_context_and_a_target_handed_on(tmp_path: Path) -> None:
    more = """
        @pytest.fixture
        def room():
            return "cold"

        @when(parsers.parse("{n:d} minutes pass"))
        def wait(n, cup, room):
            cup[0] = room
    """
    assert outcome(tmp_path, "5 minutes pass", more) == textwrap.dedent(
        """\
        from behave import given, when, then


        def new_room():
            return "cold"


        def room_of(context):
            if "room" not in context:
                context.room = new_room()
            return context.room


        @given("a cup")
        def step_a_cup(context):
            context.cup = ["hot"]


        @when("{n:d} minutes pass")
        def wait(context, n):
            cup = context.cup
            room = room_of(context)
            cup[0] = room


        @then("it is cold")
        def step_it_is_cold(context):
            cup = context.cup
            assert cup == ["cold"]"""
    )


@pytest.mark.parametrize(
    ("told", "more"),
    [
        ("undefined_step: when it waits", ""),
        ("ambiguous_step: when it waits: matched in test_tea.py:14 and test_tea.py:17",
         "@when('it waits')\ndef a():\n    pass\n@when(parsers.re('it .*'))\ndef b():\n    pass\n"),
        ("needs_fixture: _ in test_tea.py:14 asks for tmp_path, a fixture that no module of yours "
         "defines: it is pytest's or a plugin's",
         "@when('it waits')\ndef _(tmp_path):\n    pass\n"),
        ("needs_fixture: x in test_tea.py:14 has the option params",
         "@pytest.fixture(params=[1])\ndef x():\n    return 1\n"
         "@when('it waits')\ndef _(x):\n    pass\n"),
        ("needs_fixture: x in test_tea.py:14 is used by itself (autouse)",
         "@pytest.fixture(autouse=True)\ndef x():\n    print(1)\n"
         "@when('it waits')\ndef _():\n    pass\n"),
        ("needs_fixture: x in test_tea.py:14 yields more than once, or awaits",
         "@pytest.fixture\ndef x():\n    yield 1\n    yield 2\n"
         "@when('it waits')\ndef _(x):\n    pass\n"),
        ("not_translated: a in test_tea.py:14 yields",
         "@when('it waits')\ndef a():\n    yield 1\n"),
        ("not_translated: a in test_tea.py:14 has a pattern with a group without a name",
         "@when(parsers.re('(i)t (wa)\\\\1ts|it waits'))\ndef a():\n    pass\n"),
        ("not_translated: a in test_tea.py:14 has a target that cannot be an attribute of the "
         "context", "@when('it waits', target_fixture='table')\ndef a():\n    return 1\n"),
        ("not_translated: a in test_tea.py:15 has other decorators",
         "@when('it waits')\n@pytest.mark.slow\ndef a():\n    pass\n"),
        ("not_translated: a in test_tea.py:14 has parameters that are not plain",
         "@when('it waits')\ndef a(n=1):\n    pass\n"),
        ("not_translated: a in test_tea.py:15 uses n, which would be its argument in behave",
         "n = 1\n@when(parsers.re(r'(?P<n>it) waits'))\ndef a():\n    print(n)\n"),
        ("not_translated: a in test_tea.py:15 uses something of its own named context",
         "context = 1\n@when('it waits')\ndef a():\n    print(context)\n"),
        ("not_translated: a in test_tea.py:14 stands on one line",
         "@when('it waits')\ndef a(): pass\n"),
        ("not_translated: a in test_tea.py:14 has converters that are not names or lambdas of its "
         "module",
         "@when(parsers.parse('it {n}'), converters={'n': [str][0]})\ndef a(n):\n    pass\n"),
        ("not_translated: a in test_tea.py:15 has a converter, to, that an argument hides",
         "def to(n): return n\n@when(parsers.parse('it {n}'), converters={'n': to})\n"
         "def a(n, to):\n    pass\n"),
    ],
)  # fmt: skip
def test_what_has_no_safe_counterpart_is_left_out_by_reason(
    tmp_path: Path, told: str, more: str
) -> None:
    assert outcome(tmp_path, "it waits", more) == told


def test_a_test_that_does_more_than_its_scenario_is_left_out(tmp_path: Path) -> None:
    bound = (
        'from pytest_bdd import scenario\n@scenario("tea.feature", "Tea cools")\n'
        "def test_tea():\n    assert 1\n"
    )
    steps = STEPS.replace('scenarios("tea.feature")\n', bound)
    more = "@when('it waits')\ndef _():\n    pass\n"
    assert (
        outcome(tmp_path, "it waits", more, steps)
        == "not_translated: its test test_tea in test_tea.py:5 does more than run it"
    )
    steps = steps.replace("    assert 1\n", '    """Tea."""\n')
    assert "step_it_is_cold" in outcome(tmp_path, "it waits", more, steps)


def test_a_plain_pattern_with_braces_stays_plain(tmp_path: Path) -> None:
    more = "@when('it {waits}')\ndef a():\n    pass\n"
    assert '@when("it {{waits}}")' in outcome(tmp_path, "it {waits}", more)


def test_hooks_of_pytest_bdd_are_said_to_stay_behind(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("def pytest_bdd_after_step(step):\n    pass\n")
    outcome(tmp_path, "it waits", "")
    (note,) = import_features([tmp_path], Rung.BOUND, Rung.BOUND).notes
    assert note.endswith("conftest.py: 1 hook cannot come along: pytest_bdd_after_step")


def test_the_nearest_step_function_binds(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from pytest_bdd import when\n@when('it waits')\ndef far():\n    pass\n"
    )
    code = outcome(tmp_path, "it waits", "@when('it waits')\ndef near():\n    pass\n")
    assert "def near" in code
    assert "def far" not in code

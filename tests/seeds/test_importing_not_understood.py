"""What an import does not understand is named as such, with its place, and never called absent."""

import contextlib
import json
from pathlib import Path

import pytest

from selfbehave.bdd.ladder import Rung
from selfbehave.cli.main import main
from selfbehave.seeds.importing import ImportReport, import_features

FEATURE = """\
Feature: Ferry
  Scenario: A car is taken aboard
    Given a ferry
    When a car drives aboard
"""
WHEN = "@when('a car drives aboard')\ndef aboard(context):\n    pass\n"


def ferry(folder: Path, **modules: str) -> ImportReport:
    """Import a project: the feature, and modules by their names, `steps__x` being steps/x.py."""
    (folder / "ferry.feature").write_text(FEATURE)
    for name, code in modules.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
    with contextlib.chdir(folder):  # paths in messages begin at the working folder
        return import_features([Path()], Rung.BOUND, Rung.BOUND)


BEHAVE = [
    (
        "@given(text_of('ferry')) in steps/a.py:3 (its pattern is not a constant text)",
        "from texts import text_of\n\n@given(text_of('ferry'))\ndef ferry(context):\n    pass\n",
    ),
    (
        "@given(text) in steps/a.py:2 (its pattern is not a constant text)",
        "for text in ['a ferry', 'a boat']:\n    @given(text)\n    def f(context):\n        pass\n",
    ),
    (
        "@given_a('ferry') in steps/a.py:3 (what this decorator registers is not known)",
        "def given_a(what):\n    return given(f'a {what}')\n@given_a('ferry')\ndef f(context):\n"
        "    pass\n",
    ),
    (
        "Steps() in steps/a.py:4 (this may define steps when it runs); "
        "@steps.there_is('ferry') in steps/a.py:5 (what this decorator registers is not known)",
        "class Steps:\n    def there_is(self, what):\n        return given(f'a {what}')\n"
        "steps = Steps()\n@steps.there_is('ferry')\ndef f(context):\n    pass\n",
    ),
    (
        "given('a ferry')(print) in steps/a.py:1 (this may define steps when it runs)",
        "given('a ferry')(print)\n",
    ),
    (
        "define_all(['a ferry']) in steps/a.py:5 (this may define steps when it runs)",
        "def define_all(texts):\n    for text in texts:\n        @given(text)\n"
        "        def f(context): pass\ndefine_all(['a ferry'])\n",
    ),
    (
        "setattr(ferry, 'given', given) in steps/a.py:2 (this may define steps when it runs)",
        "import ferry\nsetattr(ferry, 'given', given)\n",
    ),
    (
        "use_step_matcher('ours') in steps/a.py:2 (this step matcher is not known)",
        "from behave import use_step_matcher\nuse_step_matcher('ours')\n"
        "@given('a ferry')\ndef f(context):\n    pass\n",
    ),
    (
        "register_type(**types()) in steps/a.py:2 (which types it registers is not known); "
        "@given('a {what:Boat}') in steps/a.py:3 (what a converter of its pattern matches is not "
        "known)",
        "from behave import register_type\nregister_type(**types())\n"
        "@given('a {what:Boat}')\ndef f(context, what):\n    pass\n",
    ),
    (
        "@given('a {what:Boat}') in steps/a.py:3 (what a converter of its pattern matches is not "
        "known)",
        "from behave import register_type\nregister_type(Boat=boats())\n"
        "@given('a {what:Boat}')\ndef f(context, what):\n    pass\n",
    ),
    (
        "define_parameter_type_with(name='boat', regexp='ferry', type=str) in steps/a.py:3 (which "
        "types it registers is not known)",
        "from behave.cucumber_expression import *\nuse_step_matcher_for_cucumber_expressions()\n"
        "define_parameter_type_with(name='boat', regexp='ferry', type=str)\n"
        "@given('a {boat}')\ndef f(context, what):\n    pass\n",
    ),
    (
        "from harbour_steps import * in steps/a.py:1 (a package outside the project is not read)",
        "from harbour_steps import *\n",
    ),
    (
        "import harbour.steps in steps/a.py:2 (a package outside the project is not read)",
        "try:\n    import harbour.steps\nexcept ImportError:\n    pass\n",
    ),
    ("steps/a.py:1 (this file cannot be read: '(' was never closed)", "@given('a ferry'\n"),
]


@pytest.mark.parametrize(("named", "code"), BEHAVE, ids=lambda text: text[:30])
def test_code_that_may_bind_a_step_of_behave_is_named(
    named: str, code: str, tmp_path: Path
) -> None:
    report = ferry(tmp_path, steps__a=code, steps__b=WHEN)
    (left_out,) = report.left_out
    assert left_out.reason == "not_understood"
    assert left_out.line == f"given a ferry; not understood: {named}"
    assert list(report.not_understood) == list(left_out.causes)


@pytest.mark.parametrize(
    "code",
    [
        "import allure\n@allure.step('a ferry')\ndef f(context):\n    pass\n",
        "def retried(times):\n    return lambda function: function\n"
        "@retried(3)\ndef f(context):\n    pass\n",
        "from pytest_bdd import given\n@given('a ferry')\ndef f():\n    pass\n",
        "import re, os.path\nfrom collections import *\nprint('a ferry')\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from harbour.steps import *\n",
        "if __name__ == '__main__':\n    given('a ferry')(print)\n",
    ],
)
def test_a_step_is_undefined_where_all_of_the_code_is_understood(code: str, tmp_path: Path) -> None:
    report = ferry(tmp_path, steps__a=code, steps__b=WHEN)
    (left_out,) = report.left_out
    assert (left_out.reason, left_out.line) == ("undefined_step", "given a ferry")
    assert report.not_understood == ()


def test_code_that_is_nested_deeply_is_walked(tmp_path: Path) -> None:
    deep = "x = " + "+".join(["1"] * 2_000) + "\ny = f" + ".g()" * 500 + "\n"
    report = ferry(tmp_path, steps__a=f"{deep}@given('a ferry')\ndef f(context):\n    pass\n{WHEN}")
    assert len(report.imported) == 1


def test_what_is_not_understood_is_told_of_a_project_whose_steps_are_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = f"@given('a ferry')\ndef f(context):\n    pass\ngiven(name())(print)\n{WHEN}"
    report = ferry(tmp_path, steps__a=code)
    assert len(report.imported) == 1
    with contextlib.chdir(tmp_path):
        assert main(["import", ".", "--to", "seeds.jsonl", "--top_rung", "bound"]) == 0
    assert (
        "not understood: given(name())(print) in steps/a.py:4 (this may define steps when it runs)"
        in capsys.readouterr().out.splitlines()
    )


def test_the_file_of_left_out_scenarios_holds_the_causes_as_data(tmp_path: Path) -> None:
    ferry(tmp_path, steps__a=f"@given(name())\ndef f(context):\n    pass\n{WHEN}")
    with contextlib.chdir(tmp_path):
        assert main(["import", ".", "--to", "seeds.jsonl", "--top_rung", "bound"]) == 1
    (row,) = map(json.loads, (tmp_path / "seeds.left_out.jsonl").read_text().splitlines())
    assert row == {
        "reason": "not_understood",
        "place": "ferry.feature:2",
        "detail": "given a ferry",
        "not_understood": [
            {"place": "steps/a.py:1", "why": "pattern", "source": "@given(name())", "words": ""}
        ],
    }


HEAD = "import pytest\nfrom pytest_bdd import given, when, parsers, scenario, scenarios\n"
PYTEST_WHEN = "@when('a car drives aboard')\ndef aboard():\n    pass\n"
ALL = "scenarios('ferry.feature')\n"
PYTEST = [
    (
        "pytest_plugins in test_ferry.py:4 (which modules it names is not known)",
        f"{ALL}pytest_plugins = sorted(glob('steps/*.py'))\n",
    ),
    (
        "pytest_plugins = ['harbour.steps'] in test_ferry.py:4 "
        "(a package outside the project is not read)",
        f"{ALL}pytest_plugins = 'harbour.steps'\n",
    ),
    (
        "@given(Exactly('a ferry')) in test_ferry.py:6 (this parser of patterns is not known)",
        f"{ALL}class Exactly(parsers.StepParser):\n    pass\n@given(Exactly('a ferry'))\n"
        "def ferry():\n    pass\n",
    ),
    (
        "@given(parsers.parse(text())) in test_ferry.py:4 (its pattern is not a constant text)",
        f"{ALL}@given(parsers.parse(text()))\ndef ferry():\n    pass\n",
    ),
    (
        "@given('a ferry') in test_ferry.py:5 (this may define steps when it runs)",
        f"{ALL}if True:\n    @given('a ferry')\n    def ferry():\n        pass\n",
    ),
    (
        "@given_a('ferry') in test_ferry.py:6 (what this decorator registers is not known)",
        f"{ALL}def given_a(what):\n    return given('a ' + what)\n@given_a('ferry')\n"
        "def ferry():\n    pass\n",
    ),
]


@pytest.mark.parametrize(("named", "code"), PYTEST, ids=lambda text: text[:30])
def test_code_that_may_bind_a_step_of_pytest_bdd_is_named(
    named: str, code: str, tmp_path: Path
) -> None:
    report = ferry(tmp_path, test_ferry=HEAD + code + PYTEST_WHEN)
    (left_out,) = report.left_out
    assert left_out.reason == "not_understood"
    assert left_out.line == f"given a ferry; not understood: {named}"


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("scenarios(*glob('*.feature')) in test_ferry.py:3", "scenarios(*glob('*.feature'))\n"),
        ("scenarios('ferry.feature', **OPTIONS) in test_ferry.py:3",
         "scenarios('ferry.feature', **OPTIONS)\n"),
        ("scenario('ferry.feature', title()) in test_ferry.py:3",
         "@scenario('ferry.feature', title())\ndef test_ferry():\n    pass\n"),
        ("of_ferry('A car is taken aboard') in test_ferry.py:5",
         "def of_ferry(title):\n    return scenario('ferry.feature', title)\n"
         "@of_ferry('A car is taken aboard')\ndef test_ferry():\n    pass\n"),
    ],
)  # fmt: skip
def test_a_test_module_that_may_name_a_scenario_is_named(
    named: str, code: str, tmp_path: Path
) -> None:
    report = ferry(tmp_path, test_ferry=HEAD + code + PYTEST_WHEN)
    (left_out,) = report.left_out
    assert left_out.reason == "not_understood"
    assert left_out.line == (
        "no test module is known to name its feature file; not understood: "
        f"{named} (which scenarios it names is not known)"
    )


def test_steps_in_a_folder_below_are_said_not_to_be_read(tmp_path: Path) -> None:
    (tmp_path / "steps" / "harbour").mkdir(parents=True)
    (tmp_path / "steps" / "harbour" / "a.py").write_text(WHEN)
    (left_out,) = ferry(tmp_path).left_out
    assert (left_out.reason, left_out.line) == (
        "no_step_modules",
        "its steps folder defines no step; behave does not read steps/harbour/a.py, since it is in "
        "a folder below and use_nested_step_modules is not set",
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("'brew' in steps/a.py:3", "brew()"),
        ("__file__ in steps/a.py:3", "open(__file__)"),
        ("in steps/a.py:3", "context.execute_steps('When it sails')"),
        ("fares is imported within the code of steps/a.py:3", "import fares"),
        ("the module 'fares' as a value, in steps/a.py:3", "print(fares)"),
        (
            "'price' would mean two things, defined in steps/a.py:5 and steps/fares.py:1",
            "return price() + fares.most()\ndef price():\n    return 1",
        ),
    ],
)
def test_what_cannot_come_along_is_named_with_its_place(
    line: str, code: str, tmp_path: Path
) -> None:
    head = "# fares\n" if "import" in code else "import fares\n"
    steps = f"{head}@given('a ferry')\ndef f(context):\n    {code}\n"
    fares = "def price():\n    return 2\ndef most():\n    return 2 * price()\n"
    (left_out,) = ferry(tmp_path, steps__a=steps, steps__b=WHEN, steps__fares=fares).left_out
    assert left_out.line == line

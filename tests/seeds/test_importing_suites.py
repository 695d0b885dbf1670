"""Small suites that pass under behave or under pytest with pytest-bdd are imported whole.

Each is first run by its own runner, so that it is known to work there, and then climbs
to `passing` by itself.
"""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from selfbehave.bdd import sandbox
from selfbehave.bdd.fences import PYTHON, first_block
from selfbehave.bdd.ladder import Rung
from selfbehave.seeds.importing import ImportReport, import_features

needs_sandbox = pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))

FEATURE = """\
Feature: Garden
  Scenario: Seedlings are watered
    Given a tray of 4 seedlings
    When 2 seedlings wither
    Then 2 seedlings are left
"""

BEHAVE_HEAD = "from behave import given, when, then\n"
BEHAVE_WHEN_THEN = """
@when("{n:d} seedlings wither")
def wither(context, n):
    context.seedlings -= n


@then("{n:d} seedlings are left")
def left(context, n):
    assert context.seedlings == n
"""
BEHAVE_GIVEN = """
@given("a tray of {n:d} seedlings")
def tray(context, n):
    context.seedlings = n
"""
PLAIN = BEHAVE_HEAD + BEHAVE_GIVEN + BEHAVE_WHEN_THEN


def given_by(decorator: str, before: str = "") -> str:
    """Step modules whose Given is registered by a decorator of its own."""
    function = f"{decorator}\ndef tray(context, n):\n    context.seedlings = n\n"
    return f"{BEHAVE_HEAD}{before}\n\n{function}{BEHAVE_WHEN_THEN}"


TRAY = "a tray of {n:d} seedlings"
BEHAVE_SUITES = {
    "a pattern in a constant": {"steps/garden.py": given_by("@given(TRAY)", f"TRAY = '{TRAY}'")},
    "a pattern that constants make up": {
        "steps/garden.py": given_by(
            "@given(f'a {WHAT} of ' + NUMBER + ' %s' % OF['what'])",
            "WHAT: str = 'tray'\nNUMBER = '{n:d}'\nOF = {'what': 'seedlings'}",
        )
    },
    "a pattern in another module's class": {
        "steps/garden.py": given_by("@given(texts.Texts.TRAY.format('a'))", "import texts"),
        "steps/texts.py": "class Texts:\n    TRAY = '{} tray of {{n:d}} seedlings'\n",
    },
    "an alias of a decorator": {
        "steps/garden.py": given_by("@there_is(TRAY)", f"there_is = given\nTRAY = '{TRAY}'")
    },
    "a decorator that partial makes": {
        "steps/garden.py": given_by(
            "@there_is_a_tray()",
            f"from functools import partial\nthere_is_a_tray = partial(given, '{TRAY}')",
        )
    },
    "a decorator of whatever behave is there": {
        "steps/garden.py": "try:\n    from behave import given, when, then\nexcept ImportError:\n"
        f"    from behave2 import given, when, then\n{BEHAVE_GIVEN}{BEHAVE_WHEN_THEN}"
    },
    "an import for type checkers": {
        "steps/garden.py": given_by(
            f"@given('{TRAY}')",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    from behave.runner import Context\n    from beds import Bed\n"
            "def bed_of(context: 'Context') -> 'Bed':\n    return context.bed\n",
        )
        .replace("from behave", "from __future__ import annotations\nfrom behave", 1)
        .replace("def tray(context, n)", "def tray(context: Context, n: int) -> None"),
        "beds.py": "class Bed:\n    size = 4\n",
    },
    "a module imported whole and in part": {
        "steps/a_given.py": "import os\nfrom behave import given\n"
        f"@given('{TRAY}')\ndef tray(context, n):\n    context.seedlings = n * len(os.sep)\n",
        "steps/b_others.py": "import os.path\nfrom behave import when, then\n"
        + BEHAVE_WHEN_THEN.replace("-= n", "-= n + len(os.path.join(''))"),
    },
    "keywords in lower case": {
        "garden.feature": FEATURE.replace("When", "when").replace("Then", "then"),
        "steps/garden.py": PLAIN,
    },
    "a star as the first step": {
        "garden.feature": FEATURE.replace("Given", "*").replace("Then", "  * a pause\n    Then"),
        "steps/garden.py": PLAIN + "\n\n@when('a pause')\ndef pause(context):\n    pass\n",
    },
    "a star behind a background": {
        "garden.feature": FEATURE.replace(
            "  Scenario:", "  Background:\n    Given a tray of 9 seedlings\n\n  Scenario:"
        )
        .replace("    Given a", "    * a", 2)
        .replace("* a tray of 9", "Given a tray of 9"),
        "steps/garden.py": PLAIN,
    },
    "a doc string between apostrophes": {
        "garden.feature": FEATURE.replace(
            "4 seedlings\n",
            "4 seedlings\n      '''\n      of \"\"\" and tea\n\n        left\n      '''\n",
        ),
        "steps/garden.py": PLAIN.replace(
            "= n\n", "= n\n    assert context.text.split()[-1] == 'left'\n", 1
        ),
    },
    "cells with backslashes": {
        "garden.feature": FEATURE.replace(
            "4 seedlings\n", "4 seedlings\n      | a\\|b | c\\\\nd |\n      | 1 | 2 |\n"
        ),
        "steps/garden.py": PLAIN.replace(
            "= n\n", "= n\n    assert context.table.headings == ['a|b', r'c\\\\nd']\n", 1
        ),
    },
    "types registered from a dict": {
        "steps/garden.py": given_by(
            "@given('a tray of {n:Count} seedlings')",
            "import parse\nfrom behave import register_type\n"
            "@parse.with_pattern(r'\\d+')\ndef count(text):\n    return int(text)\n"
            "TYPES = {'Count': count}\nregister_type(**TYPES)\n",
        )
    },
    "types of other modules": {
        "steps/garden.py": given_by(
            "@given('{what:Tray} of {n:Count} seedlings')",
            "import counts\nfrom behave import register_type\n"
            "from parse_type import TypeBuilder\n"
            "trays = TypeBuilder.make_choice(['a tray', 'a pot'])\n"
            "register_type(Count=counts.count, Tray=trays)\n",
        ).replace("tray(context, n)", "tray(context, what, n)"),
        "counts.py": "import parse\n@parse.with_pattern(r'\\d+')\ndef count(text):\n"
        "    return int(text)\n",
    },
    "cucumber expressions": {
        "steps/garden.py": (
            "from behave import cucumber_expression as ce\n"
            "ce.use_step_matcher_for_cucumber_expressions()\n"
            + PLAIN.replace("{n:d}", "{int}").replace("seedlings are", "seedling(s) is/are")
        ),
    },
    "cucumber expressions of the environment": {
        "steps/garden.py": PLAIN.replace("{n:d}", "{int}"),
        "environment.py": "from behave.cucumber_expression import *\n"
        "from behave.cucumber_expression import use_step_matcher_for_cucumber_expressions as use\n"
        "use()\n",
    },
    "step modules in folders below": {
        "steps/herbs/garden.py": PLAIN,
        "behave.ini": "[behave]\nuse_nested_step_modules = true\n",
    },
}

PYTEST_HEAD = """\
import pytest
from pytest_bdd import given, when, then, parsers, scenario, scenarios
"""
PYTEST_GIVEN = """
@given(parsers.parse("a tray of {n:d} seedlings"), target_fixture="tray")
def a_tray(n):
    return [n]
"""
PYTEST_WHEN_THEN = """
@when(parsers.parse("{n:d} seedlings wither"))
def wither(tray, n):
    tray.append(-n)


@then(parsers.parse("{n:d} seedlings are left"))
def left(tray, n):
    assert sum(tray) == n
"""
PYTEST_STEPS = PYTEST_HEAD + PYTEST_GIVEN + PYTEST_WHEN_THEN
SCENARIOS = "scenarios('garden.feature')\n"


def with_given(given: str, before: str = "") -> dict[str, str]:
    """A test module whose Given is its own."""
    return {"test_garden.py": PYTEST_HEAD + SCENARIOS + before + given + PYTEST_WHEN_THEN}


PYTEST_SUITES = {
    "steps in a plugin": {
        "test_garden.py": PYTEST_HEAD + SCENARIOS,
        "conftest.py": "pytest_plugins = ['garden_steps']\n",
        "garden_steps.py": PYTEST_HEAD + "pytest_plugins = 'more_steps'\n" + PYTEST_GIVEN,
        "more_steps.py": PYTEST_HEAD + PYTEST_WHEN_THEN,
    },
    "steps in a plugin of the test module": {
        "test_garden.py": PYTEST_HEAD + SCENARIOS + "PLUGIN = 'garden_steps'\n"
        "pytest_plugins = (PLUGIN,)\n",
        "garden_steps.py": PYTEST_STEPS,
    },
    "a decorator that partial makes": with_given(
        PYTEST_GIVEN.replace('@given(', "@given_tray(").replace(', target_fixture="tray"', ""),
        "from functools import partial\ngiven_tray = partial(given, target_fixture='tray')\n",
    ),
    "a parser that partial makes": with_given(
        PYTEST_GIVEN.replace("parsers.parse", "counted").replace("{n:d}", "{n:Count}"),
        "from functools import partial\n"
        "counted = partial(parsers.parse, extra_types={'Count': int})\n",
    ),
    "types of a pattern's own": with_given(
        PYTEST_GIVEN.replace("{n:d}", "{n:Count}").replace('"),', '", extra_types=TYPES),'),
        "import parse as p\n@p.with_pattern(r'[0-9]+')\ndef count(text):\n    return int(text)\n"
        "TYPES = dict(Count=count)\n",
    ),
    "converters": with_given(
        PYTEST_GIVEN.replace("{n:d}", "{n}").replace('"tray"', '"tray", converters=CONVERTERS'),
        "CONVERTERS = {'n': lambda text: int(text)}\n",
    ),
    "a scenario with examples that is not called an outline": {
        **with_given(PYTEST_GIVEN),
        "garden.feature": FEATURE.replace("When 2", "When <gone>")
        + "    Examples: one\n      | gone |\n      | 2 |\n",
    },
    "a doc string between backticks": {
        **with_given(
            PYTEST_GIVEN.replace("a_tray(n)", "a_tray(n, docstring)").replace(
                "[n]", "[n * (docstring == 'of tea')]"
            )
        ),
        "garden.feature": FEATURE.replace(
            "4 seedlings\n", "4 seedlings\n      ```\n      of tea\n      ```\n"
        ),
    },
    "a pattern in another case": with_given(
        PYTEST_GIVEN.replace("a tray of", "A Tray OF").replace("seedlings", "SEEDLINGS")
    ),
    "a group without a name": with_given(
        PYTEST_GIVEN.replace(
            'parsers.parse("a tray of {n:d} seedlings"',
            "parsers.re(r'(?:a|the) (tray|[)(]pot) OF (?P<n>\\d+) seedlings', re.I",
        ).replace('"tray"', '"tray", converters={"n": int}'),
        "import re\n",
    ),
    "flags within a pattern": with_given(
        PYTEST_GIVEN.replace(
            'parsers.parse("a tray of {n:d} seedlings"',
            "parsers.re(r'(?i)A TRAY of (?P<n>\\d+) seedlings'",
        ).replace('"tray"', '"tray", converters={"n": int}'),
    ),
    "a step of a type": with_given(
        PYTEST_GIVEN.replace("@given(", "@step(").replace('"),', '"), "given",'),
        "from pytest_bdd import step\n",
    ),
    "scenarios with keywords": {
        "test_garden.py": PYTEST_STEPS
        + "scenarios('garden.feature', encoding='utf-8', features_base_dir=BASE)\n".replace(
            "BASE", "str(Path(__file__).resolve().parent)"
        ).replace("scenarios(", "from pathlib import Path\nscenarios(", 1)
    },
    "features beside the test module": {
        "test_garden.py": PYTEST_STEPS + "import os.path\nFEATURES = os.path.dirname(__file__)\n"
        "FILES = [os.path.join(FEATURES, 'garden.feature')]\nscenarios(*FILES)\n"
    },
    "a scenario of a partial's feature": {
        "test_garden.py": PYTEST_STEPS + "import pytest_bdd\nfrom functools import partial\n"
        "of_garden = partial(pytest_bdd.scenario, 'garden.feature')\n"
        "TITLE = 'Seedlings are watered'\n\n@of_garden(TITLE)\ndef test_it():\n    pass\n"
    },
    "a fixture that only yields": with_given(
        PYTEST_GIVEN.replace("a_tray(n)", "a_tray(n, shelf)").replace("[n]", "shelf + [n]"),
        "@pytest.fixture\ndef shelf():\n    yield []\n",
    ),
    "a fixture that tidies up": with_given(
        PYTEST_GIVEN.replace("a_tray(n)", "a_tray(n, shelf)").replace("[n]", "shelf + [n]"),
        "@pytest.fixture(scope='session')\ndef shelf(house):\n    made = [] if house else None\n"
        "    yield made\n    made.clear()\n"
        "@pytest.fixture\ndef house():\n    return 'green'\n".replace("'session'", "'function'"),
    ),
    "a fixture of another module": {
        **with_given(
            PYTEST_GIVEN.replace("a_tray(n)", "a_tray(n, shelf)").replace("[n]", "shelf + [n]"),
            "from shelves import empty_shelf as shelf\n",
        ),
        "shelves.py": "from pytest import fixture\n@fixture\ndef empty_shelf():\n    return []\n",
    },
    "a fixture that is used by itself and does nothing": {
        **with_given(PYTEST_GIVEN),
        "conftest.py": "import pytest\n@pytest.fixture(autouse=True)\n"
        "def quiet(monkeypatch):\n    '''No network.'''\n",
    },
}  # fmt: skip


def write(folder: Path, feature: str, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    (folder / "steps").mkdir(exist_ok=True)
    if "garden.feature" not in files:
        (folder / "garden.feature").write_text(feature)
    return folder


def run(folder: Path, *module: str) -> str:
    command = [sys.executable, "-B", "-m", *module]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


def imported(folder: Path, top: Rung = Rung.PASSING) -> ImportReport:
    report = import_features([folder], Rung.BOUND, top)
    assert [one.line for one in report.left_out] == []
    assert report.not_understood == ()
    return report


@needs_sandbox
@pytest.mark.parametrize("name", BEHAVE_SUITES)
def test_a_suite_that_passes_under_behave_is_imported(name: str, tmp_path: Path) -> None:
    folder = write(tmp_path, FEATURE, BEHAVE_SUITES[name])
    assert "1 scenario passed" in run(folder, "behave", "--format", "progress")
    report = imported(folder)
    assert report.rungs == {Rung.PASSING: 1}, report.imported[0].ladder


@needs_sandbox
@pytest.mark.parametrize("name", PYTEST_SUITES)
def test_a_suite_that_passes_under_pytest_bdd_is_imported(name: str, tmp_path: Path) -> None:
    folder = write(tmp_path, FEATURE, PYTEST_SUITES[name])
    (folder / "steps").rmdir()
    shown = run(folder, "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 passed" in shown, shown
    report = imported(folder)
    assert report.rungs == {Rung.PASSING: 1}, report.imported[0].ladder


def test_a_conftest_above_the_folder_named_is_read_up_to_pytests_settings(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    write(tests, FEATURE, {"test_garden.py": PYTEST_HEAD + SCENARIOS})
    (tests / "steps").rmdir()
    (tmp_path / "conftest.py").write_text(PYTEST_STEPS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    assert len(imported(tests, Rung.BOUND).tasks) == 1


def code_of(folder: Path) -> str:
    block = first_block(imported(folder, Rung.BOUND).tasks[0].instances[0].output, PYTHON)
    assert block is not None
    return block.body


def test_a_pattern_that_constants_make_is_written_out(tmp_path: Path) -> None:
    suite = BEHAVE_SUITES["a pattern that constants make up"]
    code = code_of(write(tmp_path, FEATURE, suite))
    assert '@given("a tray of {n:d} seedlings")\ndef tray(context, n):' in code
    assert "OF =" not in code


def test_an_import_for_type_checkers_stays_one(tmp_path: Path) -> None:
    suite = BEHAVE_SUITES["an import for type checkers"]
    code = code_of(write(tmp_path, FEATURE, suite))
    assert code.startswith(
        "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\n"
        "from behave import given, when, then\n\n"
        "if TYPE_CHECKING:\n    from behave.runner import Context\n"
    )


def test_the_call_that_makes_patterns_cucumber_expressions_is_kept(tmp_path: Path) -> None:
    code = code_of(write(tmp_path, FEATURE, BEHAVE_SUITES["cucumber expressions"]))
    assert code.startswith(
        "from behave import given, when, then\n"
        "from behave.cucumber_expression import use_step_matcher_for_cucumber_expressions\n\n"
        "use_step_matcher_for_cucumber_expressions()\n"
    )


def test_steps_of_another_case_give_a_pattern_each(tmp_path: Path) -> None:
    feature = FEATURE.replace("    When", "    And A TRAY of 0 Seedlings\n    When")
    code = code_of(write(tmp_path, feature, PYTEST_SUITES["a pattern in another case"]))
    assert (
        '@given("a tray of {n:d} seedlings")\n@given("A TRAY of {n:d} Seedlings")\n'
        "def a_tray(context, n):" in code
    )


def test_a_type_of_a_pattern_is_registered_for_behave(tmp_path: Path) -> None:
    code = code_of(write(tmp_path, FEATURE, PYTEST_SUITES["types of a pattern's own"]))
    assert "from behave import given, when, then, register_type\n" in code
    assert "def count(text):\n    return int(text)\n\n\nregister_type(Count=count)\n" in code


def test_a_fixture_that_tidies_up_does_so_when_the_scenario_ends(tmp_path: Path) -> None:
    code = code_of(write(tmp_path, FEATURE, PYTEST_SUITES["a fixture that tidies up"]))
    assert "    yield made\n    made.clear()\n" in code
    assert "context.shelf = use_fixture(new_shelf, context)\n" in code


@needs_sandbox
def test_a_feature_file_is_read_in_the_encoding_that_its_test_names(tmp_path: Path) -> None:
    feature = FEATURE.replace("seedlings wither", "Setzlinge verdorren früh")
    steps = PYTEST_STEPS.replace("seedlings wither", "Setzlinge verdorren früh")
    bound = "@scenario('garden.feature', 'Seedlings are watered', encoding='latin-1')\n"
    folder = write(
        tmp_path, FEATURE, {"test_garden.py": steps + bound + "def test_it():\n    pass\n"}
    )
    (folder / "steps").rmdir()
    (folder / "garden.feature").write_bytes(feature.encode("latin-1"))
    assert "1 passed" in run(folder, "pytest", "-q", "-p", "no:cacheprovider")
    assert "When 2 Setzlinge verdorren früh" in imported(folder).tasks[0].instruction

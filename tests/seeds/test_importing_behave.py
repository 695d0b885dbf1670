"""Seed tasks from a behave project: scenarios that stand alone, with what binds them."""

import json
import random
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfbehave.bdd import sandbox
from selfbehave.bdd.fences import PYTHON, first_block
from selfbehave.bdd.ladder import Rung, climb_row
from selfbehave.bdd.scenario import parse_scenario
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.records import SeedTask
from selfbehave.prompts.bdd import scenario_of
from selfbehave.seeds.importing import ImportReport, import_features
from selfbehave.seeds.load import load_seeds

from ..helpers.paths import DATA

BAKERY = DATA / "behave_project"
LEAD = "from behave import given, when, then\n"

needs_sandbox = pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))


def project(folder: Path, feature: str, **modules: str) -> Path:
    """A behave project: one feature, and modules by their names, `steps__x` being steps/x.py."""
    (folder / "steps").mkdir(parents=True, exist_ok=True)
    (folder / "one.feature").write_text(textwrap.dedent(feature))
    for name, code in modules.items():
        path = folder / f"{name.replace('__', '/', 1)}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code))
    return folder


def imported(folder: Path) -> ImportReport:
    return import_features([folder], Rung.BOUND, Rung.BOUND)


def only_task(folder: Path) -> SeedTask:
    report = imported(folder)
    assert [one.detail for one in report.left_out] == []
    (task,) = report.tasks
    return task


def reasons(folder: Path) -> list[str]:
    return [one.reason for one in imported(folder).left_out]


def code_of(task: SeedTask) -> str:
    block = first_block(task.instances[0].output, PYTHON)
    assert block is not None
    return block.body


ONE_STEP = """
    Feature: One
      Scenario: Tea is poured
        Given tea is poured
"""


def test_the_project_of_these_tests_passes_under_behave() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-m", "behave", "--format", "progress"],
        cwd=BAKERY, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "8 scenarios passed, 0 failed, 1 skipped" in done.stdout


def test_each_scenario_of_a_project_is_a_task_or_counted() -> None:
    report = imported(BAKERY)
    assert [task.name for task in report.tasks] == [
        "a_share_percent_coupon_is_taken_off",
        "a_coupon_is_refused_after_its_last_day",
        "an_order_costs_the_sum_of_its_items",
        "an_order_beyond_the_shelf_is_refused",
        "the_receipt_names_what_was_bought",
        "every_order_is_written_to_the_day_s_log",
    ]
    assert all(climb_row(one.instruction, "", one.instances[0].output).rung == Rung.BOUND
               for one in report.tasks)  # fmt: skip
    (left_out,) = report.left_out
    assert left_out.reason == "undefined_step"
    assert left_out.place.endswith("orders.feature:41")
    lines = (BAKERY / "features" / "orders.feature").read_text().splitlines()
    assert lines[41 - 1].strip() == "Scenario: A delivery by bicycle"


def test_hooks_and_fixtures_are_said_to_stay_behind() -> None:
    notes = imported(BAKERY).notes
    assert [note.rpartition("environment.py: ")[2] for note in notes] == [
        "1 hook cannot come along: before_scenario",
        "1 fixture cannot come along: days_log",
    ]


@needs_sandbox
def test_imported_tasks_run_green_and_can_turn_red_by_themselves() -> None:
    report = import_features([BAKERY], Rung.BOUND, Rung.DISCRIMINATING)
    # The one that is only bound needs the day's log, which a hook makes.
    assert report.rungs == {Rung.DISCRIMINATING: 4, Rung.PASSING: 1, Rung.BOUND: 1}
    assert [one.task.name for one in report.imported if one.ladder.rung == Rung.BOUND] == [
        "every_order_is_written_to_the_day_s_log"
    ]
    report = import_features([BAKERY], Rung.PASSING, Rung.PASSING)
    (fallen,) = [one for one in report.left_out if one.reason == "below_min_rung"]
    assert "log" in fallen.detail
    assert len(report.tasks) == 5


def test_a_task_takes_along_what_its_functions_use_and_nothing_else() -> None:
    (task,) = [one for one in imported(BAKERY).tasks if one.name.startswith("an_order_costs")]
    assert code_of(task) == textwrap.dedent(
        '''\
        from decimal import Decimal

        from behave import given, when, then

        FIELDS = ("item", "count")


        def lines_of(table):
            """The lines of an order: each item and how many of it."""
            return [(row[FIELDS[0]], int(row[FIELDS[1]])) for row in table]


        CENT = Decimal("0.01")


        def amount(text):
            """An amount of euros."""
            return Decimal(text).quantize(CENT)


        class OutOfStockError(Exception):
            """There is not enough on the shelf."""


        class Counter:
            def __init__(self, goods):
                self.prices = {item: price for item, (price, _) in goods.items()}
                self.shelf = {item: baked for item, (_, baked) in goods.items()}
                self.discount = 0
                self.total = amount("0")

            def order(self, lines):
                """Sell items; return the receipt."""
                for item, count in lines:
                    if count > self.shelf[item]:
                        raise OutOfStockError(f"only {self.shelf[item]} left")
                full = sum(self.prices[item] * count for item, count in lines)
                for item, count in lines:
                    self.shelf[item] -= count
                self.total = amount(float(full) * (1 - self.discount))
                bought = [f"{count} x {item}" for item, count in lines]
                return "\\n".join([*bought, f"total {self.total} euros"])


        def place(context, lines):
            """Order at the counter, and note it in the day's log where there is one."""
            counter: Counter = context.counter
            receipt = counter.order(lines)
            if "log" in context:
                context.log.append(receipt)
            return receipt


        @given("the bakery sells:")
        def step_bakery_sells(context):
            context.counter = Counter(
                {row["item"]: (amount(row["price"]), int(row["baked"])) for row in context.table}
            )


        @given("no coupon is in use")
        def step_no_coupon(context):
            context.counter.discount = 0


        @when("{name:w} orders:")
        def step_orders(context, name):
            context.receipt = place(context, lines_of(context.table))


        @then("the order costs {total} euros")
        def step_the_order_costs_euros(context, total):
            assert context.counter.total == amount(total), context.counter.total'''
    )


def test_the_packaged_seed_tasks_as_projects_are_imported_as_they_were(tmp_path: Path) -> None:
    seeds = load_seeds("high_quality").tasks
    for seed in seeds:
        scenario = scenario_of(seed.instruction)
        whole = scenario if scenario.startswith("Feature") else f"Feature: One\n\n{scenario}"
        project(tmp_path / seed.id, "Feature: One", steps__one=code_of(seed))
        (tmp_path / seed.id / "one.feature").write_text(whole)
    report = imported(tmp_path)
    assert (len(report.tasks), report.left_out, report.notes) == (175, (), ())
    for seed, task in zip(seeds, report.tasks, strict=True):
        assert code_of(task).split() == code_of(seed).split()
    bare = [one.instruction for one in seeds if "gherkin\nFeature" not in one.instruction]
    assert len(bare) == 169
    assert set(bare) <= {task.instruction for task in report.tasks}


def test_backgrounds_of_feature_and_rule_are_folded_in_and_outlines_stay(tmp_path: Path) -> None:
    feature = """
        @slow
        Feature: Tea
          Background:
            Given a pot:
              | kind |
              | a\\|b |
          Rule: It cools
            Background:
              Given an hour
            @x
            Scenario Outline: Cups <n>
              Given a cup
              When <n> is poured
                '''
                a text
                '''
              @y
              Examples: some
                | n |
                | 1 |
    """.replace("'''", '"""')
    steps = LEAD + "".join(
        f"@{kind}('{text}')\ndef f{number}(context): pass\n"
        for number, (kind, text) in enumerate(
            [("given", "a pot:"), ("given", "an hour"), ("given", "a cup"),
             ("when", "{n} is poured")]
        )
    )  # fmt: skip
    task = only_task(project(tmp_path, feature, steps__tea=steps))
    assert scenario_of(task.instruction) == textwrap.dedent(
        '''\
        Scenario Outline: Cups <n>
          Given a pot:
            | kind |
            | a\\|b |
          And an hour
          And a cup
          When <n> is poured
            """
            a text
            """

          Examples: some
            | n |
            | 1 |'''
    )


def test_a_scenario_keeps_its_spoken_language(tmp_path: Path) -> None:
    feature = """\
        # language: de
        Funktionalität: Tee
          Grundlage:
            Angenommen eine Kanne
          Szenario: Der Tee zieht
            Angenommen heißes Wasser
            Dann zieht der Tee
    """
    steps = LEAD + (
        "@given('eine Kanne')\ndef a(context): pass\n"
        "@given('heißes Wasser')\ndef b(context): pass\n"
        "@then('zieht der Tee')\ndef c(context): pass\n"
    )
    scenario = scenario_of(only_task(project(tmp_path, feature, steps__tee=steps)).instruction)
    assert scenario.startswith("# language: de\n")
    assert [step.kind for step in parse_scenario(scenario).steps] == ["given", "given", "then"]
    assert "Und heißes Wasser" in scenario


def test_a_background_with_an_outlines_parameter_is_left_out(tmp_path: Path) -> None:
    # Behave does not fill it in; in the scenario itself it would.
    feature = """
        Feature: Tea
          Background:
            Given a <n>
          Scenario Outline: Cups
            When <n> is poured
            Examples:
              | n |
              | 1 |
    """
    steps = LEAD + "@given('a {x}')\n@when('{x} is poured')\ndef f(context, x): pass\n"
    assert reasons(project(tmp_path, feature, steps__tea=steps)) == ["background_parameter"]


@pytest.mark.parametrize("matcher", ["parse", "cfparse", "re"])
def test_the_step_matcher_of_a_module_comes_along(tmp_path: Path, matcher: str) -> None:
    pattern = "tea is (?P<what>.*)" if matcher == "re" else "tea is {what}"
    steps = LEAD + (
        f"from behave import use_step_matcher\nuse_step_matcher('{matcher}')\n"
        f"@given('{pattern}')\ndef f(context, what): pass\n"
    )
    code = code_of(only_task(project(tmp_path, ONE_STEP, steps__tea=steps)))
    assert (f'use_step_matcher("{matcher}")' in code) == (matcher != "parse")


def test_the_environments_matcher_is_every_modules(tmp_path: Path) -> None:
    folder = project(
        tmp_path, ONE_STEP, steps__tea="@given('tea is (poured|spilt)')\ndef f(context, w): pass\n",
        environment="from behave import use_step_matcher\nuse_step_matcher('re')\n",
    )  # fmt: skip
    code = code_of(only_task(folder))
    assert 'use_step_matcher("re")' in code
    assert "from behave import given, use_step_matcher" in code


def test_a_step_function_that_another_one_calls_comes_without_its_pattern(tmp_path: Path) -> None:
    steps = LEAD + (
        "@when('water boils')\ndef boil(context): context.hot = True\n"
        "@given('tea is poured')\ndef pour(context): boil(context)\n"
    )
    code = code_of(only_task(project(tmp_path, ONE_STEP, steps__tea=steps)))
    assert re.findall(r"^(?:@|def ).*", code, re.M) == [
        "def boil(context): context.hot = True",
        "@given('tea is poured')",
        "def pour(context): boil(context)",
    ]


@pytest.mark.parametrize(
    ("reason", "steps"),
    [
        ("undefined_step", "@given('coffee is poured')\ndef f(context): pass\n"),
        ("undefined_step", "@when('tea is poured')\ndef f(context): pass\n"),
        ("undefined_name", "@given('tea is poured')\ndef f(context): brew()\n"),
        ("executes_steps", "@given('tea is poured')\ndef f(c): c.execute_steps('When a')\n"),
        ("needs_files", "@given('tea is poured')\ndef f(context): open(__file__)\n"),
        ("step_under_condition", "if True:\n  @given('tea is poured')\n  def f(context): pass\n"),
        ("import_not_followed", "@given('tea is poured')\ndef f(context):\n  import pots\n"),
        ("import_not_followed", "import pots\n@given('tea is poured')\ndef f(c): print(pots)\n"),
        ("import_not_followed", "import pots\n@given('tea is poured')\ndef f(c): pots.size = 2\n"),
        ("name_clash", "import pots\nsize = 1\n@given('tea is poured')\n"
                       "def f(c): return size + pots.size\n"),
        ("name_clash", "import pots\n@given('tea is poured')\ndef f(size): return pots.size\n"),
        ("too_long", f"BIG = '{'x' * 20_000}'\n@given('tea is poured')\ndef f(c): return BIG\n"),
        ("no_step_modules", "# nothing\n"),
        ("not_understood", "def broken(\n"),
    ],
)  # fmt: skip
def test_what_cannot_come_along_is_left_out_by_reason(
    tmp_path: Path, reason: str, steps: str
) -> None:
    folder = project(tmp_path, ONE_STEP, steps__tea=steps, steps__pots="size = 3\n")
    (left_out,) = imported(folder).left_out
    assert left_out.reason == reason
    assert left_out.place.endswith("one.feature:3")


def test_a_name_behind_a_module_is_taken_from_that_module(tmp_path: Path) -> None:
    steps = (
        "import kitchen.pots as p, kitchen\nfrom kitchen import pots\n"
        "@given('tea is poured')\n"
        "def f(context):\n"
        "    assert p.SIZE == pots.SIZE == kitchen.pots.SIZE, f'{p.SIZE} müßte 3 sein'\n"
    )
    folder = project(
        tmp_path, ONE_STEP, steps__tea=steps,
        kitchen__pots="SIZE = CUPS = 3\n", kitchen____init__="",
    )  # fmt: skip
    code = code_of(only_task(folder))
    assert "SIZE = CUPS = 3" in code
    assert "assert SIZE == SIZE == SIZE, f'{SIZE} müßte 3 sein'" in code


def test_of_two_patterns_that_match_the_one_that_registers_first_is_kept(tmp_path: Path) -> None:
    steps = LEAD + (
        "@given('tea is {what}')\ndef first(context, what): pass\n"
        "@given('{what} is poured')\ndef second(context, what): pass\n"
    )
    feature = ONE_STEP + "        And coffee is poured\n"
    code = code_of(only_task(project(tmp_path, feature, steps__tea=steps)))
    assert code.index("def first") < code.index("def second")
    # Where the second's step comes first, its function would take the first's step as well.
    feature = ONE_STEP.replace("Given tea", "Given coffee is poured\n        And tea")
    code = code_of(only_task(project(tmp_path, feature, steps__tea=steps)))
    assert code.index("def first") < code.index("def second")


def test_a_step_decorator_of_another_package_registers_nothing(tmp_path: Path) -> None:
    steps = LEAD + (
        "import allure\n@allure.step('tea is {what}')\ndef log(what): pass\n"
        "@given('tea is poured')\n@allure.step('pouring')\ndef pour(context): log('poured')\n"
    )
    code = code_of(only_task(project(tmp_path, ONE_STEP, steps__tea=steps)))
    assert re.findall(r"^(?:@|def |import ).*", code, re.M) == [
        "def log(what): pass",
        "@given('tea is poured')",
        "def pour(context): log('poured')",
    ]


def test_the_same_scenario_twice_is_one_task(tmp_path: Path) -> None:
    folder = project(tmp_path, ONE_STEP, steps__tea="@given('tea is poured')\ndef f(c): pass\n")
    (folder / "two.feature").write_text(textwrap.dedent(ONE_STEP))
    report = imported(folder)
    assert len(report.tasks) == 1
    (left_out,) = report.left_out
    assert left_out.reason == "duplicate"
    assert "one.feature:3" in left_out.detail


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"no gherkin", b"", b"# language: zz\nFeature: a\n"]
)
def test_a_feature_file_that_cannot_be_read_is_counted(tmp_path: Path, content: bytes) -> None:
    folder = project(tmp_path, ONE_STEP, steps__tea="@given('tea is poured')\ndef f(c): pass\n")
    (folder / "broken.feature").write_bytes(content)
    report = imported(folder)
    assert [one.reason for one in report.left_out] == ["feature_not_read"]
    assert len(report.tasks) == 1


def test_no_code_of_the_project_is_executed(tmp_path: Path) -> None:
    trap = f"from pathlib import Path\nPath({str(tmp_path / 'sprung')!r}).touch()\n"
    folder = project(
        tmp_path, ONE_STEP, environment=trap, conftest=f"import pytest_bdd\n{trap}", pots=trap,
        steps__tea=f"{trap}import pots\n@given('tea is poured')\ndef f(context): pass\n",
    )  # fmt: skip
    only_task(folder)
    assert not (tmp_path / "sprung").exists()


# Ways to reach a function of the same and of other modules.
USES = ("util.u0(x)", "u1(x)", "lib.deep.Deep().f(x)", "deep.d2(x)", "Deep().f(x)", "mix(x)",
        "local(x)", "uu(x)", "lib.root(x)", "LIST[x % 3]")  # fmt: skip
NEVER = 99999


def helpers(letter: str, chance: random.Random) -> str:
    return "".join(
        f"V{letter}{n} = {chance.randrange(9)}\ndef {letter}{n}(x):\n    return x + V{letter}{n}\n"
        for n in range(3)
    )


def tangled_project(folder: Path, chance: random.Random) -> Path:
    """A project whose steps compute by functions of several modules, imported in every way."""
    modules = {
        "lib____init__": "from .deep import d0 as root\nW = {}\nW['a'] = 4\n",
        "lib__deep": helpers("d", chance)
        + "class Deep:\n    base = d1(2)\n    def f(self, x): return d2(x) + self.base\n",
        "util": "import lib.deep\nfrom lib import root, W\n"
        + helpers("u", chance)
        + "def mix(x): return root(x) + lib.deep.d1(x) + W['a']\n",
    }
    for m in range(2):
        code = (
            f"{LEAD}import util\nimport lib.deep, lib\nfrom lib import deep\n"
            "from lib.deep import Deep\nfrom util import u1, mix, u2 as uu\n"
            "LIST = [1, 2, 3]\nLIST[1] = 7\ndef local(x):\n    return x * LIST[0]\n"
            f"@then('m{m} it is {{x:d}}')\ndef step_impl(context, x):\n"
            "    assert context.x == x, context.x\n"
        )
        for n in range(4):
            code += (
                f"@given('m{m} start {n} at {{x:d}}')\ndef step_impl(context, x):\n"
                f"    context.x = {chance.choice(USES)}\n"
                f"@when('m{m} apply {n}')\ndef step_impl(context):\n    x = context.x\n"
                f"    context.x = {chance.choice(USES)}\n"
            )
        modules[f"steps__s{m}"] = code
    feature = "Feature: Sums\n"
    for n in range(6):
        m = chance.randrange(2)
        feature += (
            f"  Scenario: Sum {n}\n    Given m{m} start {chance.randrange(4)} at {n}\n"
            f"    When m{m} apply {chance.randrange(4)}\n"
            f"    And m{m} apply {chance.randrange(4)}\n    Then m{m} it is {NEVER}\n"
        )
    return project(folder, feature, **modules)


@needs_sandbox
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_imported_functions_compute_what_they_compute_in_the_project(
    tmp_path: Path, seed: int
) -> None:
    folder = tangled_project(tmp_path, random.Random(seed))
    done = subprocess.run(
        [sys.executable, "-B", "-m", "behave", "-f", "json", "--no-summary"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    (feature,) = json.loads(done.stdout[done.stdout.index("[") : done.stdout.rindex("]") + 1])
    computed = {}
    for element in feature["elements"]:
        message = element["steps"][-1]["result"]["error_message"]
        text = "\n".join(message) if isinstance(message, list) else message
        computed[element["name"]] = text.split()[-1]
    assert len(computed) == 6
    report = imported(folder)
    assert {one.reason for one in report.left_out} <= {"name_clash"}
    assert len(report.tasks) >= 4
    for task in report.tasks:
        scenario = scenario_of(task.instruction)
        outcome = sandbox.run_pair(parse_scenario(scenario).feature_text, code_of(task))
        assert outcome.detail.split()[-1] == computed[parse_scenario(scenario).name]


GHERKIN_LINES = st.sampled_from(
    ["Feature: a", "Rule: r", "Background:", "Scenario: s", "Scenario Outline: o <a>", "Examples:",
     "  Given a", "  When <a>", "  Then b", "  And a", "  * a", "  | a | b |", "  | a |", '  """',
     "  ```", "# language: fr", "# c", "@t", "text", "", "  Given a \\", "\x0b", "Scenario:"]
)  # fmt: skip
PYTHON_LINES = st.sampled_from(
    ["from behave import given, when", "from behave import *", "import tea", "import one.tea as t",
     "from tea import *", "from . import x", "from .. import tea", "from tea import f as g",
     "@given('a')", "@when('{x}')", "@given('{x:Y}')", "@given(", "def f(c):", "  return tea.f(x)",
     "  import tea", "  pass", "async def g(c, x):", "class C:", "  def f(self): __x", "x = f(x)",
     "x.y = 1", "register_type(Y=f)", "use_step_matcher('re')", "use_step_matcher(x)", "if x:",
     "  @given('a')", "  def f(c): yield t.x", "try:", "except: pass", "'''", "\x00", "é = 'ü'",
     "from pytest_bdd import given, scenarios, parsers", "scenarios('one.feature', '.')",
     f"import {'a' * 300}", "scenarios('\\0', '/')",
     "@given(parsers.re(r'(a)|b'), target_fixture='x')", "@pytest.fixture", "def x(): return 1",
     "import pytest_bdd, functools", "g = functools.partial(given, target_fixture='x')", "@g('A')",
     "s = functools.partial(scenarios, 'one.feature')", "s(encoding='latin-1')", "X = 'a'",
     "@given(X)", "@given(f'{X} {X}')", "@given(parsers.parse('{x:N}', extra_types={'N': int}))",
     "pytest_plugins = ['tea', X]", "pytest_plugins = x()", "if TYPE_CHECKING: from tea import T",
     "@scenario('one.feature', X)", "def x(): yield 1", "from behave.cucumber_expression import *",
     "use_step_matcher_for_cucumber_expressions()", "register_type(**{'N': int, **X})", "X += 'b'",
     "@given(parsers.re('(?i)A(?P<x>b)?', 2), converters={'x': lambda t: t})", "given(X)(f)"]
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    feature=st.lists(GHERKIN_LINES, max_size=15).map("\n".join) | st.text(),
    steps=st.lists(PYTHON_LINES, max_size=12).map("\n".join) | st.text(),
    test=st.lists(PYTHON_LINES, max_size=12).map("\n".join),
)
def test_any_project_is_imported_or_refused_in_one_line(
    tmp_path: Path, feature: str, steps: str, test: str
) -> None:
    (tmp_path / "steps").mkdir(exist_ok=True)
    for name, text in (("one.feature", feature), ("steps/tea.py", steps), ("test_one.py", test)):
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        report = imported(tmp_path)
    except SelfBehaveError:
        return
    for task in report.tasks:
        ladder = climb_row(task.instruction, "", task.instances[0].output)
        assert ladder.rung == Rung.BOUND, ladder.faults

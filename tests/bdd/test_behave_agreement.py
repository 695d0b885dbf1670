"""What the ladder says up to `bound` is what real `behave --dry-run` says."""

from collections import Counter

import pytest

from selfbehave.bdd import Rung, climb

from ..helpers.behave_agreement import compare
from ..helpers.generated_pairs import Pair, generated_pairs

HEAD = "from behave import given, when, then, step\n"
STEPS = """
@given("a lamp")
def lamp(context):
    context.presses = 0


@when("it is pressed {n:d} times")
def press(context, n):
    context.presses += n


@then("it is {state}")
def check(context, state):
    assert (context.presses % 2 == 1) == (state == "on")
"""
CODE = HEAD + STEPS
INDENTED = "    " + STEPS.strip().replace("\n", "\n    ")
LAMP = "Scenario: Lamp\n  Given a lamp\n  When it is pressed 3 times\n  Then it is on\n"
RE = HEAD + "from behave import use_step_matcher\nuse_step_matcher('re')\n"


def in_re(given: str, when: str, then: str = "it is (on|off)") -> str:
    """A module of three functions, with these regular expressions."""
    functions = zip(("given", "when", "then"), (given, when, then), strict=True)
    return RE + "".join(
        f"\n\n@{kind}({pattern!r})\ndef {kind}_it(context, *values, **named):\n    pass\n"
        for kind, pattern in functions
    )


def with_lamp(argument: str) -> str:
    """A scenario whose first step has an argument."""
    return LAMP.replace("a lamp\n", f"a lamp\n{argument}")


# name: scenario, code, whether it is bound
KINDS: dict[str, tuple[str, str, bool]] = {
    "keywords in lower case": (LAMP.replace("When", "when").replace("Then", "then"), CODE, True),
    "keywords in upper case": (LAMP.replace("When", "WHEN"), CODE, True),
    "titles in lower case": (LAMP.replace("Scenario", "scenario"), CODE, False),
    "a doc string between apostrophes": (with_lamp("    '''\n    x\n    '''\n"), CODE, True),
    "a doc string between backticks": (with_lamp("    ```\n    x\n    ```\n"), CODE, False),
    "a doc string with a media type": (with_lamp('    """json\n    {}\n    """\n'), CODE, True),
    "a doc string without an end": (LAMP + '    """\n    x\n', CODE, True),
    "text left of its quotes": (with_lamp('    """\n   x\n    """\n'), CODE, False),
    "Examples below Scenario:": (LAMP + "  Examples:\n    | n |\n    | 1 |\n", CODE, False),
    "an outline without Examples": (LAMP.replace("Scenario", "Scenario Outline"), CODE, False),
    "tagged Examples": (
        LAMP.replace("Scenario", "Scenario Outline").replace("3", "<n>")
        + "  @few\n  Examples: few\n    | n |\n    | 1 |\n  @many @slow\n  Examples:\n    | n |\n"
        "    | 31 |\n",
        CODE, True,
    ),
    "And as the first step": (LAMP.replace("Given", "And"), CODE, False),
    "* as the first step": (LAMP.replace("Given", "*"), CODE, True),
    "* after a When": (LAMP + "  * it is on\n", CODE, True),
    "* after a Background is a Given": (
        "Feature: f\n  Background:\n    When it is pressed 1 times\n  Scenario: x\n    * a lamp\n"
        "    Then it is on\n", CODE, True,
    ),
    "And after a Background": (
        "Feature: f\n  Background:\n    Given a lamp\n  Rule: r\n    Background:\n"
        "      When it is pressed 1 times\n    Example: x\n      And it is pressed 2 times\n"
        "      Then it is on\n", CODE, True,
    ),
    "an escaped line break in a cell": (
        LAMP.replace("Scenario", "Scenario Outline").replace("on", "<s>")
        + "  Examples:\n    | s |\n    | a\\nb |\n    | c\\\\d |\n",
        CODE.replace("{state}", "{state:S}"), True,
    ),
    "<row.id> and <examples.name>": (
        "Scenario Outline: x\n  Given a lamp\n  Then it is <row.id> of <examples.name>\n"
        "  Examples: E <n>\n    | n |\n    | 7 |\n",
        HEAD + "@given('a lamp')\ndef a(context):\n    pass\n@then('it is 1.1 of E 7')\n"
        "def b(context):\n    pass\n", True,
    ),
    "Examples fill a background in": (
        "Feature: f\n  Background:\n    Given a lamp\n    When it is pressed <n> times\n"
        "  Scenario Outline: x\n    Then it is on\n    Examples:\n      | n |\n      | 1 |\n",
        CODE, True,
    ),
    "a line separator in a step": (LAMP.replace("is on", "is \u2028on"), CODE, False),
    "a form feed in a step": (LAMP.replace("is on", "is \x0con"), CODE, False),
    "a spoken language": (
        "# language: nl\nScenario: Lamp\n  Gegeven a lamp\n  Als it is pressed 3 times\n"
        "  Dan it is on\n", CODE, True,
    ),
    "a keyword that behave's tables lack": (
        "# language: tr\nSenaryo: Lamp\n  Zaten a lamp\n  Eğer ki it is pressed 3 times\n"
        "  O zaman it is on\n", CODE, False,
    ),
    "a language that behave lacks": (f"# language: tlh-x\n{LAMP}", CODE, False),
    "prose before a feature": (f"Sure:\n\nFeature: f\n{LAMP}", CODE, False),
    "a row that is not closed": (with_lamp("    | a | b\n    | c | d\n"), CODE, True),
    "an uneven row": (with_lamp("    | a | b |\n    | c |\n"), CODE, False),
    "a group that re lacks": (LAMP, in_re(r"a \p{L}+", r"it is pressed (\d+) times"), False),
    "one group name twice": (
        LAMP, in_re("(?P<a>a) (?P<a>lamp)", r"it is pressed \d+ times"), False,
    ),
    "a flag that comes late": (LAMP, in_re("(?i)A LAMP", r"it is pressed (\d+) times"), False),
    "flags of a group": (LAMP, in_re("(?i:A LAMP)", r"it is pressed (\d+) times"), True),
    "a POSIX class": (LAMP, in_re("a [[:alpha:]]+", r"it is pressed (\d+) times"), False),
    "a fuzzy match": (LAMP, in_re("a lump{e<=1}", r"it is pressed (\d+) times"), False),
    "an insertion": (LAMP, in_re("a lamp", "it is pressed {i} times"), False),
    "a lookbehind of any width": (
        LAMP, in_re(r"a (?<=a\s*)lamp", r"it is pressed \d+ times"), False,
    ),
    "a possessive quantifier": (LAMP, in_re(r"a \w++", r"it is pressed (\d++) times"), True),
    "a pattern with an anchor": (LAMP, in_re("^a lamp", r"it is pressed (\d+) times"), False),
    "an enumeration by TypeBuilder": (
        LAMP, CODE.replace("{state}", "{state:State}").replace(
            STEPS[:1], "\nfrom behave import register_type\nfrom parse_type import TypeBuilder\n"
            "register_type(State=TypeBuilder.make_enum({'on': True, 'off': False}))\n", 1,
        ), True,
    ),
    "an enumeration that has not got the word": (
        LAMP, CODE.replace("{state}", "{state:State}").replace(
            STEPS[:1], "\nfrom behave import register_type\nfrom parse_type import TypeBuilder\n"
            "register_type(State=TypeBuilder.make_choice(['bright', 'dark']))\n", 1,
        ), False,
    ),
    "register_type by **": (
        LAMP, CODE.replace("{n:d}", "{n:Count}").replace(
            STEPS[:1], "\nfrom behave import register_type\ndef count(text):\n"
            "    return int(text)\nregister_type(**{'Count': count})\n", 1,
        ), True,
    ),
    "a converter that refuses a pattern": (
        LAMP + "  Then it is {state}\n",
        CODE.replace("{n:d}", "{n:Count}").replace(
            STEPS[:1], "\nfrom behave import register_type\nregister_type(Count=int)\n", 1,
        ) + '\n\n@when("it is pressed {how} times in a row")\ndef more(context, how):\n    pass\n',
        False,
    ),
    "a converter that takes a pattern": (
        LAMP, CODE.replace("{n:d}", "{n:Count}").replace(
            STEPS[:1], "\nfrom behave import register_type\nregister_type(Count=str)\n", 1,
        ) + '\n\n@when("it is pressed three times")\ndef more(context):\n    pass\n', False,
    ),
    "converters of the re matcher": (
        LAMP, in_re("a lamp", r"it is pressed (\d+) times")
        + "\nfrom behave import register_type\nregister_type(Count=int)\n", False,
    ),
    "back to the default matcher": (
        LAMP, RE + "from behave import use_default_step_matcher\n\n\n@given('a (?:bright )?lamp')\n"
        "def a(context):\n    pass\n\n\nuse_default_step_matcher()\n"
        + STEPS[STEPS.index("@when"):], True,
    ),
    "another default matcher": (
        LAMP, HEAD + "from behave import use_default_step_matcher, use_step_matcher\n"
        "use_default_step_matcher('re')\nuse_step_matcher('parse')\n" + STEPS
        + "\n\nuse_default_step_matcher()\n\n\n@then(r'it is (\\d+)')\ndef b(c, n):\n    pass\n",
        False,
    ),
    "cucumber expressions": (
        LAMP, HEAD + "from behave.cucumber_expression import (\n"
        "    use_step_matcher_for_cucumber_expressions,\n)\n\n"
        "use_step_matcher_for_cucumber_expressions()\n"
        + STEPS.replace("{n:d} times", "{int} time(s)").replace("{state}", "on/off"), True,
    ),
    "decorators of pytest_bdd": (LAMP, CODE.replace("behave", "pytest_bdd"), False),
    "decorators of lettuce": (LAMP, "import lettuce as behave\n" + STEPS.replace("@", "@behave."),
                              False),
    "decorators of behave's registry": (
        LAMP, CODE.replace("behave", "behave.step_registry"), False,
    ),
    "a decorator that is not imported": (LAMP, CODE.replace(HEAD, ""), True),
    "a converter that is not imported": (LAMP, CODE + "\nregister_type(Count=int)\n", False),
    "an import that behave lacks": (LAMP, CODE.replace("step\n", "steps\n"), False),
    "a pattern in a constant": (
        LAMP, CODE.replace('@given("a lamp")', 'A_LAMP = "a " "lamp"\n\n\n@given(A_LAMP)'), True,
    ),
    "a pattern put together": (
        LAMP, CODE.replace('@given("a lamp")', "LAMP = 'lamp'\n\n\n@given('a ' + f'{LAMP}')"), True,
    ),
    "functions in a class": (
        LAMP, HEAD + "class Steps:\n" + INDENTED, True,
    ),
    "functions that are never run": (
        LAMP, HEAD + "if __name__ == '__main__':\n"
        + INDENTED, False,
    ),
    "one function in two branches": (
        LAMP, CODE + "\n\nimport os\nif os.name:\n"
        "    @then('it is on')\n    def x(c):\n        pass\n"
        "else:\n    @then('it is on')\n    def x(c):\n        pass\n", False,
    ),
    "an encoding of its own": (
        LAMP.replace("a lamp", "a lämp"),
        "# -*- coding: latin-1 -*-\n" + CODE.replace("lamp", "lämp"), False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_disagreement_that_was_found_is_mended(name: str) -> None:
    scenario, code, is_bound = KINDS[name]
    (comparison,) = compare([Pair(scenario, code, ())])
    assert comparison.disagreement is None
    assert comparison.outcome != "not known"
    assert (climb(scenario, code).rung == Rung.BOUND) == is_bound


PAIRS = 2_200


def test_generated_pairs_are_read_and_bound_as_behave_reads_and_binds_them() -> None:
    pairs = generated_pairs(seed=20, count=PAIRS)
    comparisons = compare(pairs)
    differing = [
        (pair, one.disagreement)
        for pair, one in zip(pairs, comparisons, strict=True)
        if one.disagreement is not None
    ]
    assert not differing, f"{len(differing)} of {PAIRS}, such as {differing[0]}"
    # They are worth something only where many are bound, and many are not, for many reasons.
    outcomes = Counter(one.outcome for one in comparisons)
    assert min(outcomes[one] for one in ("bound", "undefined", "refused", "not read")) > PAIRS / 10
    assert outcomes["not known"] + outcomes["too large"] < PAIRS / 25
    kinds = Counter(kind for pair in pairs for kind in pair.kinds)
    assert len(kinds) > 60
    assert sum(kinds.values()) > PAIRS


def test_the_generator_makes_the_same_pairs_of_the_same_seed() -> None:
    assert generated_pairs(3, 20) == generated_pairs(3, 20) != generated_pairs(4, 20)

"""Steps are bound as real behave binds them, without importing the step functions."""

import random
import re
import time

import pytest

from selfbehave.bdd import bind, parse_scenario, read_step_functions, sentence
from selfbehave.bdd.fences import PYTHON, first_block
from selfbehave.prompts.bdd import scenario_of
from selfbehave.seeds.load import load_seeds

from ..helpers.behave_agreement import compare
from ..helpers.generated_pairs import Pair

HEAD = "from behave import given, when, then, step, register_type, use_step_matcher\nimport parse\n"


def functions(*decorators: str) -> str:
    return HEAD + "".join(
        f"\n{decorator}\ndef function_{number}(context, *values, **named):\n    pass\n"
        for number, decorator in enumerate(decorators)
    )


def scenario(*steps: str) -> str:
    return "Scenario: x\n" + "".join(f"  {step}\n" for step in steps)


# name: scenario, step module
CASES: dict[str, tuple[str, str]] = {
    "plain": (scenario("Given a", "When b", "Then c"),
              functions("@given('a')", "@when('b')", "@then('c')")),
    "undefined": (scenario("Given a", "Then c"), functions("@given('a')")),
    "wrong kind": (scenario("Given a"), functions("@when('a')")),
    "step serves every kind": (scenario("Given a", "When b", "Then a"),
                               functions("@step('a')", "@when('b')")),
    "the kind's own function before step's": (scenario("Given a"),
                                              functions("@step('a')", "@given('a')")),
    "And and But take the kind before": (scenario("Given a", "And b", "When c", "But d"),
                                         functions("@given('a')", "@given('b')", "@when('c')",
                                                   "@when('d')")),
    "And of another kind": (scenario("Given a", "And b"), functions("@given('a')", "@when('b')")),
    "star takes the kind before": (scenario("Given a", "* b"),
                                   functions("@given('a')", "@given('b')")),
    "And first": (scenario("And a"), functions("@given('a')")),
    "title-case decorators": (scenario("Given a", "When b", "Then c"),
                              HEAD.replace("given, when, then, step", "Given, When, Then, Step")
                              + "@Given('a')\ndef f(c): pass\n@When('b')\ndef g(c): pass\n"
                              "@Then('c')\ndef h(c): pass\n"),
    "decorators by module": (scenario("Given a"),
                             "import behave\n@behave.given('a')\ndef f(context):\n    pass\n"),
    "decorators under another name": (scenario("Given a"),
                                      "from behave import given as provided\n"
                                      "@provided('a')\ndef f(context):\n    pass\n"),
    "stacked decorators": (scenario("Given a", "When a"), functions("@given('a')\n@when('a')")),
    "stacked patterns of one kind": (scenario("Given a", "Given b"),
                                     functions("@given('a')\n@given('b')")),
    "asynchronous function": (scenario("Given a"),
                              HEAD + "@given('a')\nasync def f(context):\n    pass\n"),
    "case matters": (scenario("Given A"), functions("@given('a')")),
    "text must match whole": (scenario("Given a b"), functions("@given('a')")),
    "two functions of one name": (scenario("Given a", "When b"),
                                  HEAD + "@given('a')\ndef f(c): pass\n"
                                  "@when('b')\ndef f(c): pass\n"),
    "string number": (scenario("Given 3 cats"), functions("@given('{n} cats')")),
    "integer": (scenario("Given 3 cats"), functions("@given('{n:d} cats')")),
    "not an integer": (scenario("Given three cats"), functions("@given('{n:d} cats')")),
    "negative integer": (scenario("Given -3 cats"), functions("@given('{n:d} cats')")),
    "float": (scenario("Given 3.50 euros"), functions("@given('{n:f} euros')")),
    "float without point": (scenario("Given 3 euros"), functions("@given('{n:f} euros')")),
    "general number": (scenario("Given 3 euros"), functions("@given('{n:g} euros')")),
    "word": (scenario("Given two words here"), functions("@given('{w:w} here')")),
    "letters": (scenario("Given abc here"), functions("@given('{w:l} here')")),
    "unnamed field": (scenario("Given 3 cats"), functions("@given('{:d} cats')")),
    "repeated field, equal": (scenario("Given a is a"), functions("@given('{x} is {x}')")),
    "repeated field, unequal": (scenario("Given a is b"), functions("@given('{x} is {x}')")),
    "empty value": (scenario('Given name ""'), functions("""@given('name "{x}"')""")),
    "quotes": (scenario('Given "Dune" by "Herbert"'), functions("""@given('"{a}" by "{b}"')""")),
    "apostrophe": (scenario("Given Mira's book"), functions('@given("{x}\'s book")')),
    "escaped braces": (scenario('Given body {"a": 1}'), functions("""@given('body {{"a": 1}}')""")),
    "unescaped braces": (scenario('Given body {"a": 1}'), functions("""@given('body {"a": 1}')""")),
    "regular expression signs are plain": (scenario("Given a (b) [c] $1.00?"),
                                           functions("@given('a (b) [c] $1.00?')")),
    "greedy enough": (scenario("Given a is b is c"), functions("@given('{x} is {y}')")),
    "colon before a table": (scenario("Given rows:", "  | a |", "  | 1 |"),
                             functions("@given('rows:')")),
    "colon forgotten": (scenario("Given rows:", "  | a |", "  | 1 |"),
                        functions("@given('rows')")),
    "doc string": (scenario("Given text", '  """', "  Given b", '  """'),
                   functions("@given('text')")),
    "unicode": (scenario("Given un été à 3 €"), functions("@given('un été à {n:d} €')")),
    "same pattern twice": (scenario("Given a"), functions("@given('a')", "@given('a')")),
    "same pattern of two kinds": (scenario("Given a", "When a"),
                                  functions("@given('a')", "@when('a')")),
    "general pattern first is ambiguous": (scenario("Given a 3"),
                                           functions("@given('a {x}')", "@given('a {x:d}')")),
    "special pattern first is not": (scenario("Given a 3", "Given a b"),
                                     functions("@given('a {x:d}')", "@given('a {x}')")),
    "overlap that only a step shows": (scenario("Given a b"),
                                       functions("@given('{x} b')", "@given('a {x}')")),
    "three functions, the last ambiguous": (scenario("Given a"),
                                            functions("@given('a')", "@given('b')",
                                                      "@given('b')")),
    "re matcher": (scenario("Given 3 cats"),
                   HEAD + "use_step_matcher('re')\n@given(r'(?P<n>\\d+) cats?')\n"
                   "def f(context, n):\n    pass\n"),
    "re matcher must match whole": (scenario("Given 3 cats here"),
                                    HEAD + "use_step_matcher('re')\n@given(r'(?P<n>\\d+) cats')\n"
                                    "def f(context, n):\n    pass\n"),
    "re matcher with its own anchors": (scenario("Given 3 cats"),
                                        HEAD + "use_step_matcher('re')\n@given(r'^3 cats$')\n"
                                        "def f(context):\n    pass\n"),
    "re matcher, alternatives": (scenario("Given a", "Given b c"),
                                 HEAD + "use_step_matcher('re')\n@given('a|b')\n"
                                 "def f(context):\n    pass\n"),
    "re0 matcher": (scenario("Given 3 cats here"),
                    HEAD + "use_step_matcher('re0')\n@given(r'(\\d+) cats')\n"
                    "def f(context, n):\n    pass\n"),
    "matcher changed midway": (scenario("Given 3", "When 4"),
                               HEAD + "use_step_matcher('re')\n@given(r'(?P<n>\\d)')\n"
                               "def f(context, n):\n    pass\n"
                               "use_step_matcher('parse')\n@when('{n:d}')\n"
                               "def g(context, n):\n    pass\n"),
    "bad regular expression": (scenario("Given a", "When b"),
                               HEAD + "use_step_matcher('re')\n@given(r'(a')\n"
                               "def f(context):\n    pass\n@when('b')\ndef g(c): pass\n"),
    "custom type": (scenario("Given 3 cats", "When x cats"),
                    HEAD + "@parse.with_pattern(r'\\d+')\ndef number(text):\n    return int(text)\n"
                    "register_type(Number=number)\n@step('{n:Number} cats')\n"
                    "def f(context, n):\n    pass\n"),
    "custom type without a pattern": (scenario("Given 3 cats"),
                                      HEAD + "register_type(Any=lambda text: text)\n"
                                      "@given('{n:Any} cats')\ndef f(context, n):\n    pass\n"),
    "unknown type": (scenario("Given 3 cats"), functions("@given('{n:Nothing} cats')")),
    "cardinality": (scenario("Given 1, 2, 3 as numbers", "When  as numbers"),
                    HEAD + "use_step_matcher('cfparse')\n@parse.with_pattern(r'\\d+')\n"
                    "def number(text):\n    return int(text)\n"
                    "register_type(Number=number)\n@step('{n:Number+} as numbers')\n"
                    "def f(context, n):\n    pass\n"),
    "optional": (scenario("Given 5 cats", "When cats"),
                 HEAD + "use_step_matcher('cfparse')\n@parse.with_pattern(r'\\d+ ')\n"
                 "def number(text):\n    return int(text)\n"
                 "register_type(Number=number)\n@step('{n:Number?}cats')\n"
                 "def f(context, n):\n    pass\n"),
    "text over two lines": (scenario("Given a long step"),
                            HEAD + "@given('a long '\n       'step')\ndef f(context):\n    pass\n"),
    "raw and unicode strings": (scenario(r"Given a\b", "When c"),
                                functions(r"@given(r'a\b')", "@when(u'c')")),
    "decorated under if": (scenario("Given a"),
                           HEAD + "if True:\n    @given('a')\n    def f(context):\n        pass\n"),
    "other decorators between": (scenario("Given a"),
                                 HEAD + "def same(f):\n    return f\n@given('a')\n@same\n"
                                 "def f(context):\n    pass\n"),
    "outline": ("Scenario Outline: x\n  Given <n> cats\n  Then <who>\n\n  Examples:\n"
                "    | n | who |\n    | 3 | Tom |\n    | x | Tim |\n",
                functions("@given('{n:d} cats')", "@then('Tom')")),
    "background": ("Feature: x\n\n  Background:\n    Given a\n\n  Scenario: y\n    When b\n",
                   functions("@given('a')", "@when('b')")),
    "rule": ("Feature: x\n\n  Rule: r\n\n    Background:\n      Given a\n\n    Scenario: y\n"
             "      When b\n", functions("@given('a')", "@when('b')")),
    "tags and comments": ("@slow\n# why\nScenario: x\n  # here\n  Given a\n",
                          functions("@given('a')")),
    "French": ("# language: fr\nScénario: x\n  Soit a\n  Quand b\n  Alors c\n",
               functions("@given('a')", "@when('b')", "@then('c')")),
    "no step function at all": (scenario("Given a"), "x = 1\n"),
}  # fmt: skip


def mutated(scenario_text: str, code: str, chance: random.Random) -> tuple[str, str]:
    """A pair with a step reworded, a decorator gone, of another kind, doubled, or generalised."""
    decorators = [match.start() for match in re.finditer(r"^@(given|when|then)", code, re.M)]
    place = chance.choice(decorators)
    block = re.match(r"@.*?(?=\n\n\n|\Z)", code[place:], re.S)
    assert block is not None
    match chance.randrange(5):
        case 0:
            return re.sub(r"(Given|When|Then) (\w+)", r"\1 \2x", scenario_text, count=1), code
        case 1:
            return scenario_text, code[:place] + "@staticmethod\n" + code[place:].partition("\n")[2]
        case 2:
            kind = chance.choice(["given", "when", "then", "step"])
            imported = "from behave import step\n"
            return scenario_text, imported + code[:place] + re.sub(
                r"^@\w+", f"@{kind}", code[place:], count=1
            )
        case 3:
            return scenario_text, f"{code}\n\n\n{block.group()}\n"
    word = re.search(r"\b[a-z]{4,}\b", block.group()[8:])
    if word is None:
        return scenario_text, code
    general = block.group()[:8] + block.group()[8:].replace(word.group(), "{anything}", 1)
    return scenario_text, code.replace(block.group(), general)


def compiles(code: str) -> bool:
    try:
        compile(code, "steps.py", "exec")
    except SyntaxError:
        return False
    return True


def seed_pairs() -> list[tuple[str, str]]:
    pairs = []
    for name in ("high_quality", "mixed_quality"):
        for task in load_seeds(name).tasks:
            code = first_block(task.instances[0].output, PYTHON)
            assert code is not None
            pairs.append((scenario_of(task.instruction), code.body))
    return list(dict.fromkeys(pairs))


def disagreement(scenario_text: str, code: str) -> str | None:
    (comparison,) = compare([Pair(scenario_text, code, ())])
    return comparison.disagreement


@pytest.mark.parametrize("name", CASES)
def test_a_step_is_bound_as_behave_binds_it(name: str) -> None:
    assert disagreement(*CASES[name]) is None


def test_every_seed_and_its_mutants_are_bound_as_behave_binds_them() -> None:
    chance = random.Random(7)
    pairs = seed_pairs()
    mutants = [mutated(*pair, chance) for pair in pairs]
    # A mutation may leave half of a decorator that goes over several lines.
    pairs += [(scenario_text, code) for scenario_text, code in mutants if compiles(code)]
    assert len(pairs) > 400
    comparisons = compare([Pair(*pair, ()) for pair in pairs])
    differing = [
        (pair, one.disagreement)
        for pair, one in zip(pairs, comparisons, strict=True)
        if one.disagreement is not None
    ]
    assert not differing, differing[0]
    assert sum(one.outcome == "bound" for one in comparisons) > 300


def faults_of(scenario_text: str, code: str) -> tuple[str, ...]:
    """What keeps a pair from being bound, as sentences."""
    binding = bind(parse_scenario(scenario_text), read_step_functions(code))
    return tuple(map(sentence, binding.faults))


def test_an_undefined_step_is_told_with_its_line_and_kind() -> None:
    assert faults_of(*CASES["undefined"]) == ("line 3: undefined step 'then c'",)


def test_an_ambiguous_pattern_is_told_with_both_functions() -> None:
    (fault,) = faults_of(scenario("Given a 3"), functions("@given('a {x}')", "@given('a {x:d}')"))[
        :1
    ]
    assert "function_0, line 5" in fault
    assert "function_1, line 9" in fault


def test_a_step_function_that_binds_no_step_is_a_fault() -> None:
    (fault,) = faults_of(scenario("Given a"), functions("@given('a')", "@given('b')"))
    assert fault == "unused step function @given('b') function_1, line 9"


def test_a_function_with_two_decorators_is_used_if_one_of_them_binds() -> None:
    assert faults_of(scenario("Given a"), functions("@given('a')\n@when('a')")) == ()


def test_a_pattern_computed_at_run_time_is_a_fault() -> None:
    (fault, *_) = faults_of(scenario("Given a"), functions("@given('a'.lower())"))
    assert "the pattern of function_0 is not a plain text" in fault


def test_generated_code_is_not_executed() -> None:
    code = "raise SystemExit\n" + functions("@given('a')")
    assert len(read_step_functions(code).functions) == 1


def test_a_pattern_made_to_backtrack_is_given_up_on_and_says_so() -> None:
    code = HEAD + "use_step_matcher('re')\n@given('(a|aa)+b')\ndef f(context, x):\n    pass\n"
    started = time.monotonic()
    (fault,) = faults_of(scenario("Given " + "a" * 200), code)[:1]
    assert fault.startswith("line 2: the pattern '(a|aa)+b' takes too long on")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("code", ["def f(:", "x = 1\n  y = 2", "(" * 5000, "x = '\0'", "\ud800"])
def test_code_that_does_not_compile_is_a_syntax_error(code: str) -> None:
    with pytest.raises(SyntaxError):
        read_step_functions(code)

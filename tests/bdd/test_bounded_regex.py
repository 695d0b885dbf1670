"""Regular expressions mean what `re` says, and take bounded time."""

import random
import re
import time
from re import _parser as parser  # type: ignore[attr-defined]

import pytest
import regex

from selfbehave.bdd.bounded_regex import BoundedRegex, Budget, TookTooLongError, as_timed

ATOMS = [
    "a", "b", ".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", "[abc]", "[^ab]", "[a-c1]", r"[\w ]",
    r"[^\W_]", r"[\s\D]", "[[:alpha:]]", r"\b", "^", "$", r"\A", r"\Z", "A", "é", "न", "ि", "ß",
    "{e}", "{i}", "-", "1", " ", "\n", "(?=a)", "(?!b)", "(?<=a)", "(?<!b)", "(?>a|ab)", "(?i:a)",
    "(?-i:b)", "(?s:.)", r"(?a:\d)", "(?m:$)", r"(a)\1", "(?P<x>b)(?P=x)",
]  # fmt: skip
QUANTIFIERS = ["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "*+", "++"]
TEXTS = [
    "a", "b", "ab", "aab", "a1b", " a", "é", "नि", "A", "aB1", "\n", "a\n", "a b", "ß", "SS", "{e}",
    "a{i}", "bb", "cab-1", "aaaa b", "a:", "[a]", "٣", "x\x1cy",
]  # fmt: skip


def made_up(chance: random.Random, depth: int = 0) -> str:
    expression = ""
    for _ in range(chance.randint(1, 4)):
        atom = chance.choice(ATOMS)
        if depth < 2 and chance.random() < 0.3:
            other = "|" + made_up(chance, 2) if chance.random() < 0.4 else ""
            atom = f"{chance.choice(['(', '(?:'])}{made_up(chance, depth + 1)}{other})"
        expression += atom + chance.choice(QUANTIFIERS)
    return expression


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_expression_for_the_other_package_matches_what_re_matches() -> None:
    chance = random.Random(5)
    tried = 0
    while tried < 2_000:
        flags = chance.choice(["", "", "(?i)", "(?s)", "(?m)", "(?a)", "(?x)"])
        expression = flags + made_up(chance)
        try:
            by_re = re.compile(expression)
        except re.error:
            continue
        tried += 1
        timed = regex.compile(as_timed(parser.parse(expression)), regex.VERSION0)
        for text in TEXTS:
            found = timed.match(text, timeout=1) is not None
            assert found == (by_re.match(text) is not None), (expression, text)


@pytest.mark.parametrize(
    "expression",
    [
        "(a|aa)+b",
        "(a*)*b",
        "(a|a)*$b",
        "(a?){30}a{30}b",
        "(a?)" * 200 + "b",
        "a?" * 40 + "a{40}b",
        ".*a.*a.*a.*b",
    ],
)
def test_what_would_take_for_ever_is_given_up_on(expression: str) -> None:
    compiled = BoundedRegex(expression)
    started = time.monotonic()
    for text in ("a" * 30, "a" * 3_000):
        try:
            assert not compiled.matches(text, Budget())
        except TookTooLongError:
            continue
    assert time.monotonic() - started < 5


def test_plain_expressions_are_matched_by_re_itself() -> None:
    for expression in ("the (.+) has (\\d+) of (.+)", "a(b|c)?d", "[^,]+, (?:one|two)"):
        assert BoundedRegex(expression).is_quick_on("a step of some forty letters, as most are")


def test_an_expression_that_may_try_much_is_not_left_to_re() -> None:
    for expression in ("(a|aa)+b", "(x+x+)+y", "(.*)(.*)(.*)(.*)(.*)z"):
        assert not BoundedRegex(expression).is_quick_on("a step of some forty letters, as most are")


def test_matching_uses_up_the_budget_of_a_module() -> None:
    budget = Budget(0.3)
    compiled = BoundedRegex("(a|aa)+b")
    started = time.monotonic()
    for _ in range(100):
        with pytest.raises(TookTooLongError):
            compiled.matches("a" * 300, budget)
    assert time.monotonic() - started < 10  # and not 0.2 s each
    assert budget.seconds <= 0


@pytest.mark.parametrize(
    "expression", [r"\p{L}", "(?P<a>.)(?P<a>.)", "a(?i)b", "(", "a{99999999999}"]
)
def test_what_re_refuses_is_refused(expression: str) -> None:
    with pytest.raises((re.error, OverflowError)):
        BoundedRegex(expression)

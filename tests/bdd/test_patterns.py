"""Patterns match what behave's `parse` makes of them, whether compiled or not."""

import time

import parse
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfbehave.bdd.patterns import BadPatternError, Budget, make_matcher

literals = st.sampled_from([" is ", "a", "the ", '"', "3", ".", "{{", "}}", "(", " ", "-"])
types = st.sampled_from(["", ":d", ":w", ":f", ":g", ":l", ":S", ":x"])
fields = st.builds("{{{}{}}}".format, st.sampled_from(["", "x", "y", "z", "x_1"]), types)
patterns = st.lists(literals | fields, max_size=6).map("".join)
texts = st.lists(
    st.sampled_from(["a", " is ", "the ", "3", "-7", "2.50", "{", "}", '"', "abc", " ", "0x1f"]),
    max_size=8,
).map("".join)


@given(patterns, texts)
@settings(max_examples=1500)
def test_a_pattern_matches_as_parse_matches(pattern: str, text: str) -> None:
    try:
        expected = parse.Parser(pattern, case_sensitive=True)._match_re.match(text) is not None
    except (ValueError, KeyError, NotImplementedError):
        with pytest.raises(BadPatternError):
            make_matcher("parse", pattern, {}, Budget())
        return
    assert make_matcher("parse", pattern, {}, Budget())(text) is expected


def test_a_pattern_of_many_fields_does_not_backtrack() -> None:
    pattern = "".join(f"{{x{number}}}a" for number in range(40)) + "b"
    started = time.monotonic()
    assert not make_matcher("parse", pattern, {}, Budget())("a" * 900)
    assert time.monotonic() - started < 2


def test_the_regular_expressions_of_a_module_share_one_budget() -> None:
    budget = Budget(0.5)
    slow = make_matcher("re", "(a|aa)+b", {}, budget)
    started = time.monotonic()
    assert not any(slow("a" * 300) for _ in range(1000))
    assert budget.seconds <= 0
    assert time.monotonic() - started < 5

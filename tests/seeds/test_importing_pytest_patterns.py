"""Patterns of pytest-bdd match as pytest-bdd matches, and give behave the same arguments."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from behave.matchers import CFParseMatcher, ParseMatcher, SimplifiedRegexMatcher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_bdd import parsers

from selfbehave.bdd.bounded_regex import Budget
from selfbehave.seeds.importing.left_out import CannotImportError
from selfbehave.seeds.importing.modules import Modules
from selfbehave.seeds.importing.pytest_patterns import NotReadError, PytestPattern, read_pattern
from selfbehave.seeds.importing.references import Argument, References

MATCHERS = {"parse": ParseMatcher, "cfparse": CFParseMatcher, "re": SimplifiedRegexMatcher}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("patterns")
    (made / "own.py").write_text("import re\nfrom pytest_bdd import parsers\n")
    return made


def pattern_of(source: str, folder: Path) -> PytestPattern:
    """The pattern of a decorator whose first argument is this source."""
    modules = Modules([folder])
    module = modules.at(folder / "own.py")
    assert module is not None
    node = ast.parse(source, mode="eval").body
    return read_pattern(Argument(node, module), References(modules, "pytest_bdd"), Budget(60))


def arguments_in_behave(pattern: PytestPattern, step: str) -> dict[str, Any]:
    """The named arguments that behave gives a step function of the pattern."""
    matcher = MATCHERS[pattern.matcher](print, pattern.for_step(step))
    found = matcher.check_match(step)
    assert found is not None, pattern.for_step(step)
    assert all(one.name is not None for one in found)
    return {one.name: one.value for one in found if one.value is not None}


WORDS = st.sampled_from(["a", "A", "tray", "Tray", "of", "x", "12", "(", "{", "}}", " ", "  "])
FIELDS = st.sampled_from(["{n}", "{n:d}", "{m:w}", "{m}", "{n:>}", "{n:f}", "{{x}}"])
STEPS = st.lists(st.sampled_from(["a", "A", "tray", "TRAY", "of", "x", "12", "3.5", "{x}", " "]),
                 max_size=7).map("".join)  # fmt: skip


@settings(max_examples=400, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    parser=st.sampled_from(["parse", "cfparse"]),
    text=st.lists(WORDS | FIELDS, min_size=1, max_size=6).map("".join),
    step=STEPS,
)
def test_fields_match_as_in_pytest_bdd(parser: str, text: str, step: str, folder: Path) -> None:
    source = f"parsers.{parser}({text!r})"
    try:
        theirs = getattr(parsers, parser)(text)
        is_matching = theirs.is_matching(step)
    except (ValueError, IndexError, KeyError, re.error):
        return  # pytest-bdd refuses it
    try:
        ours = pattern_of(source, folder)
    except NotReadError:
        return  # behave refuses it
    assert ours.matches(step) == is_matching
    if is_matching and ours.fault is None:
        try:
            found = arguments_in_behave(ours, step)
        except CannotImportError:
            return  # behave has no pattern that matches the step
        assert found == theirs.parse_arguments(step)


PARTS = st.sampled_from(
    ["a", "A", "tray", r"(?P<n>\d+)", r"(\d+)", "(a|A)", "(?:x|of)", "[(a]", r"\(", "[^)]", "[]a]",
     r"(?P<m>\w+)", "|", "^", "$", ".*", "(a(x)?)", " ", r"[\]a(]", "(?i)", "(?=a)"]
)  # fmt: skip


@settings(max_examples=600, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    text=st.lists(PARTS, min_size=1, max_size=5).map("".join),
    flags=st.sampled_from(["", ", re.I", ", flags=re.IGNORECASE | re.S"]),
    step=STEPS,
)
def test_expressions_match_as_in_pytest_bdd(text: str, flags: str, step: str, folder: Path) -> None:
    try:
        theirs = parsers.re(text, *([re.I] if flags else []))
        is_matching = theirs.is_matching(step)
    except re.error:
        return
    try:
        ours = pattern_of(f"parsers.re({text!r}{flags})", folder)
    except NotReadError:
        return
    assert ours.matches(step) == is_matching
    if is_matching and ours.fault is None:
        expected = {name: one for name, one in theirs.parse_arguments(step).items() if one}
        found = {name: one for name, one in arguments_in_behave(ours, step).items() if one}
        assert found == expected


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("'a {tray}'", "a {{tray}}"),
        ("parsers.string('a {tray}')", "a {{tray}}"),
        ("parsers.parse('a {tray}')", "a {tray}"),
        ("parsers.re('^a (?P<n>b|c)$')", "(?:a (?P<n>b|c))"),
        ("parsers.re('a (tray|pot)')", "(?:a (?:tray|pot))"),
        ("parsers.re('(?i)a tray')", "(?i:a tray)"),
        ("parsers.re('a tray', flags=re.S | re.I)", "(?is:a tray)"),
    ],
)
def test_a_pattern_is_written_as_behave_takes_it(source: str, written: str, folder: Path) -> None:
    assert pattern_of(source, folder).written == written


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("text()", "parser"),
        ("texts[0]", "pattern"),
        ("parsers.StepParser('a')", "parser"),
        ("parsers.parse(text())", "pattern"),
        ("parsers.parse(*texts)", "pattern"),
        ("parsers.parse('{n:N}', extra_types=types())", "pattern"),
        ("parsers.parse('{n:N}')", "pattern"),
        ("parsers.parse('{n:N}', extra_types={'N': made()})", "converter"),
        ("parsers.re('(')", "pattern"),
        ("parsers.re('a{99999999999}')", "pattern"),
        ("parsers.parse('a', case_sensitive=is_so())", "pattern"),
        ("parsers.re('a', flags())", "pattern"),
        (f"parsers.re('{'a' * 2_000}')", "pattern"),
    ],
)
def test_what_is_no_constant_pattern_is_not_read(source: str, why: str, folder: Path) -> None:
    with pytest.raises(NotReadError) as caught:
        pattern_of(source, folder)
    assert caught.value.why == why

"""Repair puts line breaks, keywords and fences right, cuts what is no answer, and tells of it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfbehave.bdd import Rung
from selfbehave.bdd.ladder import climb_row
from selfbehave.bdd.row_repair import Repaired, repair
from selfbehave.bdd.unfold import capitalize_keywords, is_folded, unfold
from selfbehave.seeds.load import load_seeds

ASK = "Write step functions: "
FOLDED = 'scenario: a user logs in given a user "given and then" when they log in then they are in'
CODE = (
    "from behave import given, when, then\n\n@given('a user {name}')\ndef a(context, name):\n"
    "    pass\n\n@when('they log in')\ndef b(context):\n    pass\n\n"
    "@then('they are in')\ndef c(context):\n    assert True\n"
)
GOOD = f"{ASK.strip()}\n\n```gherkin\n{unfold(FOLDED)}\n```"
FENCED = f"```python\n{CODE}```"


def rung(row: Repaired) -> Rung:
    return climb_row(row.instruction, "", row.output).rung


def test_a_folded_scenario_is_laid_out_and_quoted_keywords_are_left() -> None:
    row = repair(f"{ASK}```gherkin {FOLDED} ```", FENCED)
    assert row.instruction == (
        "Write step functions:\n\n```gherkin\nScenario: a user logs in\n"
        '  Given a user "given and then"\n  When they log in\n  Then they are in\n```'
    )
    assert row.output == FENCED
    assert row.changes == (
        "laid out the folded scenario",
        "put the scenario's fences on lines of their own",
    )
    assert rung(row) == Rung.BOUND


def test_lower_case_keywords_at_line_starts_are_capitalised_and_nothing_else() -> None:
    text = 'scenario: x\n  given a and b\n  """\n  then kept\n  """\n  then given c\n'
    row = repair(f"```gherkin\n{text}```", "")
    assert row.changes == ("capitalised the scenario's keywords",)
    assert "  Given a and b\n" in row.instruction
    assert "  then kept\n" in row.instruction
    assert "  Then given c\n" in row.instruction
    assert capitalize_keywords("scenario outline: y") == "Scenario Outline: y"


def test_folded_tables_and_examples_become_rows() -> None:
    folded = (
        "scenario: sums given these: |a |b| |1|2| |given x| | when added "
        "then it is <n> examples: |n | |3|"
    )
    assert unfold(folded) == (
        "Scenario: sums\nGiven these:\n| a | b |\n| 1 | 2 |\n| given x |  |\n"
        "When added\nThen it is <n>\nExamples:\n| n |\n| 3 |"
    )


def test_a_folded_doc_string_stands_on_lines_of_its_own() -> None:
    assert unfold('scenario: x given a text """ when | it """ then b') == (
        'Scenario: x\nGiven a text\n"""\n when | it \n"""\nThen b'
    )


@pytest.mark.parametrize(
    ("folded", "title"),
    [
        ("scenario: log in when locked given a when b then c", "log in when locked"),
        ("scenario: user's mail and more when b then c", "user's mail and more"),
        ("scenario: the given name given a when b then c", "the given name"),
        ("scenario: given a when b then c", ""),
    ],
)
def test_a_title_ends_at_its_first_given(folded: str, title: str) -> None:
    laid_out = unfold(folded)
    assert laid_out is not None
    first, *steps = laid_out.splitlines()
    assert first == f"Scenario: {title}".rstrip()
    assert steps[-2:] == ["When b", "Then c"]


def test_step_functions_decide_where_and_begins_a_step() -> None:
    folded = "scenario: x when user enters name and mail and user clicks and waits then b and c"
    assert unfold(folded) == (
        "Scenario: x\nWhen user enters name and mail\nAnd user clicks and waits\nThen b and c"
    )
    output = (
        "```python\nfrom behave import *\n@when('user enters name')\ndef a(c): pass\n"
        "@when('mail')\ndef b(c): pass\n@when('user clicks and waits')\ndef d(c): pass\n"
        "@then('b and c')\ndef e(c): pass\n```"
    )
    row = repair(f"```gherkin {folded} ```", output)
    assert "When user enters name\n  And mail\n  And user clicks and waits\n" in row.instruction
    assert rung(row) == Rung.BOUND


@pytest.mark.parametrize(
    ("output", "changes"),
    [
        (FENCED + "\n\nTask: next", ("cut the text of another task: 'Task: next'",)),
        ("```python " + CODE + "```", ("moved the code on the fence line to the next line",)),
        ("```python\n" + CODE, ("closed the code's fence",)),
        (
            "```python\n" + CODE + "\nTask: next",
            ("cut the text of another task: 'Task: next'", "closed the code's fence"),
        ),
        (
            "```python\n" + CODE + "\n@then('more')\ndef d(context):\n    assert (1 +",
            (
                "cut the unfinished last statement: "
                "\"@then('more')\\ndef d(context):\\n    assert (1 +\"",
                "closed the code's fence",
            ),
        ),
        (
            CODE + "\nTask: next",
            ("cut the text of another task: 'Task: next'", "put the code into a ```python fence"),
        ),
        (CODE + "```", ("put the code into a ```python fence",)),
        ("```\n" + CODE + "```", ("put the code into a ```python fence",)),
        (
            "```python\n" + CODE.strip() + "```",
            ("put the code's closing fence on a line of its own",),
        ),
    ],
)
def test_an_answer_is_mended_and_binds(output: str, changes: tuple[str, ...]) -> None:
    row = repair(GOOD, output)
    assert row.changes == changes
    assert row.instruction == GOOD
    assert row.output == FENCED
    assert rung(row) == Rung.BOUND
    assert repair(row.instruction, row.output).changes == ()


@pytest.mark.parametrize(
    "output",
    [
        "The sum is 10.",
        "```python\nfrom behave import (\n",
        "```python\ndef f(:\n    pass\n",
        "def total(n):\n    return n\n",
        FENCED + "\n\nThis asserts that they are in.",
    ],
)
def test_what_cannot_be_mended_is_left_as_it_is(output: str) -> None:
    assert repair(GOOD, output) == Repaired(GOOD, output, ())


def test_an_answer_without_code_loses_only_its_leaked_tail() -> None:
    row = repair(GOOD, "The sum is 10.\n\nTask 2: next")
    assert row.output == "The sum is 10."
    assert row.changes == ("cut the text of another task: 'Task 2: next'",)


def test_a_scenario_cut_off_is_closed_only_where_every_step_is_bound() -> None:
    whole = repair(f"```gherkin {FOLDED}", FENCED)
    assert "closed the scenario's fence" in whole.changes
    assert rung(whole) == Rung.BOUND
    cut_off = f"```gherkin {FOLDED.removesuffix(' are in')}"
    assert repair(cut_off, FENCED) == Repaired(cut_off, FENCED, ())


def test_good_rows_are_left_as_they_are() -> None:
    for quality in ("high_quality", "mixed_quality"):
        for task in load_seeds(quality).tasks:
            output = task.instances[0].output
            assert repair(task.instruction, output) == Repaired(task.instruction, output, ())


@pytest.mark.parametrize(
    "text",
    ["", "given a", "no keywords", "scenario: x |a| stray given b", "words scenario: x given a"],
)
def test_what_begins_with_no_title_or_belongs_to_no_line_is_not_unfolded(text: str) -> None:
    assert unfold(text) is None


def test_folded_means_two_parts_on_one_line() -> None:
    assert is_folded(FOLDED)
    assert is_folded("Scenario: x\n  given a when b then c")
    assert not is_folded('Scenario: x\n  Given a and b\n  Then it says "when"\n')


words = st.sampled_from(
    ["given", "when", "then", "and", "but", "scenario:", "examples:", "user", "a", "the", "i",
     "|", "| |", '"', '"given x"', "'", "user's", '"""', "<n>", "\\|", "`", "\n"]
)  # fmt: skip


@settings(max_examples=300, derandomize=True)
@given(st.lists(words, max_size=30).map(" ".join))
def test_nothing_is_invented_and_nothing_lost(text: str) -> None:
    def letters(text: str) -> str:
        return "".join(text.split()).casefold()

    folded = f"scenario: x {text}"
    laid_out = unfold(folded)
    assert laid_out is None or letters(laid_out) == letters(folded)
    row = repair(f"```gherkin {folded} ```", FENCED)
    # The layout may only escape what stands in tables, and pad doc strings.
    kept = letters(row.instruction).replace("\\", "").replace("`", "")
    assert kept == letters(f"gherkin {folded}").replace("\\", "").replace("`", "")


@pytest.mark.parametrize(
    ("instruction", "output"),
    [
        ("```gherkin scenario: x " + "given a and b " * 3_000 + "```", FENCED),
        ("```gherkin scenario: x given " + "|a" * 20_000 + "```", FENCED),
        ("```gherkin " + '"' * 40_000, "```python " * 5_000),
        ("x" * 2_000_000, CODE),
        (GOOD, "```python\n" + "(" * 90_000),
        (GOOD, "Task:" * 50_000),
        (
            "```gherkin scenario: x given " + "and a " * 3_000 + "```",
            "```python\nfrom behave import *\nuse_step_matcher('re')\n"
            "@given('(a|a |and )*b')\ndef f(c): pass\n```",
        ),
    ],
)
def test_bad_input_is_done_with_in_bounded_time(instruction: str, output: str) -> None:
    started = time.monotonic()
    repair(instruction, output)
    assert time.monotonic() - started < 15

"""A failed run tells where its code failed, and what its assert compared."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from selfbehave.bdd import sandbox
from selfbehave.bdd.sandbox import Failure, Frame, Limits, Operand, Reason, Sandboxes
from selfbehave.bdd.sandbox.failure import read_failure

needs_sandbox = pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))

FEATURE = "Feature: a\n  Scenario: a\n    Given a till\n    Then it holds 70\n"
CODE = """from behave import given, then

class Till:
    def __init__(self):
        self.coins = {{"fifty": 1, "ten": 1}}

    def total(self, less=0):
        return 60 - less

    {method}

@given('a till')
def a_till(context):
    context.till = Till()

def check(till, expected):
    {check}

@then('it holds {{expected:d}}')
def it_holds(context, expected):
    check(context.till, expected)
"""


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes() as all_sandboxes:
        yield all_sandboxes


def failure_of(sandboxes: Sandboxes, check: str, method: str = "pass") -> Failure:
    outcome = sandboxes.run_pair(FEATURE, CODE.format(check=check, method=method))
    assert outcome.reason == Reason.FAILED
    assert outcome.failure is not None
    return outcome.failure


@needs_sandbox
def test_an_assert_is_told_with_the_calls_that_led_there_and_both_sides(
    sandboxes: Sandboxes,
) -> None:
    failure = failure_of(sandboxes, "assert till.total() == expected, 'too little'")
    assert failure == Failure(
        step="it holds 70",
        exception="AssertionError",
        message="too little",
        frames=(
            Frame(21, "it_holds", "check(context.till, expected)"),
            Frame(17, "check", "assert till.total() == expected, 'too little'"),
        ),
        operands=(Operand("till.total()", "60"), Operand("expected", "70")),
    )


@needs_sandbox
@pytest.mark.parametrize(
    ("check", "operands"),
    [
        ("assert till.total(less=10) > expected - 1", {"till.total(less=10)": "50",
                                                       "expected - 1": "69"}),
        ("assert till.coins['ten'] == 2", {"till.coins['ten']": "1"}),
        ("assert not till.coins", {"not till.coins": "False"}),
        ("assert expected in [1, till.total()]", {"expected": "70",
                                                  "[1, till.total()]": "[1, 60]"}),
        ("assert (till.total()\n        == expected) or None", {"till.total()": "60",
                                                                "expected": "70"}),
        ("assert len('é') == 2; x = 1", {"len('é')": "1"}),
        ("assert all(x for x in [0])", {}),  # what it would take to evaluate is not understood
    ],
)  # fmt: skip
def test_what_asserts_are_made_of_is_evaluated(
    sandboxes: Sandboxes, check: str, operands: dict[str, str]
) -> None:
    failure = failure_of(sandboxes, check)
    assert {one.source: one.value for one in failure.operands} == operands


@needs_sandbox
def test_another_exception_has_no_operands(sandboxes: Sandboxes) -> None:
    failure = failure_of(sandboxes, "till.coins['one']")
    assert (failure.exception, failure.message, failure.operands) == ("KeyError", "'one'", ())
    assert failure.frames[-1] == Frame(17, "check", "till.coins['one']")


@needs_sandbox
def test_code_that_fails_while_it_is_imported_is_told_without_a_step(sandboxes: Sandboxes) -> None:
    outcome = sandboxes.run_pair(FEATURE, "x = 1\n1 / 0\n")
    assert outcome.failure == Failure(
        None, "ZeroDivisionError", "division by zero", (Frame(2, "<module>", "1 / 0"),), ()
    )


@needs_sandbox
def test_only_the_first_failure_is_told(sandboxes: Sandboxes) -> None:
    feature = f"{FEATURE}  Scenario: b\n    Given a till\n    Then it holds 71\n"
    code = CODE.format(check="assert till.total() == expected", method="pass")
    outcome = sandboxes.run_pair(feature, code)
    assert outcome.failure is not None
    assert outcome.failure.step == "it holds 70"


@needs_sandbox
def test_a_run_that_passes_or_is_stopped_has_no_failure(sandboxes: Sandboxes) -> None:
    green = CODE.format(check="pass", method="pass")
    assert sandboxes.run_pair(FEATURE, green).failure is None
    endless = CODE.format(check="while True: pass", method="pass")
    assert sandboxes.run_pair(FEATURE, endless, Limits(seconds=0.5)).failure is None


@needs_sandbox
@pytest.mark.parametrize(
    "method",
    [
        "def __repr__(self): return 'x' * 10 ** 7",
        "def __repr__(self):\n        while True: pass",
        "def __repr__(self): raise SystemExit(0)",
        "def __repr__(self):\n        import os; os.environ['a'] = 1 / 0",
    ],
    ids=["huge", "endless", "leaves", "raises"],
)
def test_a_hostile_value_changes_no_verdict(sandboxes: Sandboxes, method: str) -> None:
    started = time.monotonic()
    code = CODE.format(check="assert till == expected", method=method)
    outcome = sandboxes.run_pair(FEATURE, code)
    assert (outcome.reason, outcome.failed_step) == (Reason.FAILED, 1)
    assert outcome.detail.startswith("step 'it holds 70' failed: ASSERT FAILED")
    assert time.monotonic() - started < 5
    shown = outcome.failure.operands if outcome.failure else ()
    assert all(len(one.value) <= 300 for one in shown)


def test_whatever_is_reported_is_bounded_or_refused() -> None:
    told = {"step": "s" * 999, "exception": "E", "message": "m" * 999, "operands": [["a", "b"]]}
    failure = read_failure(told | {"frames": [[1, "f", "x" * 999]] * 99})
    assert failure is not None
    assert (len(failure.step or ""), len(failure.message), len(failure.frames)) == (300, 300, 8)
    assert len(failure.frames[0].source) == 300
    for wrong in ({}, {"frames": []}, [], told | {"frames": 3}, told | {"frames": [[1]]}):
        with pytest.raises((ValueError, TypeError)):
            read_failure(wrong)

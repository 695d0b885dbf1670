"""Then functions that check only their own step's words are found, and honest ones never are."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfbehave.bdd import bind, parse_scenario, read_step_functions
from selfbehave.bdd.fences import PYTHON, first_block
from selfbehave.bdd.hard_coded_outcomes import hard_coded_outcomes
from selfbehave.prompts.bdd import scenario_of
from selfbehave.seeds.load import load_seeds


def is_then(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(one).startswith("then(") for one in function.decorator_list)


def found_in(code: str) -> list[str]:
    """The comparisons of the Then functions with hard-coded outcomes."""
    module = ast.parse(code)
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    thens = [node.lineno for node in functions if is_then(node)]
    return [one.comparison for one in hard_coded_outcomes(module, thens)]


def then(body: str, parameters: str = "total", before: str = "") -> str:
    """A module with one Then function."""
    lines = "\n".join(f"    {line}" for line in body.strip("\n").split("\n"))
    return f"{before}\n@then('...')\ndef check(context, {parameters}):\n{lines}\n"


# As small models write them.


def test_a_basket_whose_total_is_compared_with_the_steps_own_number() -> None:
    code = '''
from behave import given, when, then

@given('the shopping cart contains {count:d} items at ${price:f} each')
def step_cart(context, count, price):
    context.cart = [price] * count

@when('the customer applies the coupon "{code}"')
def step_coupon(context, code):
    pass

@then('the total should be ${total:f}')
def step_total(context, total):
    """Check the total price after the discount."""
    assert total == 45.0, f"Expected 45.0, but got {total}"
'''
    assert found_in(code) == ["total == 45.0"]


def test_a_message_compared_with_a_copy_of_itself() -> None:
    code = """
@then('the user should see the message "{message}"')
def step_message(context, message):
    expected_message = "Your password has been reset."
    context.message = message
    assert context.message == expected_message
"""
    assert found_in(code) == ["context.message == expected_message"]


def test_a_status_checked_by_raising() -> None:
    code = """
@then("the order status is {status}")
def step_status(context, status):
    if status != "shipped":
        raise AssertionError("Order status is not shipped")
"""
    assert found_in(code) == ["status != 'shipped'"]


def test_a_table_of_the_step_compared_with_constants() -> None:
    code = """
@then('the following rooms are listed:')
def step_rooms(context):
    for row in context.table:
        assert row["room"] in row["room"]
        assert int(row["beds"]) == 2
"""
    assert found_in(code) == ["int(row['beds']) == 2"]


@pytest.mark.parametrize(
    "body",
    [
        "assert total == 70",
        "assert 70 == total",
        "assert float(total) == 70.0",
        "assert total.strip().lower() == 'paid'",
        "assert context.table and total == 70",
        "assert total is True",
        "assert abs(total - 70) < 0.01",
        "assert not total != 70",
        "if not total == 70:\n    raise ValueError('wrong')",
        "if total != 70 or total is None:\n    assert False",
        "context.test.assertEqual(total, 70)",
        "expected = 70\nassert total == expected",
        "expected = {'total': 70}\nassert total == expected['total']",
        "context.result = 70\nassert context.result == total",
        "assert total == total",
        "assert total == sum([30, 40])",
        "assert context.logged_in\nassert total == 70",
        "print(context.result, total)\nassert total == 70",
        "try:\n    assert total == 70\nexcept AssertionError:\n    raise",
    ],
)
def test_a_comparison_with_constants_is_hard_coded(body: str) -> None:
    assert found_in(then(body)), body


def test_a_constant_of_the_module_is_one_too() -> None:
    assert found_in(then("assert total == TOTAL", before="TOTAL = 70\n"))
    assert found_in(then("assert total == Decimal('7')", before="from decimal import Decimal\n"))


def test_two_statements_of_one_step_compared_with_each_other() -> None:
    assert found_in(then("assert total == count * price", "count, price, total"))


def test_the_doc_string_of_the_step_compared_with_a_constant() -> None:
    assert found_in("@then('it prints:')\ndef check(context):\n    assert context.text == 'Hi'\n")


# Honest ones, and those of which it is not known.


@pytest.mark.parametrize(
    "body",
    [
        "assert context.total == total",
        "assert context.cart.total() == total",
        "assert basket.total == total",
        "assert total == shop.total()",
        "assert total > 0\nassert context.total == total",
        "assert total == 70 or context.total == total",
        "assert total is not None",
        "assert total != 0",
        "assert total in (70, 80)",
        "assert isinstance(total, int)",
        "assert context.total == 70",
        "expected = float(total)\nassert abs(context.total - expected) < 0.01",
        "found = []\nfound.append(context.total)\nassert found == [total]",
        "found = {}\nfound['a'] = context.total\nassert found == {'a': total}",
        "for item in context.items:\n    assert item == total",
        "with context.shop as shop:\n    assert shop.total == total",
        "if total == 70:\n    assert context.is_paid\nelse:\n    assert total == 0",
        "match total:\n    case 70:\n        assert context.is_paid",
        "expected = {'all': 70}[total]\nassert context.total == expected",
        "assert [x for x in context.items] == [total]",
        "assert (found := context.total) == total\nassert found == 70",
        "check_total(context, total)",
        "context.test.assertEqual(context.total, total)",
        "context.execute_steps('Then ...')\nassert_total(total, 70)",
        "def inner():\n    assert total == 70\ninner()",
        "global seen\nassert total == 70",
        "if context.paid:\n    expected = context.total\nelse:\n    expected = 70\n"
        "assert total == expected",
        "before = 70\nfor item in context.items:\n    assert total == before\n    before = item",
        "try:\n    expected = context.total\nexcept KeyError:\n    expected = 70\n"
        "assert total == expected",
    ],
)
def test_a_comparison_with_what_the_scenario_made_is_not(body: str) -> None:
    assert not found_in(then(body)), body


def test_a_name_of_the_module_that_may_change_is_no_constant() -> None:
    assert not found_in(then("assert total == RESULTS[0]", before="RESULTS = []\n"))
    counted = "count = 0\n\ndef add():\n    global count\n    count += 1\n"
    assert not found_in(then("assert total == count", before=counted))
    assert not found_in(then("assert total == datetime.now()", before="import datetime\n"))


def test_a_helper_that_is_handed_the_context_may_check_it() -> None:
    assert not found_in(then("assert total == 70\nverify(context)"))


def test_functions_that_are_not_asked_for_are_not_looked_at() -> None:
    module = ast.parse(then("assert total == 70"))
    assert hard_coded_outcomes(module, []) == ()


def test_no_outcome_of_a_high_quality_seed_is_hard_coded() -> None:
    for task in load_seeds("high_quality").tasks:
        code = first_block(task.instances[0].output, PYTHON)
        assert code is not None
        functions = read_step_functions(code.body)
        binding = bind(parse_scenario(scenario_of(task.instruction)), functions)
        lines = {function.line for step, function in binding.bound if function}
        assert hard_coded_outcomes(functions.module, lines) == (), task.name


@pytest.mark.parametrize("repeated", ["[x for x in {}]", "(x := {})", "-{}", "total + {}"])
def test_deeply_nested_expressions_are_read_in_time(repeated: str) -> None:
    nested = "total"
    for _ in range(40):
        nested = repeated.format(nested)
    assert isinstance(found_in(then(f"assert {nested} == 70")), list)


statements = st.sampled_from(
    [
        "assert total == 70",
        "x = total",
        "x += 1",
        "for x in total: pass",
        "assert x == y",
        "context.a = x",
        "assert context.a == 1",
        "x, *y = total",
        "del x",
        "assertEqual(x)",
        "assert abs() < 1",
        "while x: break",
        "with x as y: pass",
        "[x for x in y if x]",
        "x: int",
        "raise x",
    ]
)


@settings(max_examples=200)
@given(st.lists(statements, min_size=1, max_size=8))
def test_any_code_is_read(lines: list[str]) -> None:
    found_in(then("\n".join(lines)))
